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
from ghapp.store.schema import OPEN_STATES, Instant, due, installation

TAKE_TRIES = 20
"""How often `DueTable.take` looks again when other workers were quicker."""


class Lane(StrEnum):
    """Which worker does it; in this order of urgency."""

    LIVE = "live"
    RERUN = "rerun"
    REPLAY = "replay"


class DueState(StrEnum):
    """Where an item is. Waiting, leased and parked items are open; a done one is history."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    PARKED = "parked"


class DueOutcome(StrEnum):
    """How an item ended (design: a closed list; "later" is `DueTable.later`)."""

    DONE = "done"
    NOTHING_TO_DO = "nothing_to_do"
    REFUSED = "refused"
    GONE = "gone"
    PARTIAL = "partial"


class Kind(StrEnum):
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


class Scheduled(StrEnum):
    """What a wish met."""

    NEW = "new"
    COALESCED = "coalesced"
    """The same wish was waiting; the earlier time and the more urgent lane hold."""
    AGAIN = "again"
    """The same wish is being worked on; it will be waiting again when that ends."""
    PARKED = "parked"
    """The same wish is parked; a person has to retry it, the new time is noted."""


class Due(Struct, frozen=True):
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

    @property
    def name(self) -> str:
        """The wish without its time, as ``audit:42:17``; ``-`` stands for what it has not.

        Where no repository is named, the installation tells wishes of one kind apart.
        """
        about = self.repository_id or f"i{self.installation_id or '-'}"
        return f"{self.kind}:{about}:{self.pull_request or '-'}"


class DueItem(Struct, frozen=True):
    """A wish as it stands in the table."""

    id: int
    name: str
    kind: str
    lane: Lane
    state: DueState
    due_at: datetime
    installation_id: int | None
    repository_id: int | None
    pull_request: int | None
    again_at: datetime | None
    """When the same wish came again while this one was leased or parked; ``None``: it did not."""
    wished: int
    """How often it was wished since it is open."""
    attempts: int
    """How often it was taken since it was wished, this time included; `later` does not count."""
    taken: int
    """How often it was taken at all; tells one lease of this item from the next."""
    leased_by: str | None
    lease_until: datetime | None
    outcome: DueOutcome | None
    why: str | None
    created_at: datetime
    finished_at: datetime | None


class Backlog(Struct, frozen=True):
    """What is due and not being worked on, of one installation and lane."""

    installation_id: int | None
    lane: Lane
    waiting: int
    oldest: datetime
    """When the oldest of them became due."""


class Recurring(Struct, frozen=True):
    """A wish that comes round by itself: its open item and how the one before it ended."""

    kind: str
    installation_id: int | None
    open: DueItem | None
    """``None``: the scheduler has not wished it again yet."""
    ended: DueItem | None
    """``None``: none ended in the time that was asked for."""


class DueTable:
    """The table of what is due. All of its methods are safe among many processes.

    A worker's methods (`extend`, `finish`, `later`, `failed`, `park`) take the item as `take`
    or `lease` returned it. They do nothing and return ``False`` where its lease ran out and
    somebody else has it: then the worker has to leave the item alone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # Building these costs more than running them, so it is done once.
        self._wish_many = _wish_statement(database)
        self._wish = self._wish_many.returning(due.c.state, due.c.wished)
        self._take = _lease_statement(due.c.lane == bindparam("of_lane"))
        self._lease_this = _lease_statement(due.c.id == bindparam("of_id"))

    # --- wishing ------------------------------------------------------------------------------

    def schedule(self, wish: Due, *, now: datetime) -> Scheduled:
        """Make something due, once however often it is wished; durable on return."""
        with self._database.write() as connection:
            return self.schedule_within(connection, wish, now)

    def schedule_all(self, wishes: Sequence[Due], *, now: datetime) -> tuple[Scheduled, ...]:
        """Make several things due, all or none; what each met, in the order of the wishes."""
        with self._database.write() as connection:
            return self.schedule_all_within(connection, wishes, now)

    def schedule_within(self, connection: Connection, wish: Due, now: datetime) -> Scheduled:
        """Make something due as part of the caller's transaction."""
        state, wished = connection.execute(self._wish, _to_row(wish, now)).one()
        if wished == 1:
            return Scheduled.NEW
        return {
            DueState.WAITING: Scheduled.COALESCED,
            DueState.LEASED: Scheduled.AGAIN,
            DueState.PARKED: Scheduled.PARKED,
        }[DueState(state)]

    def schedule_all_within(
        self, connection: Connection, wishes: Sequence[Due], now: datetime
    ) -> tuple[Scheduled, ...]:
        """Make several things due as part of the caller's transaction, as `schedule_all` does."""
        # By name, as everywhere: two that want the same ones never wait for each other in a ring.
        in_turn = sorted(range(len(wishes)), key=lambda at: wishes[at].name)
        met = {at: self.schedule_within(connection, wishes[at], now) for at in in_turn}
        return tuple(met[at] for at in range(len(wishes)))

    def schedule_each_within(
        self, connection: Connection, wishes: Iterable[tuple[Due, datetime]]
    ) -> None:
        """Make many things due as part of the caller's transaction; what they met is not said."""
        rows = sorted((_to_row(wish, now) for wish, now in wishes), key=itemgetter("name"))
        if rows:
            connection.execute(self._wish_many, rows)

    # --- working ------------------------------------------------------------------------------

    def take(self, lane: Lane, now: datetime, worker: str, lease: timedelta) -> DueItem | None:
        """Lease the longest due item of a lane; ``None``: there is none to do now.

        Passed over are items of a parked installation, and items of a pull request that
        another worker has under lease.
        """
        return self._leased(self._take, {"of_lane": lane.value}, now, worker, lease)

    def lease(self, item_id: int, now: datetime, worker: str, lease: timedelta) -> DueItem | None:
        """Lease this very item; ``None``: it is not due, not open, or not free now."""
        return self._leased(self._lease_this, {"of_id": item_id}, now, worker, lease)

    def extend(self, item: DueItem, now: datetime, lease: timedelta) -> bool:
        """Hold a leased item longer: until ``now + lease``."""
        return self._move(item, {"lease_until": now + lease})

    def finish(
        self, item: DueItem, outcome: DueOutcome, why: str | None = None, *, now: datetime
    ) -> bool:
        """End an item. Where the same wish came in the meantime, it is waiting again."""
        again = due.c.again_at.is_not(None)
        return self._move(
            item,
            {
                "state": case((again, "waiting"), else_="done"),
                "due_at": func.coalesce(due.c.again_at, due.c.due_at),
                "again_at": None,
                "attempts": case((again, 0), else_=due.c.attempts),
                "outcome": case((again, None), else_=outcome.value),
                "why": clean(why),
                "finished_at": case((again, None), else_=literal(now, Instant)),
                **_RELEASED,
            },
        )

    def later(self, item: DueItem, at: datetime, why: str) -> bool:
        """Put an item back for a time through no fault of its own; it does not count as a try.

        For rate limits, a parked installation, a queue that shuts down.
        """
        return self._move(item, {**_put_back(at, why), "attempts": due.c.attempts - 1})

    def failed(self, item: DueItem, at: datetime, why: str) -> bool:
        """Put an item back for a time after a failure; it counts as a try."""
        return self._move(item, _put_back(at, why))

    def park(self, item: DueItem, why: str) -> bool:
        """Set an item aside for a person to look at; only `retry` brings it back."""
        return self._move(item, {"state": "parked", "why": clean(why), **_RELEASED})

    # --- operating ----------------------------------------------------------------------------

    def retry(self, item_id: int, *, now: datetime) -> bool:
        """Bring a parked item back as if it were new; ``False``: it is not parked."""
        change = (
            update(due)
            .where(due.c.id == item_id, due.c.state == "parked")
            .values(state="waiting", due_at=now, again_at=None, attempts=0)
        )
        with self._database.write() as connection:
            return connection.execute(change).rowcount == 1

    def one(self, item_id: int) -> DueItem | None:
        """Return an item as it stands; ``None``: there is none of this id (any more)."""
        with self._database.read() as connection:
            row = connection.execute(select(due).where(due.c.id == item_id)).first()
        return None if row is None else _from_row(row)

    def overdue(self, now: datetime, limit: int = 1000) -> tuple[DueItem, ...]:
        """Return what could be taken now, longest due first: what the queue has to be told.

        Items whose lease ran out are among them. At most ``limit`` of each lane, so that
        thousands of audits of the past hide nothing that is live.
        """
        query = select(due).where(_TAKEABLE).order_by(due.c.due_at, due.c.id).limit(limit)
        query = query.params(now=now)
        return tuple(
            item for lane in Lane for item in self._items(query.where(due.c.lane == lane.value))
        )

    def ready(self, kind: str, repository_id: int, now: datetime) -> tuple[DueItem, ...]:
        """Return what could be taken now of one kind and repository, longest due first."""
        query = select(due).where(
            due.c.kind == kind, due.c.repository_id == repository_id, _TAKEABLE
        )
        query = query.order_by(due.c.due_at, due.c.id).limit(100)
        return self._items(query.params(now=now))

    def parked(self, limit: int = 1000) -> tuple[DueItem, ...]:
        """Return what waits for a person, longest due first."""
        query = select(due).where(due.c.state == "parked").order_by(due.c.due_at, due.c.id)
        return self._items(query.limit(limit))

    def open(self, limit: int = 1000) -> tuple[DueItem, ...]:
        """Return everything that is not over, waiting, leased or parked, longest due first."""
        query = select(due).where(due.c.state != "done").order_by(due.c.due_at, due.c.id)
        return self._items(query.limit(limit))

    def of(self, repository_id: int, pull_request: int) -> tuple[DueItem, ...]:
        """Return all items of a pull request, oldest first, done ones included."""
        query = (
            select(due)
            .where(due.c.repository_id == repository_id, due.c.pull_request == pull_request)
            .order_by(due.c.id)
        )
        return self._items(query)

    def backlog(self, now: datetime) -> tuple[Backlog, ...]:
        """Return how much is due and not leased, by installation and lane, parked ones out."""
        late = or_(and_(due.c.state == "waiting", due.c.due_at <= _NOW), _LEASE_OVER)
        query = (
            select(due.c.installation_id, due.c.lane, func.count(), func.min(due.c.due_at))
            .where(late)
            .group_by(due.c.installation_id, due.c.lane)
            .order_by(func.min(due.c.due_at))
        )
        with self._database.read() as connection:
            rows = connection.execute(query, {"now": now}).all()
        return tuple(
            Backlog(installation_id=owner, lane=Lane(lane), waiting=count, oldest=oldest)
            for owner, lane, count, oldest in rows
        )

    def ended(self, since: datetime) -> dict[tuple[str, DueOutcome], int]:
        """Return how many items ended since then, by kind and outcome."""
        query = (
            select(due.c.kind, due.c.outcome, func.count())
            .where(due.c.state == "done", due.c.finished_at >= since)
            .group_by(due.c.kind, due.c.outcome)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {(kind, DueOutcome(outcome)): count for kind, outcome, count in rows}

    def recurring(self, kinds: Collection[str], since: datetime) -> tuple[Recurring, ...]:
        """Return what comes round of these kinds, by kind and installation.

        ``since``: items that ended before then are not looked at.
        """
        of_kind = due.c.kind.in_(kinds)
        last = (
            select(func.max(due.c.id))
            .where(of_kind, due.c.state == "done", due.c.finished_at >= since)
            .group_by(due.c.name)
        )
        waiting = self._items(select(due).where(of_kind, due.c.state != "done"))
        over = self._items(select(due).where(due.c.id.in_(last)))
        open_, ended = ({one.name: one for one in items} for items in (waiting, over))
        newest = sorted((ended | open_).values(), key=lambda one: (one.kind, one.name))
        return tuple(
            Recurring(one.kind, one.installation_id, open_.get(one.name), ended.get(one.name))
            for one in newest
        )

    def expire(self, before: datetime) -> int:
        """Delete items that ended before that instant; return how many."""
        old = delete(due).where(due.c.state == "done", due.c.finished_at < before)
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
    ) -> DueItem | None:
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

    def _move(self, item: DueItem, values: dict[str, Any]) -> bool:
        ours = and_(due.c.id == item.id, due.c.state == "leased", due.c.taken == item.taken)
        with self._database.write() as connection:
            return connection.execute(update(due).where(ours).values(values)).rowcount == 1

    def _items(self, query: Select[Any]) -> tuple[DueItem, ...]:
        with self._database.read() as connection:
            return tuple(_from_row(row) for row in connection.execute(query))


