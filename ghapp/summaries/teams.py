"""Who is in which team, read from a CSV table, and what a new table changes. It stores nothing.

docs/people.md says what a table holds, docs/metrics.md, Teams, how summaries use it.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum

import msgspec

from ghapp.attribution.model import Struct
from ghapp.summaries.tables import read_table

MOST_PEOPLE = 100_000
ONE_DAY = timedelta(days=1)
COLUMNS = (
    *("person", "email", "team", "role", "location", "cost_center"),
    *("start_date", "end_date", "manager"),
)
"""``manager`` is in tables of personnel departments; nothing is told by it, so it is not kept."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class TeamSource(StrEnum):
    """Where teams come from. Each account uses the first source that has any data."""

    CSV = "csv"
    GITHUB = "github"
    CODEOWNERS = "codeowners"


class TeamMember(Struct, frozen=True):
    """One person in one team, for some days."""

    login: str
    team: str
    role: str | None = None
    since: date | None = None
    """First day on which the person counts for the team; ``None``: always."""
    cost_center: str | None = None
    """Who pays for what the person's agents cost; ``None``: not told."""
    location: str | None = None
    until: date | None = None
    """Last day; ``None``: until now."""

    @property
    def facts(self) -> tuple[str | None, ...]:
        """What ends a stretch where it changes."""
        return self.team, self.role, self.location, self.cost_center


Stretches = tuple[TeamMember, ...]
"""What is known of one person, the oldest first; no day is in two of them."""


class PeopleTable(Struct, frozen=True):
    """A table as it was read: each person once."""

    members: tuple[TeamMember, ...]
    emails: dict[str, str]
    """E-mail address in lower case → login."""


class PersonChange(Struct, frozen=True):
    """What a table changes of one person."""

    login: str
    before: Stretches
    after: Stretches

    @property
    def what(self) -> str:
        """``joins``, ``leaves``, ``moves`` or ``is corrected``."""
        if not self.before:
            return "joins"
        if len(self.after) > len(self.before):
            return "moves" if self.before[-1].facts != self.after[-1].facts else "joins"
        is_left = not self.after or (self.after[-1].until and not self.before[-1].until)
        return "leaves" if is_left else "is corrected"


def one_team_each(teams: Mapping[str, Collection[str]], least: int) -> tuple[TeamMember, ...]:
    """Put each person into one of their teams: the smallest with at least ``least`` people.

    The smallest team says most about a person, and a subteam is smaller than its parent.

    >>> found = one_team_each({"all": ["ann", "bob", "cid"], "web": ["ann", "bob"]}, 2)
    >>> [(one.login, one.team) for one in found]
    [('ann', 'web'), ('bob', 'web'), ('cid', 'all')]
    """
    found: dict[str, TeamMember] = {}
    for team in sorted(teams, key=lambda name: (len(teams[name]) < least, len(teams[name]), name)):
        for login in teams[team]:
            found.setdefault(login.lower(), TeamMember(login, team))
    return tuple(found.values())


def read_team_file(text: str) -> PeopleTable:
    r"""Read a CSV with the columns ``person``, ``team`` and those of `COLUMNS` that are optional.

    Each person has one row. Raises `TableError`, which names every problem.

    >>> read_team_file("Person,Team,Start date\nann,core,2026-01-31\n").members[0].since
    datetime.date(2026, 1, 31)
    """
    seen: set[str] = set()
    rows = read_table(
        text, COLUMNS, ("person", "team"), lambda cells: _problem(cells, seen), most=MOST_PEOPLE
    )
    members = tuple(
        TeamMember(
            login=cells["person"],
            team=cells["team"],
            role=cells.get("role") or None,
            since=_day(cells.get("start_date")),
            cost_center=cells.get("cost_center") or None,
            location=cells.get("location") or None,
            until=_day(cells.get("end_date")),
        )
        for cells in rows
    )
    emails = {one["email"].lower(): one["person"] for one in rows if one.get("email")}
    return PeopleTable(members, emails)


