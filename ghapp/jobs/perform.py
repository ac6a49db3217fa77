"""One due item is taken, done and settled: what a worker does each time it is woken.

The lease is what keeps an item to one worker, and its end is what brings back the item of a
worker that died. What the item means is told in `audit`.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

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
from ghapp.jobs.kinds import KINDS, RECURRING
from ghapp.log import bound, redact
from ghapp.publishers.publisher import WriteResult
from ghapp.store import StoreError, WorkEnd, WorkItem, WorkTable

LEASE = timedelta(seconds=30)
"""How long an item is out of reach after its worker died; renewed while the worker lives."""
HEARTBEAT = 7.0
"""Seconds between renewals: three may fail before the lease runs out."""
MOST_TRIES = 8
"""After so many failed tries an item is set aside for a person to look at."""
NOTHING_WRITTEN = "0 writes: everything on GitHub is as it should be"
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)

GIVEN_BACK = "the worker was asked to stop"

log = structlog.get_logger()

Clock = Callable[[], datetime]


class WorkerStopping(BaseException):
    """The process was asked to end and cannot wait for its item; raised by a signal's handler."""


def perform(item_id: int, services: Services, *, worker: str) -> bool:
    """Do one due item, if it is still to be done; ``False``: it is not, or another has it.

    Where `WorkerStopping` comes in its midst, the item is due again at once, and it was no try.
    """
    store, clock = services.store, services.clock
    item = store.work.lease(item_id, clock(), worker, LEASE)
    if item is None:
        return False
    with bound(item=item.name, attempt=item.attempts):
        if _kills_workers(item):
            log.error("item_kills_workers")
            store.work.give_up(
                item, f"given up after {MOST_TRIES} tries: its worker was lost in the last"
            )
            return True
        try:
            with _held(item, store.work, clock):
                ending = _do(item, services)
            _settle(item, ending, services)
        except WorkerStopping:
            # What it asked of GitHub last may have been done: the next try looks before it writes.
            log.warning("item_given_back")
            store.work.later(item, clock(), GIVEN_BACK)
        except Exception as error:
            log.exception("item_failed")
            _failed(item, redact(f"{type(error).__name__}: {error}"), store.work, clock())
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
    """Renew the item's lease from a thread for as long as the work lasts."""
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


# --- settling -----------------------------------------------------------------------------------


def _settle(item: WorkItem, ending: Ending, services: Services) -> None:
    """Write an outcome into the due table; each kind of outcome has its own way there."""
    work, now = services.store.work, services.clock()
    log.info("item_settled", outcome=type(ending).__name__, why=_why(ending))
    match ending:
        case TryLater(counts=True):
            _failed(item, ending.why, work, now)
        case TryLater():
            if ending.whole_installation:
                _park(item, ending, services)
            work.later(item, ending.at, ending.why)
        case OutOfReach():
            _note_gone(item, ending, services)
            work.finish(item, WorkEnd.GONE, ending.why, now=now)
        case ChoreDone():
            end = WorkEnd.DONE if ending.found else WorkEnd.NOTHING_TO_DO
            work.finish(item, end, ending.why, now=now)
        case _:
            work.finish(item, ENDS[type(ending)], _why(ending), now=now)


def _park(item: WorkItem, limit: TryLater, services: Services) -> None:
    """Let nobody use the installation: the database holds it, Redis tells running workers."""
    if item.installation_id is not None:
        services.store.installations.park(item.installation_id, limit.at, limit.why)
        services.pace.park(item.installation_id, limit.at)


def _note_gone(item: WorkItem, gone: OutOfReach, services: Services) -> None:
    """Remember what GitHub said where its event was missed, so that nobody asks again."""
    known, now = services.store.installations, services.clock()
    if gone.reason is GoneReason.SUSPENDED and item.installation_id is not None:
        known.suspended(item.installation_id, now=now)
    elif gone.reason is GoneReason.UNINSTALLED and item.installation_id is not None:
        known.removed(item.installation_id, now=now)
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
            return f"written: {', '.join(written)}" if written else NOTHING_WRITTEN
        case AuditPartial():
            return "; ".join(ending.missing)
        case _:
            return ending.why


def _kills_workers(item: WorkItem) -> bool:
    """Say whether every try is used up: a try that fails ends by `_failed`, so the last did not."""
    return item.attempts > MOST_TRIES and item.kind not in RECURRING


def _failed(item: WorkItem, why: str, work: WorkTable, now: datetime) -> None:
    """Put a failed item back for a growing time, or set it aside after its last try."""
    if item.attempts >= MOST_TRIES and item.kind not in RECURRING:
        work.give_up(item, f"given up after {item.attempts} tries; the last: {why}")
        return
    wait = min(FIRST_WAIT * 2 ** min(item.attempts - 1, MOST_TRIES), LONGEST_WAIT)
    work.failed(item, now + wait, why)
