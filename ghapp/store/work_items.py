"""What work is due and when: the record behind the queue. It runs nothing itself.

An item is one request for work (kind, repository, pull request). Requesting the same work again
while the item is open does not add another. A worker leases an item; when the lease expires,
another worker can lease it, so the work of a killed worker is not lost.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import clean, struct_of
from ghapp.store.schema import OPEN_STATES, InstantColumn, installation, work_item


class Lane(StrEnum):
    """Which workers do it, most urgent first."""

    LIVE = "live"
    RERUN = "rerun"
    REPLAY = "replay"


class WorkState(StrEnum):
    """State of an item. Done items are history; all others are open."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    DEAD_LETTER = "dead_letter"


class WorkEnd(StrEnum):
    """How an item ended: a closed list. An item that is put back has not ended."""

    DONE = "done"
    NOTHING_TO_DO = "nothing_to_do"
    REFUSED = "refused"
    GONE = "gone"
    PARTIAL = "partial"


BAD_ENDS = (WorkEnd.REFUSED, WorkEnd.GONE, WorkEnd.PARTIAL)
"""What an audit can do better once somebody gives the app access or a permission."""


class WorkKind(StrEnum):
    """The kinds that this version enqueues; the column accepts any word."""

    AUDIT = "audit"
    FINALIZE = "finalize"
    OUTCOMES = "outcomes"
    COMMAND = "command"
    SUITE = "suite"
    """Find the pull requests of a check suite that a person wants to run again."""
    CONFIRM = "confirm"
    """Ask GitHub about an installation or a repository that an event told of."""
    RECONCILE = "reconcile"
    SWEEP = "sweep"
    ROLL_CALL = "roll_call"
    WEEKLY_SUMMARY = "weekly_summary"
    REPLAY = "replay"
    """List the pull requests of a replay, or audit one of them again."""
    COMPLIANCE = "compliance"
    TEAMS = "teams"
    VENDOR_PULL = "vendor_pull"
    """Read what a vendor of an agent reports; what it is about is the vendor."""
    DEPLOYMENTS = "deployments"
    """Read which commits a repository's deployments brought."""


class EnqueueResult(StrEnum):
    """What happened to a request."""

    NEW = "new"
    DEDUPLICATED = "deduplicated"
    """The same work was waiting; it keeps the earlier time and the more urgent lane."""
    AGAIN = "again"
    """The same work is leased; it will be waiting again when it ends."""
    DEAD_LETTER = "dead_letter"
    """The same work is a dead letter, which a person has to retry; the new time is stored."""


AUDITING = (WorkKind.AUDIT.value, WorkKind.FINALIZE.value, "audit_again")
"""Kinds that audit a pull request."""
MERGED = "merged"
"""What a request is about if an event said that the pull request was merged."""


class WorkRequest(Struct, frozen=True):
    """A request to do a kind of work for a pull request, at a time or soon after."""

    kind: str
    due_at: datetime
    lane: Lane = Lane.LIVE
    installation_id: int | None = None
    """``None``: not known, or no single one; then no rate limit delays it."""
    repository_id: int | None = None
    """``None``: no single repository."""
    pull_request: int | None = None
    """``None``: no single pull request."""
    why: str | None = None
    about: str | None = None
    """What every try has to know: `MERGED`, the head of a check suite, or a vendor; ``None``:
    nothing."""

    @classmethod
    def for_pull(  # noqa: PLR0913 - the work, the pull request, and the time
        cls,
        kind: str,
        installation_id: int | None,
        repository_id: int | None,
        number: int | None,
        *,
        at: datetime,
        why: str,
        lane: Lane = Lane.RERUN,
        about: str | None = None,
    ) -> "WorkRequest":
        """Return a request for work on a pull request; ``number`` ``None``: its repository."""
        return cls(kind, at, lane, installation_id, repository_id, number, why, about)

    @property
    def name(self) -> str:
        """The request without its time, such as ``audit:42:17``; ``-`` stands for ``None``.

        Without a repository, the installation tells requests of one kind apart.
        """
        where = self.repository_id or f"i{self.installation_id or '-'}"
        return f"{self.kind}:{where}:{self.pull_request or self.about or '-'}"