def _problem(cells: dict[str, str], seen: set[str]) -> str | None:
    """Return what is wrong with a row; ``None``: nothing. ``seen``: people and addresses so far."""
    person, email = cells["person"].lower(), cells.get("email", "").lower()
    if not person or not cells["team"]:
        return "the person or the team is missing"
    if person in seen:
        return f"{cells['person']} is listed twice: a person is in one team"
    if email and not _EMAIL.fullmatch(email):
        return f"{cells['email']!r} is no e-mail address"
    if email in seen:
        return f"{cells['email']} is listed twice: an address is one person's"
    if cells.get("cost_center", "").startswith("("):
        return "a cost center begins with a bracket, which is left to (none) and (others)"
    seen.update(filter(None, (person, email)))
    return _problem_of_dates(cells.get("start_date"), cells.get("end_date"))


def _problem_of_dates(start: str | None, end: str | None) -> str | None:
    for text in filter(None, (start, end)):
        try:
            date.fromisoformat(text)
        except ValueError:
            return f"{text!r} is not a date: write it as 2026-01-31"
    if start and end and date.fromisoformat(end) < date.fromisoformat(start):
        return f"the end date {end} is before the start date {start}"
    return None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


# --- what a new table changes ---------------------------------------------------------------------


def changed(
    known: Mapping[str, Stretches], members: Iterable[TeamMember], day: date
) -> Iterator[PersonChange]:
    """Yield what a table that holds as of a day changes, people by login.

    ``known``: what is known of people, by login in lower case. Who is not in the table has left,
    the day before at the latest. A table of nobody forgets everybody.
    """
    rows = {one.login.lower(): one for one in members}
    for login in sorted({*known, *rows}):
        before, row = known.get(login, ()), rows.get(login)
        if row is not None:
            after = followed(before, row, day)
        else:
            after = ended(before, day - ONE_DAY) if rows else ()
        if after != before:
            yield PersonChange((row or before[-1]).login, before, after)


def followed(known: Stretches, row: TeamMember, day: date) -> Stretches:
    """Return a person's stretches after a row that holds as of a day.

    The same facts correct the last stretch, unless the person was away. Others end it and begin
    one: on the start date where that is news, else on the day. What the row ends before that, ends.
    """
    if not known:
        return (row,)
    *earlier, last = known
    begun = last.since or date.min
    if (row.until or date.max) < begun or (begun > day and row.facts != last.facts):
        return followed(tuple(earlier), row, day)  # it never was, or is planned no more
    start = row.since or date.min
    is_news = start > min(last.since or last.until or date.min, day)
    begins = start if is_news else day
    is_over = row.until is not None and row.until < begins
    was_away = last.until not in {None, row.until} and last.until < begins - ONE_DAY
    if row.facts == last.facts and (is_over or not was_away):
        return _corrected(earlier, last, row)
    if row.until is not None and is_over:
        return ended(known, row.until) or (row,)
    left = ended(known, begins - ONE_DAY)
    if left and left[-1].facts == row.facts and left[-1].until == begins - ONE_DAY:
        return _corrected(left[:-1], left[-1], row)
    return _corrected(left, _of_days(row, begins if left else None, row.until), row)


def _corrected(earlier: Sequence[TeamMember], last: TeamMember, row: TeamMember) -> Stretches:
    """Return the stretches with the last one's days as the row tells them."""
    is_free = not earlier or (row.since or date.min) > (earlier[-1].until or date.max)
    since = row.since if row.since and is_free else last.since
    return (*earlier, _of_days(row, since, row.until))


def ended(known: Stretches, last: date) -> Stretches:
    """Return a person's stretches without the days after the last one."""
    begun = [one for one in known if one.since is None or one.since <= last]
    return tuple(_of_days(one, one.since, min(one.until or last, last)) for one in begun)


def _of_days(one: TeamMember, since: date | None, until: date | None) -> TeamMember:
    return msgspec.structs.replace(one, since=since, until=until)
