"""Lease one work item, do it and finish it: what a worker does for each job.

The lease keeps other workers off the item, and its end makes the item of a dead worker due again.
An item that fails too often by a fault of ours becomes a dead letter. `ghapp.jobs.kinds` knows what
an item means.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import redis
import structlog

from ghapp.bootstrap import Services
from ghapp.ending import (
    AuditDone,
    AuditPartial,
    ChoreDone,
    Ending,
    NothingToDo,
    NotPermitted,
    OutOfReach,
    TryLater,
    unreached,
)
from ghapp.github import answers
from ghapp.github.answers import GoneReason
from ghapp.jobs.kinds import KINDS, RECURRING, installation_of
from ghapp.log import bound, redact
from ghapp.publishers.publisher import WriteResult
from ghapp.store import StoreError, WorkEnd, WorkItem, WorkKind, WorkRequest, WorkTable

LEASE = timedelta(seconds=30)
"""How long an item stays leased after its worker died; a living worker renews its lease."""
HEARTBEAT = 7.0
"""Seconds between renewals: three may fail before the lease runs out."""
MOST_TRIES = 8
"""After this many tries that fail by a fault of ours, or kill their worker, an item becomes a dead
letter, for a person to look at. What GitHub answers never makes one."""
NOTHING_WRITTEN = "0 writes: everything on GitHub is as it should be"
FIRST_WAIT = timedelta(seconds=10)
"""The backoff after the first failed try; each further one is twice as long."""
MOST_DOUBLINGS = 14
"""Enough to reach the longest wait."""
LONGEST_WAIT = timedelta(days=1)
LONGEST_PAUSE = timedelta(hours=1)
"""The longest wait of recurring work, which is about the app's health."""
PASSING = (StoreError, OSError, redis.RedisError)
"""Faults of the machine and its services, which pass by themselves."""

GIVEN_BACK = "the worker was asked to stop"

log = structlog.get_logger()

Clock = Callable[[], datetime]


class WorkerStopping(BaseException):
    """The process must end before its item does. A signal handler raises it."""


def perform(item_id: int, services: Services, *, worker: str) -> bool:
    """Do one work item; ``False``: it is not due any more, or another worker leases it.

    If `WorkerStopping` interrupts it, the item is due again at once, and the try does not count.
    """
    store, clock = services.store, services.clock
    item = store.work.lease(item_id, clock(), worker, LEASE)
    if item is None:
        return False
    with bound(item=item.name, attempt=item.attempts):
        if _kills_workers(item):
            log.error("item_kills_workers")
            store.work.give_up(
                item, f"given up after {MOST_TRIES} tries: its worker was lost in each"
            )
            return True
        try:
            with _held(item, store.work, clock):
                ending = _do(item, services)
            _settle(item, ending, services)
        except WorkerStopping:
            # GitHub may have done its last request: the next try reads before it writes.
            log.warning("item_given_back")
            store.work.later(item, clock(), GIVEN_BACK)
        except Exception as error:
            log.exception("item_failed")
            _failed(item, error, store.work, clock())
    return True


def _do(item: WorkItem, services: Services) -> Ending:
    do = KINDS.get(item.kind)
    if do is None:
        return NothingToDo(f"this version knows no item of kind {item.kind!r}")
    try:
        return do(item, services)
    except answers.GitHubError as error:
        return unreached(error, services.clock())


# --- the lease ----------------------------------------------------------------------------------


