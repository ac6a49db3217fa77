"""The set-up page of an app without credentials: it registers the app and stores its credentials.

`ghapp serve` starts it alone, before the app itself. It opens only on this machine, or with the
token that `ghapp serve` printed.
"""

import hmac
import os
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, abort, make_response, render_template, request, url_for

from ghapp.log import configure
from ghapp.settings import Settings, is_this_machine, write_credentials
from ghapp.web.errors import add_error_answers
from ghapp.web.frame import add_frame
from ghapp.web.headers import add_headers, content_security_policy
from ghapp.web.registration import (
    NewCredentials,
    RegistrationError,
    app_file,
    check_organization,
    checked_address,
    convert,
    form_address,
    manifest,
    read_app_file,
    to_settings,
)

STATE_SECONDS = 3600
"""How long a registration may take: GitHub's code expires after an hour."""
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
COOKIE = "setup"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

log = structlog.get_logger()

Keep = Callable[[NewCredentials, str], None]
"""Stores the credentials and the app's public address."""


def from_environment() -> Flask:
    """Return the set-up application for this process's environment."""
    settings = Settings.from_environment(app_required=False)
    configure(settings.log_level, hidden=settings.hidden)

    def keep(credentials: NewCredentials, public_url: str) -> None:
        write_credentials(settings.data_dir, to_settings(credentials, public_url))

    return create_setup_app(
        SetUp(
            app_file=app_file(),
            api_url=settings.api_url,
            web_url=settings.web_url,
            public_url=settings.public_url,
            token=os.environ["GHAPP_SETUP_TOKEN"],
        ),
        keep,
    )


@dataclass(frozen=True)
class SetUp:
    """The settings of the set-up page."""

    app_file: Path
    api_url: str
    web_url: str
    public_url: str | None
    """``None``: not known yet, so the form asks for it."""
    token: str
    """Opens the page to a browser on another machine, and signs the state of the registration."""


def create_setup_app(setup: SetUp, keep: Keep) -> Flask:
    """Return the set-up application; ``keep`` stores the credentials."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    add_headers(app)
    add_frame(app)
    add_error_answers(app)
    description = read_app_file(setup.app_file)

    @app.before_request
    def only_the_owner() -> None:
        if request.endpoint not in {"static", "health"} and not _may_enter(setup.token):
            abort(403, "the set-up page opens on this machine, or with the token printed there")
        if request.method not in SAFE and not _is_own_form(setup.token):
            abort(403, "this form came from another site: open the set-up page and send its own")

    @app.get("/healthz")
    def health() -> dict[str, str]:
        return {"status": "set-up"}

    @app.get("/")
    def form() -> str:
        own = request.host_url.rstrip("/")
        public_url = setup.public_url or ("" if is_this_machine(own) else own)
        return _form(description, {"name": description["name"], "public_url": public_url})

    @app.post("/setup")
    def confirm() -> Response:
        return _confirm(description, setup)

    @app.get("/setup/callback")
    def finish() -> str:
        return _finish(setup, keep)

    return app


def _form(description: dict[str, Any], fields: dict[str, str], problem: str | None = None) -> str:
    """Return the form, filled in; ``problem`` says why it was not sent on."""
    token = request.values.get("token", "")
    return render_template(
        "setup.html", app=description, fields=fields, token=token, problem=problem
    )


def _confirm(description: dict[str, Any], setup: SetUp) -> Response:
    """Show what will be registered, with a form that posts it to GitHub."""
    fields = {name: request.form.get(name, "").strip() for name in _FIELDS}
    back = url_for("finish", _external=True)
    try:
        check_organization(fields["organization"])
        fields["public_url"] = checked_address(fields["public_url"])
        body = manifest(
            description, name=fields["name"], public_url=fields["public_url"], redirect_url=back
        )
    except RegistrationError as error:
        return make_response(_form(description, fields, str(error)), 400)
    state = _new_state(fields["public_url"], setup.token)
    target = form_address(setup.web_url, fields["organization"] or None, state)
    page = make_response(
        render_template("setup_send.html", target=target, manifest=body.decode(), **fields)
    )
    page.headers["Content-Security-Policy"] = content_security_policy(_origin(setup.web_url))
    page.set_cookie(
        COOKIE,
        state,
        max_age=STATE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
    return page


def _finish(setup: SetUp, keep: Keep) -> str:
    """Exchange the code that the browser brings back from GitHub, and store the credentials."""
    public_url = _checked_state(setup.token)
    try:
        credentials = convert(setup.api_url, request.args.get("code", ""))
    except RegistrationError as error:
        log.warning("registration_failed", problem=str(error))
        abort(502, str(error))
    keep(credentials, public_url)
    log.info("app_registered", app_id=credentials.id, slug=credentials.slug)
    return render_template("setup_done.html", credentials=credentials)


_FIELDS = ("name", "public_url", "organization")


def _may_enter(token: str) -> bool:
    """Say whether a request may open the page: it is local, has the token, or is signed by us.

    A local request has a local connection and a local host name, and no proxy forwarded it;
    without the check of the name, any web site could point its own name at this address.
    """
    host = urlsplit(f"//{request.host}").hostname
    direct = not any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "Via"))
    local = request.remote_addr in {"127.0.0.1", "::1"} and host in LOOPBACK_NAMES and direct
    given = request.values.get("token", "")
    state = request.cookies.get(COOKIE, "")
    return local or _is_token(given, token) or _is_ours(state, token)


def _is_own_form(token: str) -> bool:
    """Say whether a form came from our page: any site could send one to this machine's browser.

    Our page sends no referrer, so its own forms have the origin ``null``; what tells them apart is
    the header that browsers add on this machine and over HTTPS.
    https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
    """
    if _is_token(request.values.get("token", ""), token):
        return True
    from_where = request.headers.get("Sec-Fetch-Site")
    if from_where is not None:
        return from_where in {"same-origin", "none"}
    return request.headers.get("Origin") in {None, _origin(request.host_url)}


def _is_token(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), token.encode())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


# --- the state: GitHub returns it, the cookie repeats it, and the two must agree ------------------


def _new_state(public_url: str, token: str) -> str:
    address = urlsafe_b64encode(public_url.encode()).decode()
    text = f"{int(time.time())}.{secrets.token_urlsafe(16)}.{address}"
    return f"{text}.{_signature(text, token)}"


def _signature(text: str, token: str) -> str:
    return hmac.new(token.encode(), text.encode(), "sha256").hexdigest()


def _is_ours(state: str, token: str) -> bool:
    text, _, signature = state.rpartition(".")
    if not _is_token(signature, _signature(text, token)):
        return False
    return time.time() - int(text.partition(".")[0]) < STATE_SECONDS


def _checked_state(token: str) -> str:
    """Return the public address of the registration that this browser started; 400 if none."""
    given = request.args.get("state", "")
    kept = request.cookies.get(COOKIE, "")
    if not _is_ours(given, token) or not hmac.compare_digest(given.encode(), kept.encode()):
        abort(400, "this registration was started elsewhere or too long ago: start it again")
    return urlsafe_b64decode(given.split(".")[2]).decode()