class WorkItem(Struct, frozen=True):
    """A request as it is in the table."""

    id: int
    name: str
    kind: str
    lane: Lane
    state: WorkState
    due_at: datetime
    installation_id: int | None
    repository_id: int | None
    pull_request: int | None
    again_at: datetime | None
    """When it was requested again while leased or a dead letter; ``None``: it was not."""
    times_asked: int
    """How often it was requested while open."""
    attempts: int
    """How often it was leased for this request, this time included; `later` does not count."""
    taken: int
    """How often it was leased at all; tells one lease of this item from the next."""
    leased_by: str | None
    lease_until: datetime | None
    outcome: WorkEnd | None
    why: str | None
    created_at: datetime
    finished_at: datetime | None
    lost: int = 0
    """How often in a row its worker was lost."""
    about: str | None = None


class WorkBacklog(Struct, frozen=True):
    """Work of one installation and lane that is due and not leased."""

    installation_id: int | None
    lane: Lane
    waiting: int
    oldest: datetime
    """When the oldest item became due."""


class RecurringWork(Struct, frozen=True):
    """Work that recurs by itself: its open item, and how the one before ended."""

    kind: str
    installation_id: int | None
    open: WorkItem | None
    """``None``: the scheduler has not enqueued it again yet."""
    ended: WorkItem | None
    """``None``: none ended in the given time."""


