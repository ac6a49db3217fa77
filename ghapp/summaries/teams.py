"""Who is in which team, read from a CSV table. It stores nothing.

docs/metrics.md, Teams, says how summaries use it.
"""

import csv
import io
from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum

from ghapp.attribution.model import Struct

MOST_PEOPLE = 100_000
LONGEST = 200
"""Most characters of a cell."""
COLUMNS = ("person", "team", "role", "start_date")


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


def one_team_each(teams: Mapping[str, Collection[str]], least: int) -> tuple[TeamMember, ...]:
    """Put each person into one of their teams: the smallest with at least ``least`` people.

    The smallest team says most about a person, and a subteam is smaller than its parent.

    >>> one_team_each({"all": ["ann", "bob", "cid"], "web": ["ann", "bob"], "me": ["ann"]}, 2)[0]
    TeamMember(login='ann', team='web', role=None, since=None)
    """
    found: dict[str, TeamMember] = {}
    for team in sorted(teams, key=lambda name: (len(teams[name]) < least, len(teams[name]), name)):
        for login in teams[team]:
            found.setdefault(login.lower(), TeamMember(login, team))
    return tuple(found.values())


class TeamFileError(ValueError):
    """A table of teams is not valid; ``problems`` names each line and what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


def read_team_file(text: str) -> tuple[TeamMember, ...]:
    r"""Read a CSV with the columns ``person``, ``team`` and optionally ``role``, ``start_date``.

    Each person has one row. Column names may use any case, and spaces. Raises `TeamFileError`,
    which names every problem.

    >>> read_team_file("Person,Team,Start date\nann,core,2026-01-31\n")[0].since
    datetime.date(2026, 1, 31)
    """
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        head = [name.strip().lower().replace(" ", "_") for name in next(rows, [])]
        missing = {"person", "team"} - set(head)
        unknown = set(head) - set(COLUMNS)
        if missing or unknown or len(set(head)) != len(head):
            message = f"line 1: the columns are {', '.join(head)}; give {', '.join(COLUMNS)}"
            raise TeamFileError([message])
        return _members(head, [(rows.line_num, row) for row in rows if any(row)])
    except csv.Error as error:
        raise TeamFileError([f"line {rows.line_num}: {error}; use commas and quotes"]) from None


def _members(head: list[str], rows: list[tuple[int, list[str]]]) -> tuple[TeamMember, ...]:
    found: dict[str, TeamMember] = {}
    problems: list[str] = []
    if len(rows) > MOST_PEOPLE:
        raise TeamFileError([f"{len(rows)} people; at most {MOST_PEOPLE} are allowed"])
    for line, row in rows:
        cells = dict(zip(head, (cell.strip() for cell in row), strict=False))
        problem = _problem(head, row, cells, found)
        if problem is not None:
            problems.append(f"line {line}: {problem}")
            continue
        start = cells.get("start_date")
        member = TeamMember(
            login=cells["person"],
            team=cells["team"],
            role=cells.get("role") or None,
            since=date.fromisoformat(start) if start else None,
        )
        found[member.login.lower()] = member
    if problems:
        raise TeamFileError(problems)
    return tuple(found.values())


def _problem(
    head: list[str], row: list[str], cells: dict[str, str], found: dict[str, TeamMember]
) -> str | None:
    """Return what is wrong with a row; ``None``: nothing."""
    if len(row) != len(head):
        return f"{len(row)} cells, but {len(head)} columns"
    if not cells["person"] or not cells["team"]:
        return "the person or the team is missing"
    if any(len(cell) > LONGEST or not cell.isprintable() for cell in cells.values()):
        return f"a cell has more than {LONGEST} characters or unprintable ones"
    if cells["person"].lower() in found:
        return f"{cells['person']} is listed twice: a person is in one team"
    return _problem_of_date(cells.get("start_date"))


def _problem_of_date(start: str | None) -> str | None:
    try:
        date.fromisoformat(start or "2000-01-01")
    except ValueError:
        return f"{start!r} is not a date: write it as 2026-01-31"
    return None
