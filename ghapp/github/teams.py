"""Read the teams of an organization and their people from GitHub. It stores nothing.

It leaves out secret teams: not even every member of the organization may know of them.
https://docs.github.com/en/rest/teams/teams
"""

from ghapp.attribution.model import Struct
from ghapp.git.names import segment
from ghapp.github.answers import NotFound, TemporaryFailure
from ghapp.github.app_auth import AppAuth

HIDDEN = "secret"
"""GitHub's word for a team that only its own people see."""


class _Team(Struct, frozen=True):
    name: str
    slug: str
    privacy: str = HIDDEN


class _Person(Struct, frozen=True):
    login: str


def visible_teams(
    auth: AppAuth, installation_id: int, organization: str
) -> dict[str, tuple[str, ...]]:
    """Return the teams by name, each with the logins of its people and of its child teams.

    Empty if the account is a person's. Raises the errors of `answers`; `PermissionRefused` if
    ``members: read`` is not granted.
    """
    token = auth.token_for_members(installation_id)
    listed = f"/orgs/{segment(organization)}/teams"
    try:
        pages = [*auth.pages(listed, tuple[_Team, ...], token=token)]
    except NotFound:
        return {}
    return {
        team.name: _people(auth, f"{listed}/{segment(team.slug)}/members", token)
        for page in pages
        for team in page
        if team.privacy != HIDDEN
    }


def _people(auth: AppAuth, path: str, token: str) -> tuple[str, ...]:
    try:
        pages = [*auth.pages(path, tuple[_Person, ...], token=token)]
    except NotFound as missing:
        # A team's address follows its name: read everything again, by the new names.
        raise TemporaryFailure(path, "the team was renamed or deleted meanwhile") from missing
    return tuple(person.login for page in pages for person in page)
