"""What keeps telemetry from counting twice. It decodes nothing.

One request is one transaction with the rows of its usage: a request that is answered is stored
whole, and one that is repeated changes nothing.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Insert,
    LargeBinary,
    Select,
    Table,
    bindparam,
    delete,
    exists,
    func,
    select,
)
from sqlalchemy.sql.dml import ReturningInsert

from ghapp.store.database import Database
from ghapp.store.installations import row_of_name
from ghapp.store.rows import chunks
from ghapp.store.schema import (
    InstantColumn,
    access_token,
    installation,
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


class SenderEndedError(Exception):
    """Raised if a token was revoked, or its installation suspended or removed."""


class SeriesPoint(NamedTuple):
    """The last point of a cumulative series. Times are nanoseconds since 1970."""

    start: int
    at: int
    value: int


class TelemetryTable:
    """The telemetry of all installations."""

    def __init__(self, database: Database, usage: UsageTable) -> None:
        self.database = database
        self.usage = usage
        self.contacts: dict[int, datetime] = {}
        """Days of first contact that are stored: they never change."""

    @contextmanager
    def taking(
        self, installation_id: int, digest: bytes, *, now: datetime, token_id: int | None = None
    ) -> "Iterator[TakenRequest | None]":
        """Open the transaction that stores a request; leaving it commits everything.

        ``None``: a request with this digest was stored before. Requests of one installation wait
        for each other. With the ingest token that the request shows it raises `SenderEndedError`.
        """
        with self.database.write() as connection:
            self.usage.lock(connection, installation_id)
            taken = TakenRequest(connection, self, installation_id, now)
            yield taken if taken.is_new(digest, token_id) else None

    def require_sender(self, installation_id: int, token_id: int) -> None:
        """Raise `SenderEndedError` if a token no longer sends for an installation."""
        with self.database.read() as connection:
            _require_sender(connection, installation_id, token_id)

    def expire(self, now: datetime, *, most_events: int = MOST_EVENTS) -> int:
        """Delete what tells repetitions no longer; return how many rows."""
        count = 0
        with self.database.write() as connection:
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
        table: TelemetryTable,
        installation_id: int,
        now: datetime,
    ) -> None:
        self._connection = connection
        self._database = table.database
        self._usage = table.usage
        self._contacts = table.contacts
        self._installation_id = installation_id
        self._now = now

    def is_new(self, digest: bytes, token_id: int | None) -> bool:
        """Store a request's digest; say whether it was not there. Raises `SenderEndedError`."""
        if token_id is None:
            return bool(self.seen(telemetry_request, [digest]))
        add = self._database.once("request of a sender", self._noting_request)
        values = {
            "installation": self._installation_id,
            "digest": digest,
            "now": self._now,
            "token": token_id,
        }
        if self._connection.execute(add, values).first() is not None:
            return True
        _require_sender(self._connection, self._installation_id, token_id)
        return False

    def _noting_request(self) -> ReturningInsert[Any]:
        """Return an INSERT that does nothing for a sender who ended: one statement for both."""
        names = ("installation_id", "digest", "seen_at")
        values = (
            bindparam("installation", type_=BigInteger),
            bindparam("digest", type_=LargeBinary),
            bindparam("now", type_=InstantColumn),
        )
        query = select(*values).where(exists(_sender()))
        add = self._database.insert(telemetry_request).from_select(names, query)
        return add.on_conflict_do_nothing().returning(telemetry_request.c.digest)

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
        known = self._contacts.get(self._installation_id)
        return self._stored_contact() if known is None else known

    def _stored_contact(self) -> datetime:
        columns = telemetry_contact.c
        query = select(columns.first_at).where(columns.installation_id == self._installation_id)
        found: datetime | None = self._connection.execute(query).scalar()
        if found is not None:
            self._contacts[self._installation_id] = found
            return found
        # Remembered from the next request on: this one may yet fail.
        first = datetime.combine(self._now.astimezone(UTC), time.min, UTC)
        row = {"installation_id": self._installation_id, "first_at": first}
        self._connection.execute(self._database.insert(telemetry_contact).values(row))
        return first

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

    def repository(self, full_name: str) -> int | None:
        """Return the number of the installation's repository of a name; ``None``: none has it."""
        row = row_of_name(self._connection, self._database, full_name)
        is_ours = row is not None and row.installation_id == self._installation_id
        return row.id if row is not None and is_ours else None

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


def _require_sender(connection: Connection, installation_id: int, token_id: int) -> None:
    found = connection.execute(_sender(), {"installation": installation_id, "token": token_id})
    if found.first() is None:
        raise SenderEndedError(
            f"access token {token_id} sends no telemetry of installation {installation_id}: "
            "the token was revoked, or the app is suspended or not installed there any more"
        )


def _sender() -> Select[Any]:
    """Return the query of a token that is not revoked, where the app may act."""
    token, where = access_token.c, installation.c
    is_there = where.id == bindparam("installation", type_=BigInteger)
    return (
        select(token.id)
        .join(installation, is_there)
        .where(
            token.id == bindparam("token", type_=BigInteger),
            token.revoked_at.is_(None),
            where.suspended_at.is_(None),
            where.removed_at.is_(None),
        )
    )
