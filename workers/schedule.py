"""The scheduler process: tells the queue what is due, every few seconds. It does none of it.

Two of them are safe: a job that is queued already is not queued again, and an item that
somebody has under lease is not taken twice.
"""

import signal
import sys
import threading
from datetime import datetime, timedelta

import structlog

from ghapp.bootstrap import Services, services
from ghapp.github.webhooks import WebhookError
from ghapp.intake import Intake
from ghapp.queue.enqueue import QueueAway
from ghapp.store import DeliveryOutcome, StoreError

EVERY = 2.0
"""Seconds between two looks; one look at an empty table costs less than a millisecond."""
LEFT_BEHIND = timedelta(seconds=30)
"""A delivery that old without an outcome was left by a process that died."""
TIDY_EVERY = timedelta(hours=1)

log = structlog.get_logger()


def main() -> int:
    """Look until asked to stop."""
    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stop.set())
    ready = services()
    tidied: datetime | None = None
    while not stop.is_set():
        look(ready)
        now = ready.clock()
        if tidied is None or now - tidied > TIDY_EVERY:
            tidy(ready)
            tidied = now
        stop.wait(EVERY)
    return 0


def look(ready: Services) -> int:
    """Queue what is overdue and follow what was left behind; return how many were queued.

    Nothing it meets ends the process: what is away now is looked for again at the next look.
    """
    now = ready.clock()
    try:
        for delivery in ready.store.deliveries.unsettled(now - LEFT_BEHIND):
            _follow(delivery.guid, ready)
        queued = ready.queue(ready.store.due.overdue(now), now=now)
    except (StoreError, QueueAway) as error:
        log.warning("look_failed", problem=str(error))
        return 0
    if queued:
        log.info("queued_overdue", count=queued)
    return queued


def _follow(guid: str, ready: Services) -> None:
    delivery = ready.store.deliveries.one(guid)
    if delivery is None:
        return
    try:
        Intake(ready.store, ready.queue, ready.app_id).sweep(delivery, ready.clock())
    except WebhookError as error:
        log.warning("delivery_not_followed", delivery=guid, problem=str(error))
        nothing = DeliveryOutcome.NOTHING_TO_DO
        ready.store.deliveries.settle(guid, nothing, str(error), now=ready.clock())


def tidy(ready: Services) -> None:
    """Forget what is settled and old, and evidence after its time."""
    now, settings = ready.clock(), ready.settings
    try:
        deliveries = ready.store.deliveries.expire(now - settings.deliveries_kept)
        items = ready.store.due.expire(now - settings.deliveries_kept)
        edits = ready.store.evidence.expire(now - settings.evidence_kept)
    except StoreError as error:
        log.warning("tidy_failed", problem=str(error))
        return
    if deliveries or items or edits:
        log.info("tidied", deliveries=deliveries, items=items, edits=edits)


if __name__ == "__main__":
    sys.exit(main())
