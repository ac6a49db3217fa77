"""The program for developers' machines: its wheel with a digest, and the one line that installs it.

Nobody has to sign in: it is the program itself, without any setting of this app.
"""

from flask import Blueprint, Response, abort, render_template, request

from ghapp.attribution.model import Struct
from ghapp.collector.program_wheel import NoOwnWheel, OwnWheel, own_wheel
from ghapp.web.current import own_address

FRESH_SECONDS = 300
"""How long a proxy may keep the wheel: an upgrade of the app replaces it."""

collector = Blueprint("collector", __name__, url_prefix="/collector")


class CollectorInstall(Struct, frozen=True):
    """How a machine installs the program from this app."""

    app: str
    """The app's address."""
    url: str
    """Of the wheel, with the digest that pip checks."""
    digest: str

    @property
    def requirement(self) -> str:
        """The requirement, as pip, pipx and uv take it (PEP 508)."""
        return f"ghapp @ {self.url}"


def install_from_here() -> CollectorInstall | None:
    """Return how a machine installs the program; ``None``: this installation has no own wheel."""
    try:
        wheel = own_wheel()
    except NoOwnWheel:
        return None
    return _install(wheel)


def _install(wheel: OwnWheel) -> CollectorInstall:
    app = own_address()
    url = f"{app}/collector/{wheel.file_name}#sha256={wheel.digest}"
    return CollectorInstall(app=app, url=url, digest=wheel.digest)


@collector.get("")
def shown() -> str:
    """Show the one line that installs the program, for each tool."""
    return render_template("collector.html", install=_install(_wheel()))


@collector.get("/requirements.txt")
def requirements() -> Response:
    """Answer with a requirements file, whose address stays the same over upgrades."""
    text = f"{_install(_wheel()).requirement}\n"
    return Response(text, content_type="text/plain; charset=utf-8")


@collector.get("/<name>.whl")
def wheel(name: str) -> Response:
    """Answer with the wheel; 404 names the one that is here."""
    found = _wheel()
    if f"{name}.whl" != found.file_name:
        abort(404, f"the wheel of this app is /collector/{found.file_name}")
    response = Response(found.content, content_type="application/octet-stream")
    response.headers["Cache-Control"] = f"public, max-age={FRESH_SECONDS}"
    response.set_etag(found.digest)
    response.make_conditional(request)
    return response


def _wheel() -> OwnWheel:
    try:
        return own_wheel()
    except NoOwnWheel as error:
        abort(404, str(error))
