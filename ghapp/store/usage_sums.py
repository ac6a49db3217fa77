"""Which source of usage counts for a person's day with an agent, and the sums of what counts.

A change only notes which days are stale; `settle` sums them again, all at once. Questions read
the sums, never the rows that sources sent.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    tuple_,
    union,
    union_all,
    update,
)

from ghapp.store.database import Database
from ghapp.store.pricing import DayPrices, PriceBook
from ghapp.store.schema import (
    agent_session_day,
    agent_session_sum,
    agent_session_total,
    cost_stale,
    cost_sum,
    decision_sum,
    decision_total,
    source_day,
    source_total,
    token_cost,
    token_sum,
    token_total,
    usage_decisions,
    usage_place,
    usage_stale,
    usage_tokens,
)
from ghapp.store.stale_days import KEY, STALE, is_of_day, is_taken, joined, note_taken, take
from ghapp.store.usage_costs import (
    PullKey,
    allocate,
    day_costs,
    days_of,
    matched_pulls,
    price_days,
    take_pulls,
)
from ghapp.summaries.selection import TimeGrain
from ghapp.usage.answers import TOKEN_KINDS
from ghapp.usage.days import NO_TOOL, UNNAMED_SESSION
from ghapp.usage.decisions import DecidedBy, EditDecision

SPENT = tuple(kind for kind in TOKEN_KINDS if kind != "reasoning")
"""Kinds of tokens that add up: reasoning is in the output already."""
SENT = (usage_tokens, usage_decisions)
"""Tables of what sources sent."""
TOTALS = (
    (token_total, token_sum),
    (decision_total, decision_sum),
    (agent_session_total, agent_session_sum),
)
"""Tables of sums over all repositories, and those whose days they add up."""
SUMS = (
    *(token_sum, decision_sum, agent_session_sum, cost_sum, source_total),
    *(total for total, _ in TOTALS),
)
"""Tables of what counts of it, by day, week and month."""
DAYS = (agent_session_day, source_day, token_cost)
AT_ONCE = 2_000
"""Stale days that one transaction settles."""
WEEK, LONGEST = 7, 31
"""Days of a week, and of the longest month."""

DECIDERS = {"people": DecidedBy.PERSON.value, "automatic": DecidedBy.AUTOMATIC.value, "unknown": ""}
"""Beginning of a column of ``decision_sum`` → who decided."""


def settle(database: Database, book: PriceBook) -> int:
    """Sum everything that is stale again; return how many days of people that were."""
    count = 0
    while is_stale(database):
        count += settle_some(database, AT_ONCE, book)
    return count


def settle_some(database: Database, most: int, book: PriceBook) -> int:
    """Sum up to so many stale days again, in one transaction; return how many there were.

    The costs of stale pull requests are split again with them, some at a time. Where nothing is
    stale nobody's writing waits.
    """
    if not is_stale(database):
        return 0
    with database.write() as connection:
        lock_sums(connection, database)
        pulls = take_pulls(connection)
        taken = take(connection, most)
        _Settling(connection, database, DayPrices(connection, database, book)).settle(pulls)
    return taken


def is_stale(database: Database) -> bool:
    """Say whether anything is to be summed again."""
    any_of = select(literal(1)).where(or_(exists(select(STALE.day)), exists(select(cost_stale))))
    return database.value(any_of) is not None


def lock_sums(connection: Connection, database: Database) -> None:
    """Hold back `settle` until the transaction ends: it would sum again what is being deleted."""
    database.lock(connection, "usage_stale")


class _Settling:
    """The days that are taken, settled in one transaction."""

    def __init__(self, connection: Connection, database: Database, pricing: DayPrices) -> None:
        self._connection = connection
        self._database = database
        self._pricing = pricing

    def settle(self, pulls: set[PullKey]) -> None:
        """Choose the source of each day, then sum what counts; ``pulls`` are stale."""
        note_taken(self._connection, self._database, days_of(self._connection, pulls))
        self._take_days_of_same_agent_sessions()
        self._choose()
        for table in SUMS:
            self._delete_days(table)
        self._sum_costs(pulls)
        self._sum_tokens()
        self._sum_decisions()
        self._sum_agent_sessions()
        self._sum_sources()
        for total, placed in TOTALS:
            self._sum_places(total, placed)
        for table in SUMS:
            for grain in (TimeGrain.WEEK, TimeGrain.MONTH):
                self._sum_periods(table, grain)
        self._connection.execute(delete(usage_stale).where(STALE.is_taken))

    # --- which days -------------------------------------------------------------------------------

    def _take_days_of_same_agent_sessions(self) -> None:
        """Take the other days of agent sessions, too: one on several days is counted apart."""
        columns = agent_session_day.c
        whole = (columns.person, columns.agent, columns.agent_session)
        before = select(columns.installation_id, *whole).where(
            is_taken(agent_session_day, columns.day), columns.agent_session != UNNAMED_SESSION
        )
        now = (
            select(
                *(STALE.installation_id, STALE.person, STALE.agent),
                sent.c.agent_session,
            )
            .select_from(joined(sent))
            .where(STALE.is_taken, sent.c.agent_session != UNNAMED_SESSION)
            for sent in SENT
        )
        same = union(before, *now).subquery()
        is_same = and_(
            columns.installation_id == same.c.installation_id,
            columns.person == same.c.person,
            columns.agent == same.c.agent,
            columns.agent_session == same.c.agent_session,
        )
        days = (
            select(columns.installation_id, columns.day, columns.person, columns.agent)
            .join(same, is_same)
            .distinct()
        )
        found = self._connection.execute(days)
        same_days = ((row[0], row[1], row[2], row[3]) for row in found)
        note_taken(self._connection, self._database, same_days)

    def _choose(self) -> None:
        """Let the first source count that has any row of a day."""
        mine = update(usage_stale).where(STALE.is_taken)
        self._connection.execute(mine.values(source=_first_source(usage_tokens)))
        first = _first_source(usage_decisions)
        earlier = or_(STALE.source.is_(None), first < STALE.source)
        self._connection.execute(mine.where(earlier).values(source=first))

    # --- sums of days -----------------------------------------------------------------------------

    def _delete_days(self, table: Table) -> None:
        is_day = table.c.grain == TimeGrain.DAY.value
        self._connection.execute(delete(table).where(is_day, is_taken(table, table.c.start)))

    def _sum_tokens(self) -> None:
        columns = usage_tokens.c
        amounts = [func.sum(columns[name]).label(name) for name in ("answers", *TOKEN_KINDS)]
        self._sum_days(token_sum, usage_tokens, columns.model, amounts)

    def _sum_costs(self, stale: set[PullKey]) -> None:
        """Price what counts, and split it over the pull requests that it concerns."""
        concerned = stale | matched_pulls(self._connection)
        price_days(self._connection, self._database, self._pricing)
        self._insert(cost_sum, day_costs(), grain=TimeGrain.DAY)
        concerned |= matched_pulls(self._connection)
        allocate(self._connection, self._database, self._pricing, concerned)

    def _sum_decisions(self) -> None:
        columns = usage_decisions.c
        accepted, refused = (
            columns.decision == one.value for one in (EditDecision.ACCEPTED, EditDecision.REFUSED)
        )
        failed = columns.decision == EditDecision.FAILED.value
        is_of_an_edit = columns.tool != NO_TOOL
        amounts = [
            *(
                _edits(is_so, columns.decided_by == by).label(f"{name}_{word}")
                for name, by in DECIDERS.items()
                for word, is_so in (("accepted", accepted), ("refused", refused))
            ),
            _edits(failed).label("failed"),
            func.sum(case((and_(is_of_an_edit, or_(accepted, refused)), columns.lines))).label(
                "lines_suggested"
            ),
            func.sum(case((accepted, columns.lines))).label("lines_accepted"),
        ]
        self._sum_days(decision_sum, usage_decisions, columns.language, amounts)

    def _sum_days(
        self, table: Table, sent: Table, name: ColumnElement[str], amounts: Sequence[Any]
    ) -> None:
        key = (*KEY, sent.c.repository_id, name)
        query = (
            select(literal(TimeGrain.DAY.value).label("grain"), *key, *amounts)
            .select_from(joined(sent))
            .where(STALE.is_taken, sent.c.source == STALE.source)
            .group_by(*key)
        )
        self._insert(table, query)

    def _sum_agent_sessions(self) -> None:
        columns = agent_session_day.c
        mine = is_taken(agent_session_day, columns.day)
        self._connection.execute(delete(agent_session_day).where(mine))
        found = union(
            *(
                select(
                    *KEY,
                    sent.c.repository_id,
                    sent.c.agent_session,
                    literal(False).label("is_single"),  # noqa: FBT003 - a value
                )
                .select_from(joined(sent))
                .where(STALE.is_taken, sent.c.source == STALE.source)
                for sent in SENT
            )
        ).subquery()
        self._insert(agent_session_day, select(found), day=True)
        other = agent_session_day.alias()
        of_same = select(func.count()).where(
            *(
                other.c[name] == columns[name]
                for name in ("installation_id", "person", "agent", "agent_session")
            )
        )
        is_unnamed = columns.agent_session == UNNAMED_SESSION
        is_alone = of_same.correlate(agent_session_day).scalar_subquery() == 1
        single = or_(is_unnamed, is_alone)
        self._connection.execute(update(agent_session_day).where(mine).values(is_single=single))
        key = (
            columns.installation_id,
            columns.day.label("start"),
            *(columns.person, columns.agent, columns.repository_id),
        )
        # The row of one that is unnamed says that somebody was active, not how often.
        counts = and_(columns.is_single, not_(is_unnamed))
        singles = func.sum(case((counts, 1), else_=0)).label("singles")
        day = literal(TimeGrain.DAY.value).label("grain")
        self._insert(agent_session_sum, select(day, *key, singles).where(mine).group_by(*key))

    def _sum_sources(self) -> None:
        """Sum what each source said, whether it counts or not."""
        mine = is_taken(source_day, source_day.c.day)
        self._connection.execute(delete(source_day).where(mine))
        spent = sum((usage_tokens.c[kind] for kind in SPENT), literal(0))
        said = union_all(
            *(
                select(
                    *KEY,
                    *(sent.c.repository_id, sent.c.source),
                    (sent.c.source == STALE.source).label("counts"),
                    (spent if sent is usage_tokens else literal(0)).label("tokens"),
                    sent.c.read_at,
                )
                .select_from(joined(sent))
                .where(STALE.is_taken)
                for sent in SENT
            )
        ).subquery()
        key = [column for column in said.c if column.name not in {"tokens", "read_at"}]
        sums = func.sum(said.c.tokens).label("tokens"), func.max(said.c.read_at).label("read_at")
        self._insert(source_day, select(*key, *sums).group_by(*key), day=True)
        self._note_places()
        columns = source_day.c
        day = literal(TimeGrain.DAY.value).label("grain")
        of = (columns.installation_id, columns.day, columns.person, columns.agent, columns.source)
        amounts = (
            literal(1).label("days"),
            func.sum(columns.tokens).label("tokens"),
            func.max(columns.read_at).label("read_at"),
        )
        # All rows of a source's day count, or none: a day is in one row, in however many places.
        of_day = select(day, *of, columns.counts, *amounts).where(mine)
        self._insert(source_total, of_day.group_by(*of, columns.counts))

    def _note_places(self) -> None:
        """Remember where there ever was usage; a place without any left is no harm."""
        columns = source_day.c
        places = (
            select(columns.installation_id, columns.repository_id)
            .where(is_taken(source_day, columns.day))
            .distinct()
        )
        add = self._database.insert(usage_place).from_select(list(usage_place.c.keys()), places)
        self._connection.execute(add.on_conflict_do_nothing())

    def _sum_places(self, total: Table, placed: Table) -> None:
        """Sum days over all repositories."""
        columns = placed.c
        is_day = columns.grain == TimeGrain.DAY.value
        key = [columns[one.name] for one in total.primary_key]
        sums = [func.sum(columns[name]).label(name) for name in _amounts(total)]
        days = select(*key, *sums).where(is_day, is_taken(placed, columns.start))
        self._insert(total, days.group_by(*key))

    # --- weeks and months -------------------------------------------------------------------------

    def _sum_periods(self, table: Table, grain: TimeGrain) -> None:
        """Sum the days of every week or month that has a day that was taken."""
        is_week = grain is TimeGrain.WEEK
        start = STALE.week if is_week else STALE.month
        end = STALE.week + WEEK if is_week else STALE.next_month
        key = (STALE.installation_id, start.label("start"), STALE.person, STALE.agent)
        periods = select(*key).where(STALE.is_taken)
        columns = table.c
        period = periods.add_columns(end.label("end")).distinct().subquery()
        names = ("installation_id", "start", "person", "agent")
        whole = tuple_(*(columns[name] for name in names))
        self._connection.execute(
            delete(table).where(columns.grain == grain.value, whole.in_(periods))
        )
        # Day by day, each found by the key: for a range SQLite reads everybody's days.
        days = _numbers(WEEK if is_week else LONGEST)
        day = period.c.start + days.c.number
        of_period = and_(
            columns.installation_id == period.c.installation_id,
            columns.grain == TimeGrain.DAY.value,
            columns.start == day,
            columns.person == period.c.person,
            columns.agent == period.c.agent,
        )
        own = [column for column in table.primary_key if column.name not in {"grain", "start"}]
        sums = [
            (func.max if name == "read_at" else func.sum)(columns[name]).label(name)
            for name in _amounts(table)
        ]
        query = (
            select(*(literal(grain.value).label("grain"), period.c.start, *own), *sums)
            .select_from(period)
            .join(days, day < period.c.end)
            .join(table, of_period)
            .group_by(period.c.start, *own)
        )
        self._insert(table, query)

    def _insert(
        self,
        table: Table,
        query: Select[Any],
        *,
        day: bool = False,
        grain: TimeGrain | None = None,
    ) -> None:
        if grain is not None:
            query = query.add_columns(literal(grain.value).label("grain"))
        names = list(query.selected_columns.keys())
        if not day:
            names = ["start" if name == "day" else name for name in names]
        self._connection.execute(insert(table).from_select(names, query))


def _amounts(table: Table) -> list[str]:
    """Return the names of the columns that add up."""
    return [column.name for column in table.c if column.name not in table.primary_key]


def _numbers(count: int) -> CTE:
    """Return the numbers from 0 on, so many."""
    first = select(literal(0).label("number")).cte("numbers", recursive=True)
    return first.union_all(select(first.c.number + 1).where(first.c.number < count - 1))


def _first_source(sent: Table) -> ColumnElement[int]:
    """Return the first source that sent anything of a stale day."""
    query = select(func.min(sent.c.source)).where(is_of_day(sent))
    return query.correlate(usage_stale).scalar_subquery()


def _edits(*asked: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((and_(*asked), usage_decisions.c.edits), else_=0))