class WorkTable:
    """The table of work items. Many processes may call its methods at the same time.

    A worker's methods (`extend`, `finish`, `later`, `failed`, `give_up`) take the item that
    `lease` returned. If its lease expired and another worker has the item, they do nothing and
    return ``False``; the worker must then leave the item alone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # Building these statements costs more than running them, so build them once.
        self._insert_many = _insert_statement(database)
        self._insert = self._insert_many.returning(work_item.c.state, work_item.c.times_asked)

    # --- enqueuing ----------------------------------------------------------------------------

    def enqueue(self, request: WorkRequest, *, now: datetime) -> EnqueueResult:
        """Enqueue work, once however often it is requested; durable on return."""
        with self._database.write() as connection:
            return self.enqueue_within(connection, request, now)

    def enqueue_all(
        self, requests: Sequence[WorkRequest], *, now: datetime
    ) -> tuple[EnqueueResult, ...]:
        """Enqueue several requests, all or none; return a result for each, in their order."""
        with self._database.write() as connection:
            return self.enqueue_all_within(connection, requests, now)

    def enqueue_within(
        self, connection: Connection, request: WorkRequest, now: datetime
    ) -> EnqueueResult:
        """Enqueue work in the caller's transaction."""
        state, times_asked = connection.execute(self._insert, _to_row(request, now)).one()
        if times_asked == 1:
            return EnqueueResult.NEW
        return {
            WorkState.WAITING: EnqueueResult.DEDUPLICATED,
            WorkState.LEASED: EnqueueResult.AGAIN,
            WorkState.DEAD_LETTER: EnqueueResult.DEAD_LETTER,
        }[WorkState(state)]

    def enqueue_all_within(
        self, connection: Connection, requests: Sequence[WorkRequest], now: datetime
    ) -> tuple[EnqueueResult, ...]:
        """Do what `enqueue_all` does, in the caller's transaction."""
        # Always in the order of names: two callers with the same requests cannot deadlock.
        in_order = sorted(range(len(requests)), key=lambda at: requests[at].name)
        results = {at: self.enqueue_within(connection, requests[at], now) for at in in_order}
        return tuple(results[at] for at in range(len(requests)))

    def enqueue_each_within(
        self, connection: Connection, requests: Iterable[tuple[WorkRequest, datetime]]
    ) -> None:
        """Enqueue requests, each with its time of request, in the caller's transaction."""
        rows = sorted((_to_row(request, now) for request, now in requests), key=itemgetter("name"))
        if rows:
            connection.execute(self._insert_many, rows)

    # --- working ------------------------------------------------------------------------------

    def lease(self, item_id: int, now: datetime, worker: str, lease: timedelta) -> WorkItem | None:
        """Lease an item; ``None``: it cannot be leased now.

        It can if it is waiting and due, its installation is not parked, and no other worker has
        leased an item of the same pull request.
        """
        given = {"now": now, "worker": clean(worker), "until": now + lease, "of_id": item_id}
        try:
            with self._database.write() as connection:
                connection.execute(_GIVE_BACK_EXPIRED, {"now": now})
                row = connection.execute(_LEASE, given).first()
        except IntegrityError:
            # Another worker leased the same pull request between our look and our claim.
            return None
        return None if row is None else struct_of(WorkItem, row)

    def extend(self, item: WorkItem, now: datetime, lease: timedelta) -> bool:
        """Extend the lease of an item until ``now + lease``."""
        return self._move(item, {"lease_until": now + lease})

    def finish(
        self, item: WorkItem, outcome: WorkEnd, why: str | None = None, *, now: datetime
    ) -> bool:
        """End an item; if it was requested again meanwhile, it is waiting again."""
        again = work_item.c.again_at.is_not(None)
        return self._move(
            item,
            {
                "state": case((again, "waiting"), else_="done"),
                "due_at": func.coalesce(work_item.c.again_at, work_item.c.due_at),
                "again_at": None,
                "attempts": case((again, 0), else_=work_item.c.attempts),
                "lost": 0,
                "outcome": case((again, None), else_=outcome.value),
                "why": clean(why),
                "finished_at": case((again, None), else_=literal(now, InstantColumn)),
                **_RELEASED,
            },
        )

    def later(self, item: WorkItem, at: datetime, why: str) -> bool:
        """Put an item back until ``at`` without counting an attempt.

        For rate limits, a parked installation, or a worker that shuts down.
        """
        return self._move(item, {**_put_back(at, why), "attempts": work_item.c.attempts - 1})

    def failed(self, item: WorkItem, at: datetime, why: str) -> bool:
        """Put an item back until ``at`` after a failed attempt."""
        return self._move(item, _put_back(at, why))

    def give_up(self, item: WorkItem, why: str) -> bool:
        """Make an item a dead letter, for a person to look at; only `retry` brings it back."""
        return self._move(item, {"state": "dead_letter", "why": clean(why), **_RELEASED})

    # --- operating ----------------------------------------------------------------------------

    def retry(self, item_id: int, *, now: datetime) -> bool:
        """Let a dead letter wait again as if it were new; ``False``: it is not a dead letter."""
        change = (
            update(work_item)
            .where(work_item.c.id == item_id, work_item.c.state == "dead_letter")
            .values(state="waiting", due_at=now, again_at=None, attempts=0, lost=0)
        )
        return self._database.execute(change) == 1

    def one(self, item_id: int) -> WorkItem | None:
        """Return an item as it is now; ``None``: it never existed, or expired."""
        row = self._database.first(select(work_item).where(work_item.c.id == item_id))
        return None if row is None else struct_of(WorkItem, row)

    def overdue(self, now: datetime, limit: int = 1000) -> tuple[WorkItem, ...]:
        """Return what could be leased now, longest due first: what the queue has to run.

        This includes items whose lease expired. At most ``limit`` items of each lane, so that
        thousands of audits of the past do not crowd out live work.
        """
        query = select(work_item).where(_LEASABLE).order_by(*_LONGEST_DUE_FIRST).limit(limit)
        query = query.params(now=now)
        return tuple(
            item
            for lane in Lane
            for item in self._items(query.where(work_item.c.lane == lane.value))
        )

    def ready(self, kind: str, repository_id: int, now: datetime) -> tuple[WorkItem, ...]:
        """Return what could be leased now of one kind and repository, longest due first."""
        query = select(work_item).where(
            work_item.c.kind == kind, work_item.c.repository_id == repository_id, _LEASABLE
        )
        query = query.order_by(*_LONGEST_DUE_FIRST).limit(100)
        return self._items(query.params(now=now))

    def dead_letters(self, limit: int = 1000) -> tuple[WorkItem, ...]:
        """Return the items that wait for a person, longest due first."""
        query = select(work_item).where(work_item.c.state == "dead_letter")
        return self._items(query.order_by(*_LONGEST_DUE_FIRST).limit(limit))

    def open(self, limit: int = 1000) -> tuple[WorkItem, ...]:
        """Return all open items, longest due first."""
        query = select(work_item).where(work_item.c.state != "done")
        return self._items(query.order_by(*_LONGEST_DUE_FIRST).limit(limit))

    def of(self, repository_id: int, pull_request: int) -> tuple[WorkItem, ...]:
        """Return all items of a pull request, oldest first, including done ones."""
        query = (
            select(work_item)
            .where(
                work_item.c.repository_id == repository_id, work_item.c.pull_request == pull_request
            )
            .order_by(work_item.c.id)
        )
        return self._items(query)

    def without_a_good_end(self, repository_id: int) -> tuple[WorkItem, ...]:
        """Return the last audit of each pull request that was refused, gone or partial.

        A pull request with an open audit is not among them.
        """
        other = work_item.alias("other")
        later = exists().where(
            other.c.repository_id == work_item.c.repository_id,
            other.c.pull_request == work_item.c.pull_request,
            other.c.kind.in_(AUDITING),
            or_(
                other.c.state != "done",
                other.c.finished_at > work_item.c.finished_at,
                and_(other.c.finished_at == work_item.c.finished_at, other.c.id > work_item.c.id),
            ),
            # The end of a window waits for its time, and stops nobody.
            or_(other.c.state == "done", other.c.kind != WorkKind.FINALIZE.value),
        )
        query = select(work_item).where(
            work_item.c.repository_id == repository_id,
            work_item.c.kind.in_(AUDITING),
            work_item.c.state == "done",
            work_item.c.outcome.in_([end.value for end in BAD_ENDS]),
            not_(later),
        )
        return self._items(query.order_by(work_item.c.id))

    def backlog(self, now: datetime) -> tuple[WorkBacklog, ...]:
        """Return how much is due and not leased, by installation and lane."""
        late = or_(and_(work_item.c.state == "waiting", work_item.c.due_at <= _NOW), _LEASE_OVER)
        query = (
            select(
                work_item.c.installation_id,
                work_item.c.lane,
                func.count(),
                func.min(work_item.c.due_at),
            )
            .where(late)
            .group_by(work_item.c.installation_id, work_item.c.lane)
            .order_by(func.min(work_item.c.due_at))
        )
        return tuple(
            WorkBacklog(installation_id=owner, lane=Lane(lane), waiting=count, oldest=oldest)
            for owner, lane, count, oldest in self._database.rows(query.params(now=now))
        )

    def ended(self, since: datetime) -> dict[tuple[str, WorkEnd], int]:
        """Return how many items ended since then, by kind and end."""
        query = (
            select(work_item.c.kind, work_item.c.outcome, func.count())
            .where(work_item.c.state == "done", work_item.c.finished_at >= since)
            .group_by(work_item.c.kind, work_item.c.outcome)
        )
        rows = self._database.rows(query)
        return {(kind, WorkEnd(outcome)): count for kind, outcome, count in rows}

    def recurring(self, kinds: Collection[str], since: datetime) -> tuple[RecurringWork, ...]:
        """Return recurring work of these kinds, by kind and installation.

        ``since``: items that ended before then are ignored.
        """
        of_kind = work_item.c.kind.in_(kinds)
        last = (
            select(func.max(work_item.c.id))
            .where(of_kind, work_item.c.state == "done", work_item.c.finished_at >= since)
            .group_by(work_item.c.name)
        )
        waiting = self._items(select(work_item).where(of_kind, work_item.c.state != "done"))
        over = self._items(select(work_item).where(work_item.c.id.in_(last)))
        open_, ended = ({one.name: one for one in items} for items in (waiting, over))
        newest = sorted((ended | open_).values(), key=lambda one: (one.kind, one.name))
        return tuple(
            RecurringWork(one.kind, one.installation_id, open_.get(one.name), ended.get(one.name))
            for one in newest
        )

    def expire(self, before: datetime) -> int:
        """Delete items that ended before that instant; return how many."""
        old = delete(work_item).where(work_item.c.state == "done", work_item.c.finished_at < before)
        return self._database.execute(old)

    # --- inside -------------------------------------------------------------------------------

    def _move(self, item: WorkItem, values: dict[str, Any]) -> bool:
        ours = and_(
            work_item.c.id == item.id,
            work_item.c.state == "leased",
            work_item.c.taken == item.taken,
        )
        return self._database.execute(update(work_item).where(ours).values(values)) == 1

    def _items(self, query: Select[Any]) -> tuple[WorkItem, ...]:
        return tuple(struct_of(WorkItem, row) for row in self._database.rows(query))


