"""How a selection becomes SQL conditions, and which rows of `tally` make up its days.

It runs no query but that of the teams; `query` uses the conditions.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    and_,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    type_coerce,
)

from ghapp.attribution.model import Struct
from ghapp.store.id_sets import among
from ghapp.store.schema import (
    ALWAYS,
    pull_agent,
    pull_lines,
    pull_summary,
    repository,
    team_counting,
    team_member,
)
from ghapp.store.summaries.accounts import AuthorAccounts, people
from ghapp.store.summaries.tally import FIRST_DAY, day_number
from ghapp.summaries.segments import SegmentKind, tenure_band
from ghapp.summaries.selection import EVERY_BASE, SMALLEST_GROUP, PullSelection, TimeGrain
from ghapp.summaries.teams import TeamSource

ONE_DAY = timedelta(days=1)
MANY = 50
"""From this number of repositories on, the index by time is faster."""
MICROSECONDS_A_DAY = 86_400_000_000
SOURCES = tuple(TeamSource)
"""Where teams come from; an account uses the first source that has any."""


class GrainSpan(Struct, frozen=True):
    """Rows of one grain whose first days lie from ``first`` to ``last``; ``None``: no limit."""

    grain: TimeGrain
    first: int | None
    last: int | None


def spans(selection: PullSelection, grain: TimeGrain) -> Iterator[GrainSpan]:
    """Split the selected days into whole periods of a grain and single days at the ends."""
    since, until = selection.since, selection.until
    first = since and (since if grain.start(since) == since else grain.next(grain.start(since)))
    # The period that contains the day after the last one is not complete.
    end = until and grain.start(until + ONE_DAY)
    if grain is TimeGrain.DAY or (first and end and first >= end):
        yield GrainSpan(TimeGrain.DAY, _number(since), _number(until))
        return
    if since and first and since < first:
        yield GrainSpan(TimeGrain.DAY, _number(since), _number(first - ONE_DAY))
    yield GrainSpan(grain, _number(first), _number(end and end - ONE_DAY))
    if until and end and end <= until:
        yield GrainSpan(TimeGrain.DAY, _number(end), _number(until))


def finest(selection: PullSelection) -> Iterator[GrainSpan]:
    """Split the selected days into the fewest periods: months, then weeks, then days."""
    for span in spans(selection, TimeGrain.MONTH):
        if span.grain is TimeGrain.DAY and span.first is not None and span.last is not None:
            edge = PullSelection((), since=to_day(span.first), until=to_day(span.last))
            yield from spans(edge, TimeGrain.WEEK)
        else:
            yield span


def by_month(selection: PullSelection) -> Iterator[tuple[date | None, GrainSpan]]:
    """Split the selected days into months, and the months at the ends into weeks and days.

    With each comes the first day of its month; ``None``: each of its periods is a month.
    """
    for span in spans(selection, TimeGrain.MONTH):
        if span.grain is TimeGrain.MONTH or span.first is None or span.last is None:
            yield None, span
            continue
        day, last = to_day(span.first), to_day(span.last)
        while day <= last:
            month = TimeGrain.MONTH.start(day)
            end = min(TimeGrain.MONTH.next(month) - ONE_DAY, last)
            edge = PullSelection((), since=day, until=end)
            yield from ((month, piece) for piece in spans(edge, TimeGrain.WEEK))
            day = end + ONE_DAY


def within(column: ColumnElement[int], span: GrainSpan) -> list[ColumnElement[bool]]:
    """Return the conditions that a day number is in a span."""
    found = []
    if span.first is not None:
        found.append(column >= span.first)
    if span.last is not None:
        found.append(column <= span.last)
    return found


def merged_within(table: Table, first: date | None, last: date | None) -> list[ColumnElement[bool]]:
    """Return the conditions that a pull request was merged on these days, inclusive."""
    found: list[ColumnElement[bool]] = []
    if first is not None:
        found.append(table.c.merged_at >= midnight(first))
    if last is not None:
        found.append(table.c.merged_at < midnight(last + ONE_DAY))
    return found


def one_of(column: ColumnElement[int], ids: tuple[int, ...]) -> ColumnElement[bool]:
    """Return the condition that a repository is one of these.

    ``+ 0`` keeps the database from using the index by repository for many of them: the index by
    time is faster then, and its rows are in the order of time already.
    https://sqlite.org/optoverview.html (section "Disqualifying WHERE Clause Terms")
    """
    return among(column if len(ids) < MANY else column + 0, ids)


def midnight(day: date) -> datetime:
    """Return the instant at which a day begins in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def to_day(number: int) -> date:
    """Return the day of a day number."""
    return FIRST_DAY + number * ONE_DAY


