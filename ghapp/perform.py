"""One due item is taken, done and settled: what a worker does each time it is woken.

The lease is what keeps an item to one worker, and its end is what brings back the item of a
worker that died. What the item means is told in `audit`.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from ghapp import audit
from ghapp.bootstrap import Services
from ghapp.log import bound, redact
from ghapp.queue.dispatch import AUDIT_AGAIN
from ghapp.store import DueItem, DueOutcome, DueTable, Kind, StoreError

LEASE = timedelta(seconds=30)
"""How long an item is out of reach after its worker died; renewed while the worker lives."""
HEARTBEAT = 7.0
"""Seconds between renewals: three may fail before the lease runs out."""
MOST_TRIES = 8
"""After so many failed tries an item is set aside for a person to look at."""
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
KINDS = frozenset({Kind.AUDIT, Kind.FINALIZE, AUDIT_AGAIN})
"""Kinds of items that this version knows how to do; all of them are one journey."""

log = structlog.get_logger()

Clock = Callable[[], datetime]


def perform(item_id: int, services: Services, *, worker: str) -> bool:
    """Do one due item, if it is still to be done; ``False``: it is not, or another has it."""
    store, clock = services.store, services.clock
    item = store.due.lease(item_id, clock(), worker, LEASE)
    if item is None:
        return False
    with bound(item=item.name, attempt=item.attempts):
        try:
            with _held(item, store.due, clock):
                outcome = _do(item, services)
            _settle(item, outcome, services)
        except Exception as error:
            log.exception("item_failed")
            _failed(item, redact(f"{type(error).__name__}: {error}"), store.due, clock())
    return True


def _do(item: DueItem, services: Services) -> audit.Outcome:
    if item.kind not in KINDS or not item.repository_id:
        return audit.NothingToDo(f"this version knows no item of kind {item.kind!r}")
    installation_id = _installation(item, services)
    if installation_id is None:
        return audit.Gone("the app is not installed there any more")
    return services.audit(
        audit.Ref(
            installation_id=installation_id,
            repository_id=item.repository_id,
            number=item.pull_request or 0,
            asked_again=item.kind == AUDIT_AGAIN,
        )
    )


def _installation(item: DueItem, services: Services) -> int | None:
    """Return the installation that reaches the repository now; ``None``: none does.

    A repository can have moved to another one since the item was wished.
    """
    known = services.store.installations
    repository = known.repository(item.repository_id or 0)
    installation_id = (repository and repository.installation_id) or item.installation_id
    if installation_id is None:
        return None
    installation = known.installation(installation_id)
    return installation_id if installation is None or installation.is_active else None


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


def _settle(item: DueItem, outcome: audit.Outcome, services: Services) -> None:
    """Write an outcome into the due table; each kind of outcome has its own way there."""
    due, now = services.store.due, services.clock()
    log.info("item_settled", outcome=type(outcome).__name__, why=_why(outcome))
    match outcome:
        case audit.Later(counts=True):
            _failed(item, outcome.why, due, now)
        case audit.Later():
            if outcome.whole_installation and item.installation_id is not None:
                services.store.installations.park(item.installation_id, outcome.at, outcome.why)
            due.later(item, outcome.at, outcome.why)
        case _:
            due.finish(item, ENDS[type(outcome)], _why(outcome), now=now)


ENDS: dict[type[audit.Outcome], DueOutcome] = {
    audit.Done: DueOutcome.DONE,
    audit.Partial: DueOutcome.PARTIAL,
    audit.NothingToDo: DueOutcome.NOTHING_TO_DO,
    audit.Refused: DueOutcome.REFUSED,
    audit.Gone: DueOutcome.GONE,
}


def _why(outcome: audit.Outcome) -> str | None:
    if isinstance(outcome, audit.Partial):
        return "; ".join(outcome.missing)
    return getattr(outcome, "why", None)


def _failed(item: DueItem, why: str, due: DueTable, now: datetime) -> None:
    """Put a failed item back for a growing time, or set it aside after its last try."""
    if item.attempts >= MOST_TRIES:
        due.park(item, f"given up after {item.attempts} tries; the last: {why}")
        return
    wait = min(FIRST_WAIT * 2 ** (item.attempts - 1), LONGEST_WAIT)
    due.failed(item, now + wait, why)
