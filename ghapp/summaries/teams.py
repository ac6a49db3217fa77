"""Who is in which team, read from a table that somebody keeps. It asks nobody and keeps nothing.

What is made of it is told in docs/metrics.md, Teams.
"""

import csv
import io
from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum

from ghapp.attribution.model import Struct

MOST_PEOPLE = 100_000
LONGEST = 200
"""Characters of a name."""
COLUMNS = ("person", "team", "role", "start_date")


class TeamSource(StrEnum):
    """Who says in which team a person is; the first that says anything of an account holds."""

    CSV = "csv"
    GITHUB = "github"
    CODEOWNERS = "codeowners"


class TeamMember(Struct, frozen=True):
    """One person in one team."""

    login: str
    team: str
    role: str | None = None
    since: date | None = None
    """From when on the person counts for the team; ``None``: ever since."""


def one_team_each(teams: Mapping[str, Collection[str]], least: int) -> tuple[TeamMember, ...]:
    """Put each person into one of his teams: the smallest one that has ``least`` people.

    It says most about him and can still be told apart; a team below another one is smaller.

    >>> one_team_each({"all": ["ann", "bob", "cid"], "web": ["ann", "bob"], "me": ["ann"]}, 2)[0]
    Member(login='ann', team='web', role=None, since=None)
    """
    found: dict[str, TeamMember] = {}
    for team in sorted(teams, key=lambda name: (len(teams[name]) < least, len(teams[name]), name)):
        for login in teams[team]:
            found.setdefault(login.lower(), TeamMember(login, team))
    return tuple(found.values())


class TeamFileError(ValueError):
    """A table of teams cannot be read; ``problems`` names each line and what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


def read_team_file(text: str) -> tuple[TeamMember, ...]:
    r"""Read a CSV with the columns ``person``, ``team`` and, if wanted, ``role``, ``start_date``.

    A person stands there once; names of columns may be in any case and with spaces. Raises
    `TeamFileError`, which names all that is wrong.

    >>> read_team_file("Person,Team,Start date\nann,core,2026-01-31\n")[0].since
    datetime.date(2026, 1, 31)
    """
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        head = [name.strip().lower().replace(" ", "_") for name in next(rows, [])]
        lacking = {"person", "team"} - set(head)
        unknown = set(head) - set(COLUMNS)
        if lacking or unknown or len(set(head)) != len(head):
            message = f"line 1: the columns are {', '.join(head)}; give {', '.join(COLUMNS)}"
            raise TeamFileError([message])
        return _members(head, [(rows.line_num, row) for row in rows if any(row)])
    except csv.Error as error:
        raise TeamFileError([f"line {rows.line_num}: {error}; give commas and quotes"]) from None


def _members(head: list[str], rows: list[tuple[int, list[str]]]) -> tuple[TeamMember, ...]:
    found: dict[str, TeamMember] = {}
    problems: list[str] = []
    if len(rows) > MOST_PEOPLE:
        raise TeamFileError([f"{len(rows)} people are more than {MOST_PEOPLE}"])
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
    """Say what is wrong with a row; ``None``: nothing."""
    if len(row) != len(head):
        return f"{len(row)} cells stand below {len(head)} columns"
    if not cells["person"] or not cells["team"]:
        return "the person or the team is missing"
    if any(len(cell) > LONGEST or not cell.isprintable() for cell in cells.values()):
        return f"a cell is longer than {LONGEST} characters or holds signs that do not print"
    if cells["person"].lower() in found:
        return f"{cells['person']} stands there twice: a person is in one team"
    return _problem_of_date(cells.get("start_date"))


def _problem_of_date(start: str | None) -> str | None:
    try:
        date.fromisoformat(start or "2000-01-01")
    except ValueError:
        return f"{start!r} is no date: write it as 2026-01-31"
    return None