def day_of(instant: ColumnElement[datetime]) -> ColumnElement[int]:
    """Return the day number of an instant in the database."""
    # The database stores instants as whole microseconds since 1970 (`schema.InstantColumn`).
    return type_coerce(instant, BigInteger) // literal(MICROSECONDS_A_DAY, BigInteger)


def conditions(
    selection: PullSelection, teams: "TeamMembers", *, in_order: bool = True
) -> list[ColumnElement[bool]]:
    """Return the conditions of a selection on ``pull_summary``.

    ``in_order``: of time, as `one_of` says. Where all rows are summed, those of one repository lie
    side by side, and are read twice as fast.
    """
    choose = one_of if in_order else among
    ours = choose(pull_summary.c.repository_id, selection.repository_ids)
    found = [ours, *_but_for_base(selection, teams)]
    if selection.base is None:
        found.append(into_default())
    elif selection.base != EVERY_BASE:
        found.append(pull_summary.c.base_ref == selection.base)
    return found


def other_branches(selection: PullSelection, teams: "TeamMembers") -> list[ColumnElement[bool]]:
    """Return the conditions of what a selection leaves out because of its branch alone."""
    ours = one_of(pull_summary.c.repository_id, selection.repository_ids)
    return [ours, *_but_for_base(selection, teams), not_(into_default())]


def into_default() -> ColumnElement[bool]:
    """Return the condition that a merge went to the default branch, or that nobody knows."""
    columns = pull_summary.c
    unknown = columns.base_ref.is_(None), columns.default_branch.is_(None)
    return or_(*unknown, columns.base_ref == columns.default_branch)


def _but_for_base(selection: PullSelection, teams: "TeamMembers") -> list[ColumnElement[bool]]:
    columns = pull_summary.c
    found = [*merged_within(pull_summary, selection.since, selection.until)]
    if selection.author is not None:
        found.append(func.lower(columns.author) == selection.author.lower())
    if selection.team is not None:
        found.append(func.lower(columns.author).in_(teams.members(selection.team)))
    if selection.verdict is not None:
        found.append(columns.verdict == selection.verdict.value)
    if selection.state is not None:
        found.append(columns.state == selection.state.value)
    if selection.share_from is not None:
        found.append(columns.share >= selection.share_from)
    if selection.share_to is not None:
        found.append(columns.share <= selection.share_to)
    if selection.path is not None:
        found.append(_has(pull_lines, below(selection.path)))
    if selection.agent is not None:
        found.append(_has(pull_agent, pull_agent.c.agent == selection.agent))
    return found


def latest_days(selection: PullSelection, count: int, today: date) -> PullSelection:
    """Return the selection limited to its last ``count`` days."""
    first = (selection.until or today) - (count - 1) * ONE_DAY
    since = max(first, selection.since or first)
    return msgspec.structs.replace(selection, since=since)


def below(path: str) -> ColumnElement[bool]:
    """Return the condition that lines are in a directory or below it."""
    directory = path.strip("/") or "."
    beginning = f"{directory}/"
    # LIKE ignores the case of letters in SQLite; paths do not.
    return or_(
        pull_lines.c.directory == directory,
        func.substr(pull_lines.c.directory, 1, len(beginning)) == beginning,
    )


def child(directory: str, path: str | None) -> str:
    """Return the directory right below ``path`` that contains another directory.

    >>> child("src/web/pages", None), child("src/web/pages", "src"), child("src", "src")
    ('src', 'src/web', 'src')
    """
    top = (path or "").strip("/")
    if directory in {top, "."}:
        return directory
    rest = directory.removeprefix(f"{top}/") if top else directory
    first = rest.partition("/")[0]
    return f"{top}/{first}" if top else first


def _number(day: date | None) -> int | None:
    return None if day is None else day_number(day)


def same_pull(table: Table) -> ColumnElement[bool]:
    """Return the condition that a row is about the pull request of ``pull_summary``."""
    return and_(
        table.c.repository_id == pull_summary.c.repository_id,
        table.c.pull_request == pull_summary.c.pull_request,
    )


