"""The front page: what the app is and how to sign in, or what the viewer may read."""

from flask import render_template

from ghapp.attribution.model import Struct
from ghapp.store import Installation, Repository
from ghapp.web.access import installations, readable, viewer
from ghapp.web.current import services
from ghapp.web.pages.blueprint import pages


class ReadableAccount(Struct, frozen=True):
    """An organization or person, with the repositories there that the viewer may read."""

    installation: Installation
    repositories: tuple[Repository, ...]


@pages.get("/")
def front() -> str:
    """Show the front page."""
    if viewer() is None:
        return render_template("front.html", can_sign_in=services.readers is not None)
    return render_template("accounts.html", accounts=list(map(_account, installations())))


def _account(installed: Installation) -> ReadableAccount:
    may_read = readable(installed.id)
    known = services.store.installations.repositories(installed.id)
    return ReadableAccount(
        installation=installed,
        repositories=tuple(one for one in known if one.id in may_read),
    )