_RELEASED: dict[str, Any] = {"leased_by": None, "lease_until": None}


def _put_back(at: datetime, why: str) -> dict[str, Any]:
    # The next attempt also covers a request that arrived meanwhile.
    return {
        "state": "waiting",
        "due_at": at,
        "again_at": None,
        "lost": 0,
        "why": clean(why),
        **_RELEASED,
    }


def _urgency(lane: ColumnElement[str]) -> ColumnElement[int]:
    return case((lane == "live", 0), (lane == "rerun", 1), else_=2)


# --- statements -----------------------------------------------------------------------------------

_NOW = bindparam("now", type_=InstantColumn)
_LONGEST_DUE_FIRST = (work_item.c.due_at, work_item.c.id)


def _insert_statement(database: Database) -> "postgresql.Insert | sqlite.Insert":
    insert = database.insert(work_item)
    new = insert.excluded
    earlier = and_(work_item.c.state == "waiting", new.due_at < work_item.c.due_at)
    return insert.on_conflict_do_update(
        index_elements=["name"],
        index_where=text(OPEN_STATES),
        set_={
            "times_asked": work_item.c.times_asked + 1,
            "due_at": case((earlier, new.due_at), else_=work_item.c.due_at),
            "again_at": case(
                (work_item.c.state == "waiting", work_item.c.again_at),
                (work_item.c.again_at < new.due_at, work_item.c.again_at),
                else_=new.due_at,
            ),
            "lane": case(
                (_urgency(new.lane) < _urgency(work_item.c.lane), new.lane), else_=work_item.c.lane
            ),
            "installation_id": func.coalesce(new.installation_id, work_item.c.installation_id),
            "about": func.coalesce(new.about, work_item.c.about),
        },
    )