def _has(table: Table, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(same_pull(table), condition).correlate(pull_summary)


# --- teams ----------------------------------------------------------------------------------------


class TeamMembers:
    """Who is in which team; a person is in one team or in none."""

    def __init__(
        self, team_of: Mapping[str, str], count: Callable[[Iterable[str]], int] = people
    ) -> None:
        """``count`` says how many people some logins are."""
        self._team_of = team_of
        self._count = count
        self._sizes: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._team_of)

    def __iter__(self) -> Iterator[str]:
        """Yield the logins that have a team, in lower case."""
        return iter(self._team_of)

    def of(self, login: str | None) -> str | None:
        """Return a person's team; ``None``: no team."""
        return None if login is None else self._team_of.get(login.lower())

    def shown(self, login: str | None) -> str | None:
        """Return a person's team if it has enough members to be named."""
        team = self.of(login)
        if team is None:
            return None
        if not self._sizes:
            self._count(self._team_of)  # looks everybody up at once, and not team by team
        if team not in self._sizes:
            self._sizes[team] = self._count(self.members(team))
        return team if self._sizes[team] >= SMALLEST_GROUP else None

    def members(self, team: str) -> list[str]:
        """Return the logins of a team, in lower case."""
        return sorted(login for login, name in self._team_of.items() if name == team)


def teams_of(
    connection: Connection,
    repository_ids: Iterable[int],
    until: date | None,
    kind: SegmentKind = SegmentKind.TEAM,
) -> TeamMembers:
    """Return the teams, or other segments, of the accounts that own these repositories.

    Each account uses one source, and of each person the stretch that holds on that day. Where it
    counts people where they are now, the last one, if the first has begun and the last not ended.
    Only a table of people tells more than teams. Each login that an account of GitHub had is in
    the same one.
    """
    owners = select(func.lower(repository.c.owner)).where(among(repository.c.id, repository_ids))
    columns, then = team_member.c, team_counting.c
    column = columns.team if kind is SegmentKind.TENURE else columns[kind.value]
    query = (
        select(columns.account_lower, columns.source, columns.login_lower, column.label("told"))
        .add_columns(
            columns.since, columns.until, func.coalesce(then.of_then, false()).label("then")
        )
        .outerjoin(team_counting, then.account_lower == columns.account_lower)
        .where(columns.account_lower.in_(owners))
        .order_by(columns.since)
    )
    if kind is not SegmentKind.TEAM:
        query = query.where(columns.source == TeamSource.CSV.value)
    # By place: a thousand people's members by name cost as much as all the rest.
    rows: Sequence[Any] = connection.execute(query).all()
    end = day_number(until) if until is not None else day_number(date.max)
    found: dict[str, str] = {}
    for login, begun, told in _holding(rows, end):
        name = _tenure(begun, end) if kind is SegmentKind.TENURE else told
        if name is not None:
            found[login] = min(name, found.get(login, name))
    accounts = AuthorAccounts(connection)
    return TeamMembers(accounts.with_renamed(found), accounts.people)


def _holding(rows: Sequence[Any], end: int) -> Iterator[tuple[str, int, str | None]]:
    """Yield of each person and account the first day, and what holds on a day, by its number."""
    used: dict[str, str] = {}
    for account, source, *_ in rows:
        known = used.get(account)
        if known is None or SOURCES.index(source) < SOURCES.index(known):
            used[account] = source
    holding: dict[tuple[str, str], str | None] = {}
    begun: dict[tuple[str, str], int] = {}
    for account, source, login, told, since, last, then in rows:
        if source != used[account]:
            continue
        key = account, login
        if since <= end:
            begun.setdefault(key, since)
        has_begun = since <= end if then else key in begun
        if has_begun and (last is None or end <= last):
            holding[key] = told
        elif not then:
            holding.pop(key, None)  # the last stretch says where the person is now
    yield from ((key[1], begun[key], told) for key, told in holding.items())


def first_days(connection: Connection, repository_ids: Iterable[int]) -> dict[str, date]:
    """Return the first day of people by login, of those for whom a table of people tells it."""
    owners = select(func.lower(repository.c.owner)).where(among(repository.c.id, repository_ids))
    columns = team_member.c
    query = (
        select(columns.login_lower, func.min(columns.since))
        .where(columns.account_lower.in_(owners), columns.source == TeamSource.CSV.value)
        .group_by(columns.login_lower)
    )
    rows = connection.execute(query)
    return {login: to_day(since) for login, since in rows if since != ALWAYS}


def _tenure(since: int, end: int) -> str | None:
    """Return the band on a day, by its number; ``None``: no first day is known."""
    return None if since == ALWAYS else tenure_band(end - since).value


def counted(row: Any) -> tuple[int, ...]:
    """Return sums as integers: PostgreSQL returns decimals, and NULL if there is no row."""
    return tuple(int(value or 0) for value in row)
