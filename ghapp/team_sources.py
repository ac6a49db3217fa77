"""Who is in which team is asked of GitHub, once a day. It decides no membership itself.

What is made of it, and which source holds, is told in docs/metrics.md, Teams.
"""

from ghapp.attribution.model import Struct
from ghapp.github.answers import Refused
from ghapp.github.app_auth import AppAuth
from ghapp.github.teams import visible_teams
from ghapp.store import Installation, Store
from ghapp.summaries import SMALLEST_GROUP
from ghapp.teams import TeamSource, one_team_each


class Fetched(Struct, frozen=True):
    """What was read: from whom, and of how many people in how many teams."""

    source: TeamSource
    people: int
    teams: int

    def __str__(self) -> str:
        return f"{self.people} people in {self.teams} teams, from {self.source}"


def fetch_teams(installation: Installation, auth: AppAuth, store: Store) -> Fetched:
    """Keep an organization's teams as GitHub lists them now; what it said before goes.

    Raises the errors of `answers`; `Refused` where the permission is missing: then nothing
    that GitHub said before is kept either.
    """
    account = installation.account
    try:
        teams = visible_teams(auth, installation.id, account)
    except Refused:
        store.teams.replace(account, TeamSource.GITHUB, ())
        raise
    members = one_team_each(teams, SMALLEST_GROUP)
    store.teams.replace(account, TeamSource.GITHUB, members)
    return Fetched(TeamSource.GITHUB, len(members), len({one.team for one in members}))
