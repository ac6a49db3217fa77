"""What has to happen when: the truth behind the queue. It runs nothing itself.

An item is one wish (kind, repository, pull request). While it is open, the same wish again
falls together with it. A worker takes an item on a lease; a lease that ran out gives the
item back, so that what a killed worker held is done by another one.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
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
from sqlalchemy.sql.dml import ReturningUpdate

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import OPEN_STATES, InstantColumn, installation, work_item

TAKE_TRIES = 20
"""How often `WorkTable.take` looks again when other workers were quicker."""


class Lane(StrEnum):
    """Which worker does it; in this order of urgency."""

    LIVE = "live"
    RERUN = "rerun"
    REPLAY = "replay"


class WorkState(StrEnum):
    """Where an item is. Waiting, leased and parked items are open; a done one is history."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    DEAD_LETTER = "dead_letter"


class WorkEnd(StrEnum):
    """How an item ended (design: a closed list; "later" is `WorkTable.later`)."""

    DONE = "done"
    NOTHING_TO_DO = "nothing_to_do"
    REFUSED = "refused"
    GONE = "gone"
    PARTIAL = "partial"


class WorkKind(StrEnum):
    """The kinds that this version makes due; the column takes any word."""

    AUDIT = "audit"
    FINALIZE = "finalize"
    OUTCOMES = "outcomes"
    COMMAND = "command"
    RECONCILE = "reconcile"
    SWEEP = "sweep"
    ROLL_CALL = "roll_call"
    WEEKLY_SUMMARY = "weekly_summary"
    REPLAY = "replay"
    """List what a replay is of, or audit one pull request of it again."""
    COMPLIANCE = "compliance"
    TEAMS = "teams"


class EnqueueResult(StrEnum):
    """What a wish met."""

    NEW = "new"
    DEDUPLICATED = "coalesced"
    """The same wish was waiting; the earlier time and the more urgent lane hold."""
    AGAIN = "again"
    """The same wish is being worked on; it will be waiting again when that ends."""
    DEAD_LETTER = "dead_letter"
    """The same wish is parked; a person has to retry it, the new time is noted."""


class WorkRequest(Struct, frozen=True):
    """A wish: do this kind of thing for this pull request at this time, or soon after."""

    kind: str
    due_at: datetime
    lane: Lane = Lane.LIVE
    installation_id: int | None = None
    """``None``: not known or not of one installation; then no rate limit parks it."""
    repository_id: int | None = None
    """``None``: not about one repository."""
    pull_request: int | None = None
    """``None``: not about one pull request."""
    why: str | None = None

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
    ) -> "WorkRequest":
        """Return a request for work on a pull request; ``number`` ``None``: its repository."""
        return cls(kind, at, lane, installation_id, repository_id, number, why)

    @property
    def name(self) -> str:
        """The wish without its time, as ``audit:42:17``; ``-`` stands for what it has not.

        Where no repository is named, the installation tells wishes of one kind apart.
        """
        about = self.repository_id or f"i{self.installation_id or '-'}"
        return f"{self.kind}:{about}:{self.pull_request or '-'}"


class WorkItem(Struct, frozen=True):
    """A wish as it stands in the table."""

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
    """When the same wish came again while this one was leased or parked; ``None``: it did not."""
    times_asked: int
    """How often it was wished since it is open."""
    attempts: int
    """How often it was taken since it was wished, this time included; `later` does not count."""
    taken: int
    """How often it was taken at all; tells one lease of this item from the next."""
    leased_by: str | None
    lease_until: datetime | None
    outcome: WorkEnd | None
    why: str | None
    created_at: datetime
    finished_at: datetime | None


class WorkBacklog(Struct, frozen=True):
    """What is due and not being worked on, of one installation and lane."""

    installation_id: int | None
    lane: Lane
    waiting: int
    oldest: datetime
    """When the oldest of them became due."""


