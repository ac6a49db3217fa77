"""Who is in which team, read from a CSV table. It stores nothing.

docs/metrics.md, Teams, says how summaries use it.
"""

from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum

from ghapp.attribution.model import Struct
from ghapp.summaries.tables import read_table

MOST_PEOPLE = 100_000
COLUMNS = ("person", "team", "role", "start_date", "cost_center")


class TeamSource(StrEnum):
    """Where teams come from. Each account uses the first source that has any data."""

    CSV = "csv"
    GITHUB = "github"
    CODEOWNERS = "codeowners"


class TeamMember(Struct, frozen=True):
    """One person in one team."""

    login: str
    team: str
    role: str | None = None
    since: date | None = None
    """First day on which the person counts for the team; ``None``: always."""
    cost_center: str | None = None
    """Who pays for what the person's agents cost; ``None``: not told."""


def one_team_each(teams: Mapping[str, Collection[str]], least: int) -> tuple[TeamMember, ...]:
    """Put each person into one of their teams: the smallest with at least ``least`` people.

    The smallest team says most about a person, and a subteam is smaller than its parent.

    >>> one_team_each({"all": ["ann", "bob", "cid"], "web": ["ann", "bob"], "me": ["ann"]}, 2)[0]
    TeamMember(login='ann', team='web', role=None, since=None, cost_center=None)
    """
    found: dict[str, TeamMember] = {}
    for team in sorted(teams, key=lambda name: (len(teams[name]) < least, len(teams[name]), name)):
        for login in teams[team]:
            found.setdefault(login.lower(), TeamMember(login, team))
    return tuple(found.values())


def read_team_file(text: str) -> tuple[TeamMember, ...]:
    r"""Read a CSV with the columns ``person``, ``team`` and those of `COLUMNS` that are optional.

    Each person has one row. Raises `TableError`, which names every problem.

    >>> read_team_file("Person,Team,Start date\nann,core,2026-01-31\n")[0].since
    datetime.date(2026, 1, 31)
    """
    seen: set[str] = set()
    rows = read_table(
        text, COLUMNS, ("person", "team"), lambda cells: _problem(cells, seen), most=MOST_PEOPLE
    )
    return tuple(
        TeamMember(
            login=cells["person"],
            team=cells["team"],
            role=cells.get("role") or None,
            since=date.fromisoformat(start) if (start := cells.get("start_date")) else None,
            cost_center=cells.get("cost_center") or None,
        )
        for cells in rows
    )


def _problem(cells: dict[str, str], seen: set[str]) -> str | None:
    """Return what is wrong with a row; ``None``: nothing."""
    if not cells["person"] or not cells["team"]:
        return "the person or the team is missing"
    if cells["person"].lower() in seen:
        return f"{cells['person']} is listed twice: a person is in one team"
    if cells.get("cost_center", "").startswith("("):
        return "a cost center begins with a bracket, which is left to (none) and (others)"
    seen.add(cells["person"].lower())
    return _problem_of_date(cells.get("start_date"))


def _problem_of_date(start: str | None) -> str | None:
    try:
        date.fromisoformat(start or "2000-01-01")
    except ValueError:
        return f"{start!r} is not a date: write it as 2026-01-31"
    return None
