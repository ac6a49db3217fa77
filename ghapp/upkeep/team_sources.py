"""Where teams come from: GitHub's teams, otherwise CODEOWNERS, read once a day.

docs/metrics.md, Teams, says which source counts and how the app uses it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import cache

from ghapp.attribution.model import Struct
from ghapp.github.answers import GoneForGood, PermissionRefused
from ghapp.github.app_auth import AppAuth
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import codeowners_text
from ghapp.github.teams import visible_teams
from ghapp.store import Installation, Store
from ghapp.store.summaries.accounts import BOT
from ghapp.summaries.selection import SMALLEST_GROUP
from ghapp.summaries.teams import TeamMember, TeamSource, one_team_each
from ghapp.upkeep.codeowners import CodeOwners

RECENT = timedelta(days=90)
"""CODEOWNERS assigns people by the lines that they merged within this time."""


class TeamsFetched(Struct, frozen=True):
    """What `fetch_teams` read: the source, and the numbers of people and teams."""

    source: TeamSource
    people: int
    teams: int
    refused: str | None
    """Why GitHub refused to list its teams; ``None``: it did not refuse."""

    def __str__(self) -> str:
        read = f"{self.people} people in {self.teams} teams, from {self.source}"
        return f"{read}; {self.refused}" if self.refused else read


class TeamSources(Struct, frozen=True):
    """Where teams come from and where they go."""

    auth: AppAuth
    github: Callable[[int], AbstractContextManager[GitHub]]
    """Repository id → GitHub; the caller closes it."""
    store: Store


def fetch_teams(installation: Installation, sources: TeamSources, *, now: datetime) -> TeamsFetched:
    """Replace the stored team members of an account with what GitHub says now.

    Read CODEOWNERS only if no other source has data. Raises the errors of
    `ghapp.github.answers`; a missing permission is no error.
    """
    account, keep = installation.account, sources.store.teams.replace
    members: tuple[TeamMember, ...] = ()
    refused = None
    try:
        teams = visible_teams(sources.auth, installation.id, account)
        members = one_team_each(teams, SMALLEST_GROUP)
    except PermissionRefused as error:
        refused = str(error)
    keep(account, TeamSource.GITHUB, members)
    source = TeamSource.GITHUB
    if not members and TeamSource.CSV not in sources.store.teams.of(account):
        source, members = TeamSource.CODEOWNERS, _by_owners(installation, sources, now)
    keep(account, TeamSource.CODEOWNERS, members if source is TeamSource.CODEOWNERS else ())
    return TeamsFetched(source, len(members), len({one.team for one in members}), refused)


def _by_owners(
    installation: Installation, sources: TeamSources, now: datetime
) -> tuple[TeamMember, ...]:
    """Assign each person to the team that owns most of the lines they merged recently."""
    lines: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for repository in sources.store.installations.repositories(installation.id):
        for login, team, count in _owned(repository.id, sources, now - RECENT):
            lines[login][team] += count
    return tuple(TeamMember(login, _most(lines[login].items())) for login in sorted(lines))


def _most(lines: Iterable[tuple[str, int]]) -> str:
    return min((-count, team) for team, count in lines)[1]


def _owned(
    repository_id: int, sources: TeamSources, since: datetime
) -> Iterator[tuple[str, str, int]]:
    """Yield login, team and merged lines; read CODEOWNERS only if there are merged lines."""
    written = sources.store.teams.written(repository_id, since)
    if not written:
        return
    # Cached: people share directories, and a file may have a thousand rules.
    team_of = cache(_owners(repository_id, sources).team_of)
    for one in written:
        team = team_of(one.directory)
        if team is not None and not one.login.endswith(BOT):
            yield one.login.lower(), team, one.lines


def _owners(repository_id: int, sources: TeamSources) -> CodeOwners:
    try:
        with sources.github(repository_id) as github:
            return CodeOwners(codeowners_text(github) or "")
    except GoneForGood:
        # The repository is deleted or no longer reachable; the others still have owners.
        return CodeOwners("")
