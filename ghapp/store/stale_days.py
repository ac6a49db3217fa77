"""Days of people whose sums are no longer true: noted by changes, taken by `usage_sums`.

It sums nothing. The days that are taken are those that one transaction settles.
"""

from collections.abc import Iterable

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Insert,
    Table,
    and_,
    select,
    tuple_,
    update,
)

from ghapp.store.database import Database
from ghapp.store.schema import usage_stale
from ghapp.store.summaries.conditions import to_day
from ghapp.store.summaries.tally import day_number
from ghapp.summaries.selection import TimeGrain

StaleDay = tuple[int, int, str]
"""Day number, person and agent."""
PlacedDay = tuple[int, int, int, str]
"""Installation and a `StaleDay`."""

STALE = usage_stale.c
KEY = (STALE.installation_id, STALE.day, STALE.person, STALE.agent)
"""What a row of another table has in common with its stale day."""


def note_stale(
    connection: Connection, database: Database, installation_id: int, days: Iterable[StaleDay]
) -> None:
    """Note that the sums of some days are no longer true."""
    keys = {(installation_id, *day) for day in days}
    _note(connection, database, keys, is_taken=False)


def note_taken(connection: Connection, database: Database, days: Iterable[PlacedDay]) -> None:
    """Take some days, stale or not."""
    _note(connection, database, set(days), is_taken=True)


def take(connection: Connection, most: int) -> int:
    """Take up to so many stale days; return how many."""
    key = tuple_(*usage_stale.primary_key)
    some = select(*usage_stale.primary_key).order_by(*usage_stale.primary_key).limit(most)
    change = update(usage_stale).where(key.in_(some)).values(is_taken=True)
    return connection.execute(change).rowcount


def is_taken(table: Table, day: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that a row is of a day that is taken."""
    columns = table.c
    whole = tuple_(columns.installation_id, day, columns.person, columns.agent)
    return whole.in_(select(*KEY).where(STALE.is_taken))


def is_of_day(sent: Table) -> ColumnElement[bool]:
    """Return the condition that a row that a source sent is of a stale day."""
    return and_(*(sent.c[column.name] == column for column in KEY))


def joined(sent: Table) -> FromClause:
    """Return the rows that sources sent of the stale days."""
    return usage_stale.join(sent, is_of_day(sent))


def _note(
    connection: Connection, database: Database, keys: Iterable[PlacedDay], *, is_taken: bool
) -> None:
    rows = [
        {
            "installation_id": installation_id,
            "day": day,
            "person": person,
            "agent": agent,
            "week": day_number(TimeGrain.WEEK.start(to_day(day))),
            "month": day_number(month := TimeGrain.MONTH.start(to_day(day))),
            "next_month": day_number(TimeGrain.MONTH.next(month)),
            "is_taken": is_taken,
        }
        for installation_id, day, person, agent in sorted(keys)
    ]
    database.insert_many(connection, "stale", lambda: _noting(database), rows)


def _noting(database: Database) -> Insert:
    add = database.insert(usage_stale)
    return add.on_conflict_do_update(
        index_elements=[column.name for column in usage_stale.primary_key],
        set_={"is_taken": add.excluded.is_taken},
    )