_RELEASED: dict[str, Any] = {"leased_by": None, "lease_until": None}


def _put_back(at: datetime, why: str) -> dict[str, Any]:
    # A wish that came in the meantime is covered by the coming try.
    return {"state": "waiting", "due_at": at, "again_at": None, "why": clean(why), **_RELEASED}


def _urgency(lane: ColumnElement[str]) -> ColumnElement[int]:
    return case((lane == "live", 0), (lane == "rerun", 1), else_=2)


# --- statements -----------------------------------------------------------------------------------

_NOW = bindparam("now", type_=Instant)


def _wish_statement(database: Database) -> "postgresql.Insert | sqlite.Insert":
    insert = database.insert(due)
    new = insert.excluded
    earlier = and_(due.c.state == "waiting", new.due_at < due.c.due_at)
    return insert.on_conflict_do_update(
        index_elements=["name"],
        index_where=text(OPEN_STATES),
        set_={
            "wished": due.c.wished + 1,
            "due_at": case((earlier, new.due_at), else_=due.c.due_at),
            "again_at": case(
                (due.c.state == "waiting", due.c.again_at),
                (due.c.again_at < new.due_at, due.c.again_at),
                else_=new.due_at,
            ),
            "lane": case((_urgency(new.lane) < _urgency(due.c.lane), new.lane), else_=due.c.lane),
            "installation_id": func.coalesce(new.installation_id, due.c.installation_id),
        },
    )


