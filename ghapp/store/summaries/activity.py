"""On which days which agent sessions edited a repository, and for whom. It outlives the evidence.

The transaction that stores edits also stores their days, so activity is known long after the
edits expire. Erasing a person deletes that person's activity as well.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select

from ghapp.store.database import Database
from ghapp.store.rows import chunks
from ghapp.store.schema import agent_day, edit_batch
from ghapp.store.summaries.conditions import ONE_DAY, day_of, midnight, to_day
from ghapp.store.summaries.tally import day_number

Day = tuple[int, int]
"""Repository and day number."""

MANY = 20_000
"""Edits whose days are stored at once."""


def note(connection: Connection, database: Database, rows: Iterable[Mapping[str, Any]]) -> None:
    """Store the days of edits, given as rows of ``edit_batch``."""
    days = {
        (
            row["repository_id"],
            day_number(row["at"].date()),
            row["agent"],
            row["agent_session"],
            (row["actor"] or "").lower(),
        )
        for row in rows
    }
    if days:
        names = [column.name for column in agent_day.primary_key]
        insert = database.insert(agent_day).on_conflict_do_nothing()
        connection.execute(insert, [dict(zip(names, day, strict=True)) for day in sorted(days)])


def days(connection: Connection, chosen: Iterable[ColumnElement[bool]]) -> set[Day]:
    """Return the days of the edits that meet these conditions."""
    at = day_of(edit_batch.c.at)
    query = select(edit_batch.c.repository_id, at).where(*chosen).distinct()
    return {(repository_id, day) for repository_id, day in connection.execute(query)}


def days_of_copies(
    connection: Connection, repository_id: int, copies: Collection[Mapping[str, Any]]
) -> set[Day]:
    """Return the days of copies of known edits, and of the edits as stored."""
    found = {(repository_id, day_number(copy["at"].date())) for copy in copies}
    columns = edit_batch.c
    for chunk in chunks(copy["edit_id"] for copy in copies):
        known = (columns.repository_id == repository_id, columns.edit_id.in_(chunk))
        found |= days(connection, known)
    return found


def note_again(connection: Connection, database: Database, touched: Iterable[Day]) -> None:
    """Store these days again from the edits as they are now: some were replaced or erased."""
    of_day, columns = agent_day.c, edit_batch.c
    for repository_id, day in sorted(touched):
        begin = midnight(to_day(day))
        connection.execute(
            delete(agent_day).where(of_day.repository_id == repository_id, of_day.day == day)
        )
        query = (
            select(columns.repository_id, columns.agent, columns.agent_session, columns.actor)
            .where(columns.repository_id == repository_id)
            .where(columns.at >= begin, columns.at < begin + ONE_DAY)
            .distinct()
        )
        found = connection.execute(query).mappings().all()
        note(connection, database, [{**row, "at": begin} for row in found])


def forget(connection: Connection, actor: str) -> None:
    """Delete a developer's activity; the login is in lower case."""
    connection.execute(delete(agent_day).where(agent_day.c.actor == actor))


def rebuild(database: Database, repository_id: int) -> None:
    """Store the days of all edits that still exist; older days stay as they are."""
    columns = edit_batch.c
    query = select(
        columns.repository_id, columns.at, columns.agent, columns.agent_session, columns.actor
    ).where(columns.repository_id == repository_id)
    with database.write() as connection:
        database.lock(connection, f"evidence:{repository_id}")
        for chunk in chunks(connection.execute(query).mappings(), MANY):
            note(connection, database, map(dict, chunk))
