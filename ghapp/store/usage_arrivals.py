"""What came of each source of usage by day, and what was refused and why: counts, no usage."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Insert, Table, delete, func, select

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import StructT, struct_of
from ghapp.store.schema import usage_arrival, usage_refusal
from ghapp.store.summaries.conditions import to_day
from ghapp.store.summaries.tally import day_number
from ghapp.usage.sources import UsageSource


class UsageArrival(Struct, frozen=True):
    """What came on one day of one agent, by one source."""

    source: UsageSource
    agent: str
    """Empty: requests of which nothing was kept."""
    day: date
    """On which it came, not that of the usage."""
    requests: int
    kept: int
    """Points, events, or rows of a report."""
    last_at: datetime


class UsageRefusal(Struct, frozen=True):
    """What was refused on one day for one reason."""

    source: UsageSource
    reason: str
    """A reason of a point or record, or ``request_413`` and so on of whole requests."""
    day: date
    count: int
    last_at: datetime


class ArrivalTable:
    """What came to all installations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def came(self, installation_id: int, since: date, until: date) -> tuple[UsageArrival, ...]:
        """Return what came on some days, both ends included, the latest day first."""
        return self._of_days(UsageArrival, usage_arrival, installation_id, since, until)

    def refused(self, installation_id: int, since: date, until: date) -> tuple[UsageRefusal, ...]:
        """Return what was refused on some days, both ends included, the latest day first."""
        return self._of_days(UsageRefusal, usage_refusal, installation_id, since, until)

    def last_kept(self, installation_id: int) -> dict[UsageSource, datetime]:
        """Return when anything of each source was last kept."""
        columns = usage_arrival.c
        query = (
            select(columns.source, func.max(columns.last_at).label("last_at"))
            .where(columns.installation_id == installation_id, columns.kept > 0)
            .group_by(columns.source)
        )
        return {UsageSource(row.source): row.last_at for row in self._database.rows(query)}

    def note_refused(
        self, installation_id: int, source: UsageSource, reason: str, *, now: datetime
    ) -> None:
        """Count a request that was refused whole."""
        with self._database.write() as connection:
            noting = ArrivalNotes(connection, self._database, installation_id, source, now)
            noting.refused({reason: 1})

    def expire(self, before: date) -> int:
        """Delete what came before a day; return how many rows."""
        with self._database.write() as connection:
            return sum(
                connection.execute(delete(table).where(table.c.day < day_number(before))).rowcount
                for table in (usage_arrival, usage_refusal)
            )

    def _of_days(
        self, kind: type[StructT], table: Table, installation_id: int, since: date, until: date
    ) -> tuple[StructT, ...]:
        columns = table.c
        query = (
            select(table)
            .where(
                columns.installation_id == installation_id,
                columns.day.between(day_number(since), day_number(until)),
            )
            .order_by(columns.day.desc(), *table.primary_key)
        )
        return tuple(
            struct_of(kind, row, source=UsageSource(row.source), day=to_day(row.day))
            for row in self._database.rows(query)
        )


class ArrivalNotes:
    """Notes what came, in the transaction that stores it."""

    def __init__(
        self,
        connection: Connection,
        database: Database,
        installation_id: int,
        source: UsageSource,
        now: datetime,
    ) -> None:
        self._connection = connection
        self._database = database
        self._head = {
            "installation_id": installation_id,
            "day": day_number(now.date()),
            "source": source.value,
            "last_at": now,
        }

    def came(self, kept: Mapping[str, int]) -> None:
        """Note one request: how many points, events or rows were kept by agent."""
        rows = [{"agent": agent, "requests": 1, "kept": count} for agent, count in kept.items()]
        self._count(usage_arrival, rows or [{"agent": "", "requests": 1, "kept": 0}])

    def refused(self, reasons: Mapping[str, int]) -> None:
        """Note what was refused, by reason."""
        rows = [{"reason": why, "count": count} for why, count in reasons.items() if count]
        self._count(usage_refusal, rows)

    def _count(self, table: Table, own: Sequence[dict[str, Any]]) -> None:
        rows = [self._head | one for one in own]
        self._database.insert_many(
            self._connection, ("came", table), lambda: self._counting(table), rows
        )

    def _counting(self, table: Table) -> Insert:
        insert = self._database.insert(table)
        counts = [one for one in table.c if one.name in {"requests", "kept", "count"}]
        return insert.on_conflict_do_update(
            index_elements=[column.name for column in table.primary_key],
            set_={
                **{one.name: one + insert.excluded[one.name] for one in counts},
                "last_at": insert.excluded.last_at,
            },
        )