def _free() -> ColumnElement[bool]:
    """Say of a row that neither its pull request nor its installation is barred now."""
    other = due.alias("other")
    busy = exists().where(
        other.c.state == "leased",
        other.c.lease_until > _NOW,
        other.c.repository_id == due.c.repository_id,
        other.c.pull_request == due.c.pull_request,
    )
    parked = exists().where(
        installation.c.id == due.c.installation_id, installation.c.parked_until > _NOW
    )
    return and_(due.c.state == "waiting", due.c.due_at <= _NOW, not_(busy), not_(parked))


_LEASE_OVER = and_(due.c.state == "leased", due.c.lease_until <= _NOW)
_TAKEABLE = or_(_free(), _LEASE_OVER)

_GIVE_BACK_EXPIRED = (
    update(due)
    .where(
        due.c.id.in_(
            select(due.c.id)
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
        select(due.c.id)
        .where(wanted, _free())
        .order_by(due.c.due_at, due.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (
        update(due)
        .where(due.c.id == chosen.correlate(None).scalar_subquery())
        .values(
            state="leased",
            leased_by=bindparam("worker"),
            lease_until=bindparam("until", type_=Instant),
            attempts=due.c.attempts + 1,
            taken=due.c.taken + 1,
        )
        .returning(due)
    )


def _to_row(wish: Due, now: datetime) -> dict[str, Any]:
    return {
        "name": wish.name,
        "kind": wish.kind,
        "installation_id": wish.installation_id,
        "repository_id": wish.repository_id,
        "pull_request": wish.pull_request,
        "lane": wish.lane.value,
        "state": "waiting",
        "due_at": wish.due_at,
        "wished": 1,
        "attempts": 0,
        "taken": 0,
        "why": clean(wish.why),
        "created_at": now,
    }


def _from_row(row: Row[Any]) -> DueItem:
    return DueItem(
        id=row.id,
        name=row.name,
        kind=row.kind,
        lane=Lane(row.lane),
        state=DueState(row.state),
        due_at=row.due_at,
        installation_id=row.installation_id,
        repository_id=row.repository_id,
        pull_request=row.pull_request,
        again_at=row.again_at,
        wished=row.wished,
        attempts=row.attempts,
        taken=row.taken,
        leased_by=row.leased_by,
        lease_until=row.lease_until,
        outcome=None if row.outcome is None else DueOutcome(row.outcome),
        why=row.why,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