def _free() -> ColumnElement[bool]:
    """Return the condition that an item is due, and nothing blocks its pull request now."""
    other = work_item.alias("other")
    busy = exists().where(
        other.c.state == "leased",
        other.c.lease_until > _NOW,
        other.c.repository_id == work_item.c.repository_id,
        other.c.pull_request == work_item.c.pull_request,
    )
    parked = exists().where(
        installation.c.id == work_item.c.installation_id, installation.c.parked_until > _NOW
    )
    return and_(
        work_item.c.state == "waiting", work_item.c.due_at <= _NOW, not_(busy), not_(parked)
    )


_LEASE_OVER = and_(work_item.c.state == "leased", work_item.c.lease_until <= _NOW)
_LEASABLE = or_(_free(), _LEASE_OVER)

_GIVE_BACK_EXPIRED = (
    update(work_item)
    .where(
        work_item.c.id.in_(
            select(work_item.c.id)
            .where(_LEASE_OVER)
            .with_for_update(skip_locked=True)
            .correlate(None)
            .scalar_subquery()
        )
    )
    .values(
        state="waiting",
        again_at=None,
        lost=work_item.c.lost + 1,
        why="the worker was lost",
        **_RELEASED,
    )
)


# SQLAlchemy leaves the row lock out for SQLite, where we are the only writer.
# https://www.postgresql.org/docs/current/sql-select.html#SQL-FOR-UPDATE-SHARE
_LEASE = (
    update(work_item)
    .where(
        work_item.c.id
        == select(work_item.c.id)
        .where(work_item.c.id == bindparam("of_id"), _free())
        .with_for_update(skip_locked=True)
        .correlate(None)
        .scalar_subquery()
    )
    .values(
        state="leased",
        leased_by=bindparam("worker"),
        lease_until=bindparam("until", type_=InstantColumn),
        attempts=work_item.c.attempts + 1,
        taken=work_item.c.taken + 1,
    )
    .returning(work_item)
)


def _to_row(request: WorkRequest, now: datetime) -> dict[str, Any]:
    return {
        "name": request.name,
        "kind": request.kind,
        "installation_id": request.installation_id,
        "repository_id": request.repository_id,
        "pull_request": request.pull_request,
        "lane": request.lane.value,
        "state": "waiting",
        "due_at": request.due_at,
        "times_asked": 1,
        "attempts": 0,
        "taken": 0,
        "lost": 0,
        "about": clean(request.about),
        "why": clean(request.why),
        "created_at": now,
    }