@contextmanager
def _held(item: WorkItem, work: WorkTable, clock: Clock) -> Iterator[None]:
    """Renew the item's lease from a thread while the block runs."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(HEARTBEAT):
            try:
                if not work.extend(item, clock(), LEASE):
                    log.warning("lease_lost", item=item.name)
                    return
            except StoreError as error:
                log.warning("lease_not_renewed", item=item.name, problem=str(error))

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


# --- finishing ----------------------------------------------------------------------------------


def _settle(item: WorkItem, ending: Ending, services: Services) -> None:
    """Write an ending into the work table."""
    work, now = services.store.work, services.clock()
    log.info("item_settled", outcome=type(ending).__name__, why=_why(ending))
    match ending:
        case TryLater(counts=True):
            _put_off(item, ending.why, work, now)
        case TryLater():
            if ending.whole_installation:
                _park(ending, services)
            work.later(item, ending.at, ending.why)
        case OutOfReach():
            _note_gone(item, ending, services)
            work.finish(item, WorkEnd.GONE, ending.why, now=now)
        case ChoreDone():
            end = WorkEnd.DONE if ending.found else WorkEnd.NOTHING_TO_DO
            work.finish(item, end, ending.why, now=now)
        case _:
            if _is_refused(ending):
                work.enqueue(_question(item, ending, services), now=now)
            work.finish(item, ENDS[type(ending)], _why(ending), now=now)


def _is_refused(ending: Ending) -> bool:
    if isinstance(ending, AuditPartial):
        return any(one.outcome is WriteResult.NOT_WRITTEN for one in ending.published)
    return isinstance(ending, NotPermitted)


def _question(item: WorkItem, ending: Ending, services: Services) -> WorkRequest:
    """Ask GitHub which permissions there are now, and what is archived.

    Only what was seen to be missing can be seen to be back, if its event is lost.
    """
    asked = ending.installation_id if isinstance(ending, NotPermitted) else None
    number = asked or installation_of(item, services.store)
    pull = (number, None, None)
    return WorkRequest.for_pull(
        WorkKind.CONFIRM, *pull, at=services.clock(), why=f"{item.name} was refused"
    )


def _park(limit: TryLater, services: Services) -> None:
    """Park the installation in the database, and in Redis for the workers that are running."""
    installation_id = limit.installation_id
    if installation_id is not None:
        services.store.installations.park(installation_id, limit.at, limit.why)
        services.pace.park(installation_id, limit.at)


def _note_gone(item: WorkItem, gone: OutOfReach, services: Services) -> None:
    """Store what GitHub said, in case its event was lost, so that no worker asks again."""
    known, now = services.store.installations, services.clock()
    installation_id = gone.installation_id
    if gone.reason is GoneReason.SUSPENDED and installation_id is not None:
        known.suspended(installation_id, now=now)
    elif gone.reason is GoneReason.UNINSTALLED and installation_id is not None:
        known.removed(installation_id, now=now)
    elif gone.reason is GoneReason.REMOVED and item.repository_id is not None:
        known.repositories_removed((item.repository_id,), now=now)


ENDS: dict[type[Ending], WorkEnd] = {
    AuditDone: WorkEnd.DONE,
    AuditPartial: WorkEnd.PARTIAL,
    NothingToDo: WorkEnd.NOTHING_TO_DO,
    NotPermitted: WorkEnd.REFUSED,
}


def _why(ending: Ending) -> str | None:
    match ending:
        case AuditDone():
            written = [one.name for one in ending.published if one.outcome is WriteResult.WRITTEN]
            out = [one.name for one in ending.published if one.outcome is WriteResult.LEFT_OUT]
            said = f"written: {', '.join(written)}" if written else NOTHING_WRITTEN
            if not out:
                return said
            return f"{said if written else '0 writes'}; left out: {', '.join(out)}"
        case AuditPartial():
            return "; ".join(ending.missing)
        case _:
            return ending.why


def _kills_workers(item: WorkItem) -> bool:
    """Say whether each of the last tries killed its worker."""
    return item.lost >= MOST_TRIES and item.kind not in RECURRING


def _put_off(item: WorkItem, why: str, work: WorkTable, now: datetime) -> None:
    """Put an item back with a growing backoff: what went wrong passes, and nobody tells us when."""
    longest = LONGEST_WAIT if item.kind not in RECURRING else LONGEST_PAUSE
    doublings = min(item.attempts - 1, MOST_DOUBLINGS)
    work.failed(item, now + min(FIRST_WAIT * 2**doublings, longest), why)


def _failed(item: WorkItem, error: Exception, work: WorkTable, now: datetime) -> None:
    """Put an item back after a fault of ours; after the last try it is a dead letter."""
    why = redact(f"{type(error).__name__}: {error}")
    passes = isinstance(error, PASSING) or item.kind in RECURRING
    if item.attempts >= MOST_TRIES and not passes:
        work.give_up(item, f"given up after {item.attempts} tries; the last: {why}")
        return
    _put_off(item, why, work, now)