class RecurringWork(Struct, frozen=True):
    """A wish that comes round by itself: its open item and how the one before it ended."""

    kind: str
    installation_id: int | None
    open: WorkItem | None
    """``None``: the scheduler has not wished it again yet."""
    ended: WorkItem | None
    """``None``: none ended in the time that was asked for."""


class WorkTable:
    """The table of what is due. All of its methods are safe among many processes.

    A worker's methods (`extend`, `finish`, `later`, `failed`, `park`) take the item as `take`
    or `lease` returned it. They do nothing and return ``False`` where its lease ran out and
    somebody else has it: then the worker has to leave the item alone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # Building these costs more than running them, so it is done once.
        self._insert_many = _insert_statement(database)
        self._insert = self._insert_many.returning(work_item.c.state, work_item.c.times_asked)
        self._take = _lease_statement(work_item.c.lane == bindparam("of_lane"))
        self._lease_this = _lease_statement(work_item.c.id == bindparam("of_id"))

    # --- wishing ------------------------------------------------------------------------------

    def enqueue(self, request: WorkRequest, *, now: datetime) -> EnqueueResult:
        """Make something due, once however often it is wished; durable on return."""
        with self._database.write() as connection:
            return self.enqueue_within(connection, request, now)

    def enqueue_all(
        self, requests: Sequence[WorkRequest], *, now: datetime
    ) -> tuple[EnqueueResult, ...]:
        """Make several things due, all or none; what each met, in the order of the wishes."""
        with self._database.write() as connection:
            return self.enqueue_all_within(connection, requests, now)

    def enqueue_within(
        self, connection: Connection, request: WorkRequest, now: datetime
    ) -> EnqueueResult:
        """Make something due as part of the caller's transaction."""
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
        """Make several things due as part of the caller's transaction, as `schedule_all` does."""
        # By name, as everywhere: two that want the same ones never wait for each other in a ring.
        in_turn = sorted(range(len(requests)), key=lambda at: requests[at].name)
        met = {at: self.enqueue_within(connection, requests[at], now) for at in in_turn}
        return tuple(met[at] for at in range(len(requests)))

    def enqueue_each_within(
        self, connection: Connection, requests: Iterable[tuple[WorkRequest, datetime]]
    ) -> None:
        """Make many things due as part of the caller's transaction; what they met is not said."""
        rows = sorted((_to_row(request, now) for request, now in requests), key=itemgetter("name"))
        if rows:
            connection.execute(self._insert_many, rows)

    # --- working ------------------------------------------------------------------------------

    def take(self, lane: Lane, now: datetime, worker: str, lease: timedelta) -> WorkItem | None:
        """Lease the longest due item of a lane; ``None``: there is none to do now.

        Passed over are items of a parked installation, and items of a pull request that
        another worker has under lease.
        """
        return self._leased(self._take, {"of_lane": lane.value}, now, worker, lease)

    def lease(self, item_id: int, now: datetime, worker: str, lease: timedelta) -> WorkItem | None:
        """Lease this very item; ``None``: it is not due, not open, or not free now."""
        return self._leased(self._lease_this, {"of_id": item_id}, now, worker, lease)

    def extend(self, item: WorkItem, now: datetime, lease: timedelta) -> bool:
        """Hold a leased item longer: until ``now + lease``."""
        return self._move(item, {"lease_until": now + lease})

    def finish(
        self, item: WorkItem, outcome: WorkEnd, why: str | None = None, *, now: datetime
    ) -> bool:
        """End an item. Where the same wish came in the meantime, it is waiting again."""
        again = work_item.c.again_at.is_not(None)
        return self._move(
            item,
            {
                "state": case((again, "waiting"), else_="done"),
                "due_at": func.coalesce(work_item.c.again_at, work_item.c.due_at),
                "again_at": None,
                "attempts": case((again, 0), else_=work_item.c.attempts),
                "outcome": case((again, None), else_=outcome.value),
                "why": clean(why),
                "finished_at": case((again, None), else_=literal(now, InstantColumn)),
                **_RELEASED,
            },
        )

    def later(self, item: WorkItem, at: datetime, why: str) -> bool:
        """Put an item back for a time through no fault of its own; it does not count as a try.

        For rate limits, a parked installation, a queue that shuts down.
        """
        return self._move(item, {**_put_back(at, why), "attempts": work_item.c.attempts - 1})

    def failed(self, item: WorkItem, at: datetime, why: str) -> bool:
        """Put an item back for a time after a failure; it counts as a try."""
        return self._move(item, _put_back(at, why))

    def give_up(self, item: WorkItem, why: str) -> bool:
        """Set an item aside for a person to look at; only `retry` brings it back."""
        return self._move(item, {"state": "dead_letter", "why": clean(why), **_RELEASED})

    # --- operating ----------------------------------------------------------------------------

    def retry(self, item_id: int, *, now: datetime) -> bool:
        """Bring a parked item back as if it were new; ``False``: it is not parked."""
        change = (
            update(work_item)
            .where(work_item.c.id == item_id, work_item.c.state == "dead_letter")
            .values(state="waiting", due_at=now, again_at=None, attempts=0)
        )
        with self._database.write() as connection:
            return connection.execute(change).rowcount == 1

    def one(self, item_id: int) -> WorkItem | None:
        """Return an item as it stands; ``None``: there is none of this id (any more)."""
        with self._database.read() as connection:
            row = connection.execute(select(work_item).where(work_item.c.id == item_id)).first()
        return None if row is None else _from_row(row)

    def overdue(self, now: datetime, limit: int = 1000) -> tuple[WorkItem, ...]:
        """Return what could be taken now, longest due first: what the queue has to be told.

        Items whose lease ran out are among them. At most ``limit`` of each lane, so that
        thousands of audits of the past hide nothing that is live.
        """
        query = (
            select(work_item)
            .where(_TAKEABLE)
            .order_by(work_item.c.due_at, work_item.c.id)
            .limit(limit)
        )
        query = query.params(now=now)
        return tuple(
            item
            for lane in Lane
            for item in self._items(query.where(work_item.c.lane == lane.value))
        )

    def ready(self, kind: str, repository_id: int, now: datetime) -> tuple[WorkItem, ...]:
        """Return what could be taken now of one kind and repository, longest due first."""
        query = select(work_item).where(
            work_item.c.kind == kind, work_item.c.repository_id == repository_id, _TAKEABLE
        )
        query = query.order_by(work_item.c.due_at, work_item.c.id).limit(100)
        return self._items(query.params(now=now))

    def dead_letters(self, limit: int = 1000) -> tuple[WorkItem, ...]:
        """Return what waits for a person, longest due first."""
        query = (
            select(work_item)
            .where(work_item.c.state == "dead_letter")
            .order_by(work_item.c.due_at, work_item.c.id)
        )
        return self._items(query.limit(limit))

    def open(self, limit: int = 1000) -> tuple[WorkItem, ...]:
        """Return everything that is not over, waiting, leased or parked, longest due first."""
        query = (
            select(work_item)
            .where(work_item.c.state != "done")
            .order_by(work_item.c.due_at, work_item.c.id)
        )
        return self._items(query.limit(limit))

    def of(self, repository_id: int, pull_request: int) -> tuple[WorkItem, ...]:
        """Return all items of a pull request, oldest first, done ones included."""
        query = (
            select(work_item)
            .where(
                work_item.c.repository_id == repository_id, work_item.c.pull_request == pull_request
            )
            .order_by(work_item.c.id)
        )
        return self._items(query)

    def backlog(self, now: datetime) -> tuple[WorkBacklog, ...]:
        """Return how much is due and not leased, by installation and lane, parked ones out."""
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
        with self._database.read() as connection:
            rows = connection.execute(query, {"now": now}).all()
        return tuple(
            WorkBacklog(installation_id=owner, lane=Lane(lane), waiting=count, oldest=oldest)
            for owner, lane, count, oldest in rows
        )

    def ended(self, since: datetime) -> dict[tuple[str, WorkEnd], int]:
        """Return how many items ended since then, by kind and outcome."""
        query = (
            select(work_item.c.kind, work_item.c.outcome, func.count())
            .where(work_item.c.state == "done", work_item.c.finished_at >= since)
            .group_by(work_item.c.kind, work_item.c.outcome)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {(kind, WorkEnd(outcome)): count for kind, outcome, count in rows}

    def recurring(self, kinds: Collection[str], since: datetime) -> tuple[RecurringWork, ...]:
        """Return what comes round of these kinds, by kind and installation.

        ``since``: items that ended before then are not looked at.
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
        with self._database.write() as connection:
            return connection.execute(old).rowcount

    # --- inside -------------------------------------------------------------------------------

    def _leased(
        self,
        statement: ReturningUpdate[Any],
        wanted: dict[str, Any],
        now: datetime,
        worker: str,
        lease: timedelta,
    ) -> WorkItem | None:
        given = {"now": now, "worker": clean(worker), "until": now + lease, **wanted}
        for _ in range(TAKE_TRIES):
            try:
                with self._database.write() as connection:
                    connection.execute(_GIVE_BACK_EXPIRED, {"now": now})
                    row = connection.execute(statement, given).first()
                    return None if row is None else _from_row(row)
            except IntegrityError:
                # Another worker leased the same pull request between our look and our claim.
                continue
        return None

    def _move(self, item: WorkItem, values: dict[str, Any]) -> bool:
        ours = and_(
            work_item.c.id == item.id,
            work_item.c.state == "leased",
            work_item.c.taken == item.taken,
        )
        with self._database.write() as connection:
            return connection.execute(update(work_item).where(ours).values(values)).rowcount == 1

    def _items(self, query: Select[Any]) -> tuple[WorkItem, ...]:
        with self._database.read() as connection:
            return tuple(_from_row(row) for row in connection.execute(query))


_RELEASED: dict[str, Any] = {"leased_by": None, "lease_until": None}


def _put_back(at: datetime, why: str) -> dict[str, Any]:
    # A wish that came in the meantime is covered by the coming try.
    return {"state": "waiting", "due_at": at, "again_at": None, "why": clean(why), **_RELEASED}


def _urgency(lane: ColumnElement[str]) -> ColumnElement[int]:
    return case((lane == "live", 0), (lane == "rerun", 1), else_=2)


# --- statements -----------------------------------------------------------------------------------

_NOW = bindparam("now", type_=InstantColumn)


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
        },
    )


def _free() -> ColumnElement[bool]:
    """Say of a row that neither its pull request nor its installation is barred now."""
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
_TAKEABLE = or_(_free(), _LEASE_OVER)

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
    .values(state="waiting", again_at=None, why="the worker was lost", **_RELEASED)
)


def _lease_statement(wanted: ColumnElement[bool]) -> ReturningUpdate[Any]:
    # SQLite knows no row locks and leaves the clause out: there we are the only writer.
    chosen = (
        select(work_item.c.id)
        .where(wanted, _free())
        .order_by(work_item.c.due_at, work_item.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (
        update(work_item)
        .where(work_item.c.id == chosen.correlate(None).scalar_subquery())
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
        "why": clean(request.why),
        "created_at": now,
    }


def _from_row(row: Row[Any]) -> WorkItem:
    return WorkItem(
        id=row.id,
        name=row.name,
        kind=row.kind,
        lane=Lane(row.lane),
        state=WorkState(row.state),
        due_at=row.due_at,
        installation_id=row.installation_id,
        repository_id=row.repository_id,
        pull_request=row.pull_request,
        again_at=row.again_at,
        times_asked=row.times_asked,
        attempts=row.attempts,
        taken=row.taken,
        leased_by=row.leased_by,
        lease_until=row.lease_until,
        outcome=None if row.outcome is None else WorkEnd(row.outcome),
        why=row.why,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
