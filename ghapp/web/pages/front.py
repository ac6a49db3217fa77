"""The front page: what this is and the way in, or what the viewer may read."""

from flask import Blueprint, render_template

from ghapp.attribution.model import Struct
from ghapp.bootstrap import Services
from ghapp.store import Installation, Repository
from ghapp.web.access import installations, readable, viewer


class ReadableAccount(Struct, frozen=True):
    """An organization or person with the repositories there that the viewer may read."""

    installation: Installation
    repositories: tuple[Repository, ...]


def add(blueprint: Blueprint, services: Services) -> None:
    """Add the route ``/``."""

    @blueprint.get("/")
    def front() -> str:
        if viewer() is None:
            can_sign_in = services.readers is not None
            return render_template("front.html", can_sign_in=can_sign_in)
        accounts = [_account(services, one) for one in installations(services)]
        return render_template("accounts.html", accounts=accounts)


def _account(services: Services, installed: Installation) -> ReadableAccount:
    may_read = readable(services, installed.id)
    known = services.store.installations.repositories(installed.id)
    return ReadableAccount(
        installation=installed,
        repositories=tuple(one for one in known if one.id in may_read),
    )
