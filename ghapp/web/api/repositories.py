"""Routes about the viewer, organizations and repositories."""

import msgspec
from flask import Response

from ghapp.attribution.model import Struct
from ghapp.store import Installation, Repository
from ghapp.web.access import installations, readable, require_reader, require_viewer
from ghapp.web.api.answers import answer, cut, listed
from ghapp.web.api.blueprint import api
from ghapp.web.api.operation import reads
from ghapp.web.api.questions import NoParameters, PageParameters, read
from ghapp.web.current import services


class ViewerAnswer(Struct, frozen=True):
    """Who sends the request, as the API understood it."""

    login: str
    id: int
    """The person's number on GitHub."""
    token: int | None
    """Number of the read token; ``None``: a browser's sign-in."""
    installations: tuple[int, ...] | None
    """Installations that the token is for; ``None``: every one that the person can read."""


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
    """``User`` or ``Organization``; ``None``: GitHub has not said yet."""


@api.get("/viewer")
@reads("readViewer", "Read who sends the request, as the API understood it.", ViewerAnswer)
def viewer() -> Response:
    """Answer who sends the request."""
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


@api.get("/organizations")
@reads(
    "listOrganizations",
    "List the accounts on which the app is installed.",
    tuple[OrganizationAnswer, ...],
    question=PageParameters,
)
def organizations() -> Response:
    """List the accounts where the viewer may read anything."""
    asked = read(PageParameters)
    found = sorted(installations(), key=lambda one: one.id)
    return listed(
        cut(((str(one.id), _organization(one)) for one in found), asked.after, asked.limit)
    )


@api.get("/repositories")
@reads(
    "listRepositories",
    "List the repositories that the token's person may read.",
    tuple[RepositoryAnswer, ...],
    question=PageParameters,
)
def repositories() -> Response:
    """List the repositories that the viewer may read."""
    asked = read(PageParameters)
    found = sorted(_all_readable(), key=lambda one: one.id)
    return listed(cut(((str(one.id), _repository(one)) for one in found), asked.after, asked.limit))


@api.get("/repositories/<owner>/<name>")
@reads("readRepository", "Read one repository.", RepositoryAnswer)
def repository(owner: str, name: str) -> Response:
    """Answer with one repository."""
    found = require_reader(owner, name)
    read(NoParameters)
    return answer(_repository(found))


def _all_readable() -> list[Repository]:
    """Return all repositories that the viewer may read and the app is installed on."""
    store = services.store.installations
    return [
        repository
        for installation in installations()
        for wanted in [readable(installation.id)]
        for repository in store.repositories(installation.id)
        if repository.id in wanted
    ]


def _organization(one: Installation) -> OrganizationAnswer:
    return OrganizationAnswer(
        login=one.account, installation_id=one.id, account_type=one.account_type
    )


def _repository(one: Repository) -> RepositoryAnswer:
    return msgspec.convert(one, RepositoryAnswer, from_attributes=True)
