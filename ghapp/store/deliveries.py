"""Accepted webhook deliveries, stored before they are acknowledged, and how each ended."""

import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, delete, func, select, update

from ghapp.attribution.model import Struct
from ghapp.store.database import Database, StoreError
from ghapp.store.group_commit import GroupCommit
from ghapp.store.rows import chunks, clean, struct_of
from ghapp.store.schema import delivery
from ghapp.store.work_items import WorkRequest, WorkTable


class DeliveryEnd(StrEnum):
    """How a delivery ended; one without an end is accepted but not yet handled."""

    IGNORED = "ignored"
    SCHEDULED = "scheduled"
    DONE = "done"
    NOTHING_TO_DO = "nothing_to_do"
    LATER = "later"
    REFUSED = "refused"
    GONE = "gone"
    PARTIAL = "partial"


class Delivery(Struct, frozen=True):
    """One webhook delivery with a valid signature."""

    guid: str
    """``X-GitHub-Delivery``; GitHub's redeliveries have the same one:
    https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers."""
    event: str
    received_at: datetime
    action: str | None = None
    """``None``: the event has no actions."""
    installation_id: int | None = None
    repository_id: int | None = None
    pull_request: int | None = None
    body: bytes | None = None
    """The raw body; ``None``: the identifiers above are enough."""
    outcome: DeliveryEnd | None = None
    """``None``: not handled yet. An ignored event is settled when it is accepted."""
    detail: str | None = None
    settled_at: datetime | None = None
    attempts: int = 1
    """How often it arrived."""


class DeliveryTable:
    """The inbox. Its key is the GUID, so each delivery is accepted once."""

    def __init__(self, database: Database, work: WorkTable) -> None:
        self._database = database
        self._work = work
        # Building these statements costs more than running them, so build them once.
        insert = database.insert(delivery)
        self._new = insert.on_conflict_do_nothing(index_elements=["guid"]).returning(
            delivery.c.guid
        )
        self._again = (
            update(delivery)
            .where(delivery.c.guid == bindparam("repeated"))
            .values(attempts=delivery.c.attempts + 1)
        )
        self._group = GroupCommit(self._keep_all, for_all=StoreError)

    def accept(self, accepted: Delivery, work: WorkRequest | None = None) -> bool:
        """Store a delivery and enqueue its work, both or neither; durable on return.

        ``False``: the GUID was accepted before, so only its number of attempts changes.
        Raises `DatabaseUnavailable`: nothing was stored. Concurrent threads share a transaction.
        """
        return self._group((accepted, work))

    def _keep_all(self, arrivals: Sequence[tuple[Delivery, WorkRequest | None]]) -> list[bool]:
        first = {accepted.guid: place for place, (accepted, _) in reversed([*enumerate(arrivals)])}
        # Always in one order: otherwise two processes could deadlock.
        rows = [_to_row(arrivals[first[guid]][0]) for guid in sorted(first)]
        with self._database.write() as connection:
            new = set(connection.execute(self._new, rows).scalars())
            is_new = [
                accepted.guid in new and first[accepted.guid] == place
                for place, (accepted, _) in enumerate(arrivals)
            ]
            repeated = sorted(
                accepted.guid
                for (accepted, _), fresh in zip(arrivals, is_new, strict=True)
                if not fresh
            )
            if repeated:
                connection.execute(self._again, [{"repeated": guid} for guid in repeated])
            self._work.enqueue_each_within(
                connection,
                [
                    (work, accepted.received_at)
                    for (accepted, work), fresh in zip(arrivals, is_new, strict=True)
                    if fresh and work is not None
                ],
            )
        return is_new

    def settle(
        self, guid: str, outcome: DeliveryEnd, detail: str | None = None, *, now: datetime
    ) -> bool:
        """Store how a delivery ended; ``False``: no such GUID was accepted."""
        change = (
            update(delivery)
            .where(delivery.c.guid == guid)
            .values(outcome=outcome.value, detail=clean(detail), settled_at=now)
        )
        return self._database.execute(change) == 1

    def one(self, guid: str) -> Delivery | None:
        """Return a delivery with its body; ``None``: never accepted, or expired."""
        row = self._database.first(select(delivery).where(delivery.c.guid == guid))
        return None if row is None else _from_row(row)

    def known(self, guids: Iterable[str]) -> frozenset[str]:
        """Return the GUIDs among these that were accepted, for the sweep of GitHub's list."""
        found: set[str] = set()
        with self._database.read() as connection:
            for chunk in chunks(guids):
                query = select(delivery.c.guid).where(delivery.c.guid.in_(chunk))
                found.update(connection.execute(query).scalars())
        return frozenset(found)

    def counts(self, since: datetime) -> dict[tuple[str, DeliveryEnd | None], int]:
        """Return the number of deliveries accepted since then, by event and end."""
        query = (
            select(delivery.c.event, delivery.c.outcome, func.count())
            .where(delivery.c.received_at >= since)
            .group_by(delivery.c.event, delivery.c.outcome)
        )
        return {
            (event, DeliveryEnd(outcome) if outcome else None): count
            for event, outcome, count in self._database.rows(query)
        }

    def unsettled(self, before: datetime, limit: int = 1000) -> tuple[Delivery, ...]:
        """Return unsettled deliveries received before that instant, oldest first."""
        query = (
            select(delivery)
            .where(delivery.c.outcome.is_(None), delivery.c.received_at < before)
            .order_by(delivery.c.received_at, delivery.c.guid)
            .limit(limit)
        )
        return tuple(_from_row(row) for row in self._database.rows(query))

    def expire(self, before: datetime) -> int:
        """Delete settled deliveries received before that instant; return how many.

        GitHub offers a delivery for redelivery for 3 days; keep them longer than that:
        https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks.
        """
        old = delete(delivery).where(
            delivery.c.outcome.is_not(None), delivery.c.received_at < before
        )
        return self._database.execute(old)


def _to_row(accepted: Delivery) -> dict[str, Any]:
    return msgspec.structs.asdict(accepted) | {
        "guid": clean(accepted.guid),
        "event": clean(accepted.event),
        "action": clean(accepted.action),
        "body": None if accepted.body is None else zlib.compress(accepted.body, 1),
        "outcome": None if accepted.outcome is None else accepted.outcome.value,
        "detail": clean(accepted.detail),
        "attempts": 1,
    }


def _from_row(row: Row[Any]) -> Delivery:
    body = None if row.body is None else zlib.decompress(row.body)
    return struct_of(Delivery, row, body=body)
