"""Accepted webhooks: kept before they are acknowledged, and what became of each."""

import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, literal, select, update

from ghapp.attribution.model import Struct
from ghapp.store.database import Database, StoreError
from ghapp.store.group_commit import GroupCommit
from ghapp.store.rows import chunks, clean
from ghapp.store.schema import delivery
from ghapp.store.work_items import WorkRequest, WorkTable


class DeliveryEnd(StrEnum):
    """What became of a delivery; a delivery without one is accepted and not yet dealt with."""

    IGNORED = "ignored"
    SCHEDULED = "scheduled"
    DONE = "done"
    NOTHING_TO_DO = "nothing_to_do"
    LATER = "later"
    REFUSED = "refused"
    GONE = "gone"
    PARTIAL = "partial"


class Delivery(Struct, frozen=True):
    """One webhook delivery whose signature was right."""

    guid: str
    """``X-GitHub-Delivery``; the same for GitHub's own repeats of it."""
    event: str
    received_at: datetime
    action: str | None = None
    """``None``: this event has no actions."""
    installation_id: int | None = None
    repository_id: int | None = None
    pull_request: int | None = None
    body: bytes | None = None
    """The raw body; ``None``: the identifiers above are all that is needed of it."""
    outcome: DeliveryEnd | None = None
    """``None``: not dealt with yet; an ignored event is settled as it is accepted."""
    detail: str | None = None
    settled_at: datetime | None = None
    attempts: int = 1
    """How often it arrived."""


class DeliveryTable:
    """The inbox. A delivery's GUID is its key: what was accepted once is never accepted again."""

    def __init__(self, database: Database, work: WorkTable) -> None:
        self._database = database
        self._work = work
        # Built once: building them costs more than running them.
        insert = database.insert(delivery)
        self._new = insert.on_conflict_do_nothing(index_elements=["guid"]).returning(
            delivery.c.guid
        )
        self._again = (
            update(delivery)
            .where(delivery.c.guid == bindparam("repeated"))
            .values(attempts=delivery.c.attempts + 1)
        )
        self._together = GroupCommit(self._keep_all, for_all=StoreError)

    def accept(self, accepted: Delivery, due: WorkRequest | None = None) -> bool:
        """Keep a delivery and what it makes due, both or neither; durable on return.

        Returns ``False`` where this GUID was accepted before: then only its count of arrivals
        changes and nothing is made due. Raises `DatabaseUnavailable`: nothing was kept.
        Threads that call it at the same time share a transaction.
        """
        return self._together((accepted, due))

    def _keep_all(self, arrivals: Sequence[tuple[Delivery, WorkRequest | None]]) -> list[bool]:
        first = {accepted.guid: place for place, (accepted, _) in reversed([*enumerate(arrivals)])}
        # In one order everywhere, or two processes could wait for each other.
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
                    (due, accepted.received_at)
                    for (accepted, due), fresh in zip(arrivals, is_new, strict=True)
                    if fresh and due is not None
                ],
            )
        return is_new

    def settle(
        self, guid: str, outcome: DeliveryEnd, detail: str | None = None, *, now: datetime
    ) -> bool:
        """Note what became of a delivery; ``False``: no such GUID was accepted."""
        change = (
            update(delivery)
            .where(delivery.c.guid == guid)
            .values(outcome=outcome.value, detail=clean(detail), settled_at=now)
        )
        with self._database.write() as connection:
            return connection.execute(change).rowcount == 1

    def one(self, guid: str) -> Delivery | None:
        """Return a delivery with its body; ``None``: not accepted, or its time was over."""
        with self._database.read() as connection:
            row = connection.execute(select(delivery).where(delivery.c.guid == guid)).first()
        return None if row is None else _from_row(row)

    def known(self, guids: Iterable[str]) -> frozenset[str]:
        """Return those of the GUIDs that were accepted; for the sweep of GitHub's own list."""
        found: set[str] = set()
        with self._database.read() as connection:
            for chunk in chunks(guids):
                query = select(delivery.c.guid).where(delivery.c.guid.in_(chunk))
                found.update(connection.execute(query).scalars())
        return frozenset(found)

    def recent(self, limit: int = 100) -> tuple[Delivery, ...]:
        """Return the latest deliveries, newest first, without their bodies."""
        columns = [literal(None).label("body") if one.name == "body" else one for one in delivery.c]
        query = select(*columns).order_by(delivery.c.received_at.desc(), delivery.c.guid)
        with self._database.read() as connection:
            rows = connection.execute(query.limit(limit)).all()
        return tuple(_from_row(row) for row in rows)

    def counts(self, since: datetime) -> dict[tuple[str, DeliveryEnd | None], int]:
        """Return how many deliveries were accepted since then, by event and outcome."""
        query = (
            select(delivery.c.event, delivery.c.outcome, func.count())
            .where(delivery.c.received_at >= since)
            .group_by(delivery.c.event, delivery.c.outcome)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {
            (event, DeliveryEnd(outcome) if outcome else None): count
            for event, outcome, count in rows
        }

    def unsettled(self, before: datetime, limit: int = 1000) -> tuple[Delivery, ...]:
        """Return deliveries received before that instant and not settled, oldest first."""
        query = (
            select(delivery)
            .where(delivery.c.outcome.is_(None), delivery.c.received_at < before)
            .order_by(delivery.c.received_at, delivery.c.guid)
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple(_from_row(row) for row in connection.execute(query))

    def expire(self, before: datetime) -> int:
        """Delete settled deliveries received before that instant; return how many.

        GitHub repeats a delivery for 3 days at most; keep them longer than that.
        """
        old = delete(delivery).where(
            delivery.c.outcome.is_not(None), delivery.c.received_at < before
        )
        with self._database.write() as connection:
            return connection.execute(old).rowcount


def _to_row(accepted: Delivery) -> dict[str, Any]:
    return {
        "guid": clean(accepted.guid),
        "event": clean(accepted.event),
        "action": clean(accepted.action),
        "installation_id": accepted.installation_id,
        "repository_id": accepted.repository_id,
        "pull_request": accepted.pull_request,
        "received_at": accepted.received_at,
        "body": None if accepted.body is None else zlib.compress(accepted.body, 1),
        "outcome": None if accepted.outcome is None else accepted.outcome.value,
        "detail": clean(accepted.detail),
        "settled_at": accepted.settled_at,
        "attempts": 1,
    }


def _from_row(row: Row[Any]) -> Delivery:
    body, outcome = row.body, row.outcome
    return Delivery(
        guid=row.guid,
        event=row.event,
        action=row.action,
        installation_id=row.installation_id,
        repository_id=row.repository_id,
        pull_request=row.pull_request,
        received_at=row.received_at,
        body=None if body is None else zlib.decompress(body),
        outcome=None if outcome is None else DeliveryEnd(outcome),
        detail=row.detail,
        settled_at=row.settled_at,
        attempts=row.attempts,
    )
