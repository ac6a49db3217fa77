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
from ghapp.github.answers import Why
from ghapp.jobs.kinds import KINDS, RECURRING
from ghapp.log import bound, redact
from ghapp.publishers.publisher import Outcome as Wrote
from ghapp.store import DueItem, DueOutcome, DueTable, StoreError

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


class Stopping(BaseException):
    """The process was asked to end and cannot wait for its item; raised by a signal's handler."""


def perform(item_id: int, services: Services, *, worker: str) -> bool:
    """Do one due item, if it is still to be done; ``False``: it is not, or another has it.

    Where `Stopping` comes in its midst, the item is due again at once, and it was no try.
    """
    store, clock = services.store, services.clock
    item = store.due.lease(item_id, clock(), worker, LEASE)
    if item is None:
        return False
    with bound(item=item.name, attempt=item.attempts):
        if _kills_workers(item):
            log.error("item_kills_workers")
            store.due.park(
                item, f"given up after {MOST_TRIES} tries: its worker was lost in the last"
            )
            return True
        try:
            with _held(item, store.due, clock):
                ending = _do(item, services)
            _settle(item, ending, services)
        except Stopping:
            # What it asked of GitHub last may have been done: the next try looks before it writes.
            log.warning("item_given_back")
            store.due.later(item, clock(), GIVEN_BACK)
        except Exception as error:
            log.exception("item_failed")
            _failed(item, redact(f"{type(error).__name__}: {error}"), store.due, clock())
    return True


def _do(item: DueItem, services: Services) -> Ending:
    do = KINDS.get(item.kind)
    if do is None:
        return NothingToDo(f"this version knows no item of kind {item.kind!r}")
    try:
        return do(item, services)
    except answers.GitHubError as error:
        return unreached(error, services.clock())


# --- the lease ----------------------------------------------------------------------------------


@contextmanager
def _held(item: DueItem, due: DueTable, clock: Clock) -> Iterator[None]:
    """Renew the item's lease from a thread for as long as the work lasts."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(HEARTBEAT):
            try:
                if not due.extend(item, clock(), LEASE):
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


def _settle(item: DueItem, ending: Ending, services: Services) -> None:
    """Write an outcome into the due table; each kind of outcome has its own way there."""
    due, now = services.store.due, services.clock()
    log.info("item_settled", outcome=type(ending).__name__, why=_why(ending))
    match ending:
        case TryLater(counts=True):
            _failed(item, ending.why, due, now)
        case TryLater():
            if ending.whole_installation:
                _park(item, ending, services)
            due.later(item, ending.at, ending.why)
        case OutOfReach():
            _note_gone(item, ending, services)
            due.finish(item, DueOutcome.GONE, ending.why, now=now)
        case ChoreDone():
            end = DueOutcome.DONE if ending.found else DueOutcome.NOTHING_TO_DO
            due.finish(item, end, ending.why, now=now)
        case _:
            due.finish(item, ENDS[type(ending)], _why(ending), now=now)


def _park(item: DueItem, limit: TryLater, services: Services) -> None:
    """Let nobody use the installation: the database holds it, Redis tells running workers."""
    if item.installation_id is not None:
        services.store.installations.park(item.installation_id, limit.at, limit.why)
        services.pace.park(item.installation_id, limit.at)


def _note_gone(item: DueItem, gone: OutOfReach, services: Services) -> None:
    """Remember what GitHub said where its event was missed, so that nobody asks again."""
    known, now = services.store.installations, services.clock()
    if gone.reason is Why.SUSPENDED and item.installation_id is not None:
        known.suspended(item.installation_id, now=now)
    elif gone.reason is Why.UNINSTALLED and item.installation_id is not None:
        known.removed(item.installation_id, now=now)
    elif gone.reason is Why.REMOVED and item.repository_id is not None:
        known.repositories_removed((item.repository_id,), now=now)


ENDS: dict[type[Ending], DueOutcome] = {
    AuditDone: DueOutcome.DONE,
    AuditPartial: DueOutcome.PARTIAL,
    NothingToDo: DueOutcome.NOTHING_TO_DO,
    NotPermitted: DueOutcome.REFUSED,
}


def _why(ending: Ending) -> str | None:
    match ending:
        case AuditDone():
            written = [one.name for one in ending.published if one.outcome is Wrote.WRITTEN]
            return f"written: {', '.join(written)}" if written else NOTHING_WRITTEN
        case AuditPartial():
            return "; ".join(ending.missing)
        case _:
            return ending.why


def _kills_workers(item: DueItem) -> bool:
    """Say whether every try is used up: a try that fails ends by `_failed`, so the last did not."""
    return item.attempts > MOST_TRIES and item.kind not in RECURRING


def _failed(item: DueItem, why: str, due: DueTable, now: datetime) -> None:
    """Put a failed item back for a growing time, or set it aside after its last try."""
    if item.attempts >= MOST_TRIES and item.kind not in RECURRING:
        due.park(item, f"given up after {item.attempts} tries; the last: {why}")
        return
    wait = min(FIRST_WAIT * 2 ** min(item.attempts - 1, MOST_TRIES), LONGEST_WAIT)
    due.failed(item, now + wait, why)
