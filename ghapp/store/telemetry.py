"""What keeps telemetry from counting twice. It decodes nothing.

One request is one transaction with the rows of its usage: a request that is answered is stored
whole, and one that is repeated changes nothing.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Insert, Table, bindparam, delete, func, select
from sqlalchemy.sql.dml import ReturningInsert

from ghapp.store.database import Database
from ghapp.store.rows import chunks
from ghapp.store.schema import (
    telemetry_contact,
    telemetry_event,
    telemetry_request,
    telemetry_series,
)
from ghapp.store.usage import UsageTable
from ghapp.store.usage_arrivals import ArrivalNotes
from ghapp.store.usage_rows import AddedUsage
from ghapp.usage.sources import UsageSource

REQUESTS_KEPT = timedelta(days=3)
"""How long an identical request is known. Senders give up after minutes."""
EVENTS_KEPT = timedelta(days=3)
"""How long an event's own identity is known."""
MOST_EVENTS = 2_000_000
"""Events of an installation that are known at most, the latest."""
SERIES_KEPT = timedelta(days=30)
"""How long the last point of a cumulative series is known. A series that began earlier than this
and is not known is counted from its next point on, so that forgetting one never counts twice."""


class SeriesPoint(NamedTuple):
    """The last point of a cumulative series. Times are nanoseconds since 1970."""

    start: int
    at: int
    value: int


class TelemetryTable:
    """The telemetry of all installations."""

    def __init__(self, database: Database, usage: UsageTable) -> None:
        self._database = database
        self._usage = usage

    @contextmanager
    def taking(
        self, installation_id: int, digest: bytes, *, now: datetime
    ) -> "Iterator[TakenRequest | None]":
        """Open the transaction that stores a request; leaving it commits everything.

        ``None``: a request with this digest was stored before. Requests of one installation wait
        for each other.
        """
        with self._database.write() as connection:
            self._usage.lock(connection, installation_id)
            taken = TakenRequest(connection, self._database, self._usage, installation_id, now)
            yield taken if taken.seen(telemetry_request, [digest]) else None

    def expire(self, now: datetime, *, most_events: int = MOST_EVENTS) -> int:
        """Delete what tells repetitions no longer; return how many rows."""
        count = 0
        with self._database.write() as connection:
            for table, kept in (
                (telemetry_request, REQUESTS_KEPT),
                (telemetry_event, EVENTS_KEPT),
                (telemetry_series, SERIES_KEPT),
            ):
                old = delete(table).where(table.c.seen_at < now - kept)
                count += connection.execute(old).rowcount
            count += _leave_latest(connection, most_events)
        return count


class TakenRequest:
    """A request that is being stored, in a transaction of its own."""

    def __init__(
        self,
        connection: Connection,
        database: Database,
        usage: UsageTable,
        installation_id: int,
        now: datetime,
    ) -> None:
        self._connection = connection
        self._database = database
        self._usage = usage
        self._installation_id = installation_id
        self._now = now

    def seen(self, table: Table, digests: Iterable[bytes]) -> set[bytes]:
        """Store digests; return those that were not there."""
        new: set[bytes] = set()
        for chunk in chunks(dict.fromkeys(digests), 200):
            rows = [
                {
                    "installation_id": self._installation_id,
                    "digest": digest,
                    "seen_at": self._now,
                }
                for digest in chunk
            ]
            add = self._database.once(("seen", table), lambda: self._noting(table))
            new |= {bytes(row.digest) for row in self._connection.execute(add, rows)}
        return new

    def _noting(self, table: Table) -> ReturningInsert[Any]:
        add = self._database.insert(table).on_conflict_do_nothing()
        return add.returning(table.c.digest)

    def new_events(self, keys: Iterable[str]) -> set[str]:
        """Store the identities of events; return those that were not known."""
        digests = {
            hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=16).digest(): key
            for key in keys
        }
        return {digests[one] for one in self.seen(telemetry_event, digests)}

    def first_contact(self) -> datetime:
        """Return the beginning of the UTC day on which the installation's first telemetry came.

        What a series counted earlier that day belongs to that day, and nobody counted it before.
        """
        columns = telemetry_contact.c
        mine = columns.installation_id == bindparam("installation")
        query = self._database.once("contact", lambda: select(columns.first_at).where(mine))
        found: datetime | None = self._connection.execute(
            query, {"installation": self._installation_id}
        ).scalar()
        if found is None:
            found = datetime.combine(self._now.astimezone(UTC), time.min, UTC)
            row = {"installation_id": self._installation_id, "first_at": found}
            self._connection.execute(self._database.insert(telemetry_contact).values(row))
        return found

    def states(self, owner: int, series: Iterable[bytes]) -> dict[bytes, SeriesPoint]:
        """Return the last points of the series of a token's owner that are known."""
        columns = telemetry_series.c
        found = {}
        for chunk in chunks(series):
            query = select(columns.series, columns.start_ns, columns.at_ns, columns.value).where(
                columns.installation_id == self._installation_id,
                columns.owner == owner,
                columns.series.in_(chunk),
            )
            for row in self._connection.execute(query):
                found[bytes(row.series)] = SeriesPoint(row.start_ns, row.at_ns, row.value)
        return found

    def keep_states(self, owner: int, states: Mapping[bytes, SeriesPoint]) -> None:
        """Store the last points of series."""
        if not states:
            return
        rows = [
            {
                "installation_id": self._installation_id,
                "owner": owner,
                "series": series,
                "start_ns": one.start,
                "at_ns": one.at,
                "value": one.value,
                "seen_at": self._now,
            }
            for series, one in states.items()
        ]
        self._connection.execute(self._database.once("last points", self._keeping), rows)

    def _keeping(self) -> Insert:
        insert = self._database.insert(telemetry_series)
        names = ("start_ns", "at_ns", "value", "seen_at")
        return insert.on_conflict_do_update(
            index_elements=["installation_id", "owner", "series"],
            set_={name: insert.excluded[name] for name in names},
        )

    def add(self, sent: Iterable[AddedUsage]) -> None:
        """Add what the request tells of usage."""
        self._usage.add(self._connection, sent, now=self._now)

    def note(
        self, source: UsageSource, kept: Mapping[str, int], refused: Mapping[str, int]
    ) -> None:
        """Note what came: points or events that were kept by agent, refused ones by reason."""
        place = self._connection, self._database, self._installation_id
        notes = ArrivalNotes(*place, source, self._now)
        notes.came(kept)
        notes.refused(refused)


def _leave_latest(connection: Connection, most: int) -> int:
    """Delete the events of each installation that are not among its latest."""
    columns, count = telemetry_event.c, 0
    query = select(columns.installation_id).group_by(columns.installation_id)
    for (number,) in connection.execute(query.having(func.count() > most)).all():
        mine = columns.installation_id == number
        times = select(columns.seen_at).where(mine).order_by(columns.seen_at.desc())
        edge = connection.execute(times.offset(most).limit(1)).scalar()
        old = delete(telemetry_event).where(mine, columns.seen_at <= edge)
        count += connection.execute(old).rowcount
    return count
