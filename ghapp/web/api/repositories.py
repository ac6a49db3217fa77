"""Who asks, and the organizations and repositories that are there to be read."""

from flask import Blueprint, Response

from ghapp.attribution.model import Struct
from ghapp.bootstrap import Services
from ghapp.store import Repository
from ghapp.web.access import installations, readable, require_reader, require_viewer
from ghapp.web.api.answers import answer, cut, listed
from ghapp.web.api.questions import NoParameters, PageParameters, read


class ViewerAnswer(Struct, frozen=True):
    """Who asks, as the API understood it."""

    login: str
    id: int
    """GitHub's number of the person."""
    token: int | None
    """Number of the read token; ``None``: a browser's sign-in."""
    installations: tuple[int, ...] | None
    """Installations that the token is for; ``None``: all that the person reaches."""


class RepositoryAnswer(Struct, frozen=True):
    """A repository that the viewer may read."""

    id: int
    owner: str
    name: str
    full_name: str
    private: bool
    archived: bool
    installation_id: int | None
    """``None``: not known through an installation."""


class OrganizationAnswer(Struct, frozen=True):
    """An account on which the app is installed."""

    login: str
    installation_id: int
    account_type: str | None
    """``User`` or ``OrganizationAnswer``; ``None``: not heard yet."""


def add(blueprint: Blueprint, services: Services) -> None:
    """Add the routes on who asks, organizations and repositories."""

    @blueprint.get("/viewer")
    def viewer() -> Response:
        read(NoParameters)
        found = require_viewer()
        token = found.token
        return answer(
            ViewerAnswer(
                login=found.login,
                id=found.person.id,
                token=None if token is None else token.id,
                installations=None if token is None else token.installations,
            )
        )

    @blueprint.get("/repositories")
    def repositories() -> Response:
        asked = read(PageParameters)
        found = sorted(all_readable(services), key=lambda one: one.id)
        return listed(cut([(str(one.id), _shown(one)) for one in found], asked.after, asked.limit))

    @blueprint.get("/repositories/<owner>/<name>")
    def repository(owner: str, name: str) -> Response:
        found = require_reader(services, owner, name)
        read(NoParameters)
        return answer(_shown(found))

    @blueprint.get("/organizations")
    def organizations() -> Response:
        asked = read(PageParameters)
        found = [
            OrganizationAnswer(
                login=one.account, installation_id=one.id, account_type=one.account_type
            )
            for one in sorted(installations(services), key=lambda one: one.id)
        ]
        keyed = [(str(one.installation_id), one) for one in found]
        return listed(cut(keyed, asked.after, asked.limit))


def all_readable(services: Services) -> list[Repository]:
    """Return all repositories that the viewer may read and the app is installed on."""
    store = services.store.installations
    return [
        repository
        for installation in installations(services)
        for wanted in [readable(services, installation.id)]
        for repository in store.repositories(installation.id)
        if repository.id in wanted
    ]


def _shown(one: Repository) -> RepositoryAnswer:
    return RepositoryAnswer(
        id=one.id,
        owner=one.owner,
        name=one.name,
        full_name=one.full_name,
        private=one.private,
        archived=one.archived,
        installation_id=one.installation_id,
    )
