"""The scheduler process: tells the queue what is due, every few seconds. It does none of it.

Two of them are safe: a job that is queued already is not queued again, and an item that
somebody has under lease is not taken twice.
"""

import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from ghapp.bootstrap import Services, services
from ghapp.events.intake import EventIntake
from ghapp.events.reconcile import reconcile_request
from ghapp.github.webhooks import WebhookError
from ghapp.queue.enqueue import QueueAway, job_id
from ghapp.store import DeliveryEnd, Lane, StoreError, WorkItem, WorkKind, WorkRequest
from ghapp.upkeep.weekly import next_sending

EVERY = 2.0
"""Seconds between two looks; one look at an empty table costs less than a millisecond."""
AT_LEAST = 0.05
"""Seconds between two looks while new things come in all the time."""
FORGET_AFTER = timedelta(seconds=10)
LEFT_BEHIND = timedelta(seconds=30)
"""A delivery that old without an outcome was left by a process that died."""
TIDY_EVERY = timedelta(hours=1)
LETTERS_EVERY = timedelta(minutes=30)
PULL_EVERY = timedelta(minutes=15)
TEAMS_EVERY = timedelta(days=1)
LOOK_COSTS = timedelta(seconds=14.4)
"""Of a repository's reconciling: 2 requests, where a tenth of 5,000 an hour are for it."""
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)

log = structlog.get_logger()


def main() -> int:
    """Look until asked to stop."""
    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stop.set())
    ready = services()
    settings = ready.settings
    chores: list[ScheduledChore] = [
        ScheduledChore(tidy, TIDY_EVERY),
        ScheduledChore(enqueue_sweeps, settings.sweep_every / 2),
        ScheduledChore(enqueue_rounds, settings.reconcile_every / 2),
        ScheduledChore(enqueue_letters, LETTERS_EVERY),
        ScheduledChore(enqueue_session_pull, PULL_EVERY / 2),
        ScheduledChore(enqueue_teams, TEAMS_EVERY / 4),
    ]
    told = RecentlyQueued()
    while not stop.is_set():
        for chore in chores:
            chore.do(ready)
        began = time.monotonic()
        look(ready, told)
        _wait(ready, stop, looked=time.monotonic() - began)
    return 0


def _wait(ready: Services, stop: threading.Event, *, looked: float) -> None:
    """Wait for something new, and a moment more, so that one look is for many of them.

    ``looked`` is how many seconds the look took: the longer, the rarer, so that looking at a
    long list never takes more than a fifth of the time.
    """
    began = time.monotonic()
    ready.queue.wait(EVERY)
    # Where Redis is away it does not wait, so this does.
    spent = time.monotonic() - began
    is_there = spent > AT_LEAST or ready.queue.is_alive()
    stop.wait(max(AT_LEAST, min(4 * looked, EVERY)) if is_there else EVERY)


class RecentlyQueued:
    """Jobs that were queued a moment ago, by name: Redis is not asked for each of them again."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._since: datetime | None = None

    def new(self, items: Iterable[WorkItem], now: datetime) -> list[WorkItem]:
        """Return the items that Redis has to be told of, and take them for told."""
        if self._since is None or now - self._since > FORGET_AFTER:
            # Redis may have lost them, so they are told again before long.
            self._names, self._since = set(), now
        fresh = [item for item in items if job_id(item, now) not in self._names]
        self._names.update(job_id(item, now) for item in fresh)
        return fresh

    def forget(self) -> None:
        """Take nothing for told any more."""
        self._since = None


@dataclass
class ScheduledChore:
    """Something that is done from time to time."""

    doing: Callable[[Services], None]
    every: timedelta
    done_at: datetime | None = None
    """``None``: not since this process began."""

    def do(self, ready: Services) -> None:
        """Do it if it is time."""
        now = ready.clock()
        if self.done_at is None or now - self.done_at >= self.every:
            self.doing(ready)
            self.done_at = now


def enqueue_sweeps(ready: Services) -> None:
    """Make the next sweep and the next roll call due."""
    now, settings = ready.clock(), ready.settings
    sweep_at = next_slot(now, settings.sweep_every, 0)
    roll_at = next_slot(now, max(settings.reconcile_every, settings.sweep_every), 0)
    requests = (
        WorkRequest(kind=WorkKind.SWEEP, due_at=sweep_at, lane=Lane.RERUN, why="every so often"),
        WorkRequest(kind=WorkKind.ROLL_CALL, due_at=roll_at, lane=Lane.RERUN, why="every so often"),
    )
    _enqueue(requests, ready)


def enqueue_letters(ready: Services) -> None:
    """Make the next weekly summary of every organization that wants one due."""
    at = next_sending(ready.clock())
    try:
        wanted = ready.store.weeklies.all()
    except StoreError as error:
        log.warning("letters_not_enqueued", problem=str(error))
        return
    _enqueue(
        [
            WorkRequest(
                kind=WorkKind.WEEKLY_SUMMARY,
                due_at=at,
                lane=Lane.RERUN,
                installation_id=one.installation_id,
                why="once a week",
            )
            for one in wanted
        ],
        ready,
    )


def enqueue_session_pull(ready: Services) -> None:
    """Make the next pull of agent sessions due, where the Compliance API may be asked."""
    if ready.settings.compliance is not None:
        at = next_slot(ready.clock(), PULL_EVERY, 0)
        _enqueue(
            [
                WorkRequest(
                    kind=WorkKind.COMPLIANCE, due_at=at, lane=Lane.RERUN, why="every so often"
                )
            ],
            ready,
        )


def enqueue_teams(ready: Services) -> None:
    """Make the next look at the teams of every installation due, spread over a day."""
    now = ready.clock()
    try:
        active = [one for one in ready.store.installations.all() if one.is_active]
    except StoreError as error:
        log.warning("teams_not_enqueued", problem=str(error))
        return
    _enqueue(
        [
            WorkRequest(
                kind=WorkKind.TEAMS,
                due_at=next_slot(now, TEAMS_EVERY, one.id),
                lane=Lane.RERUN,
                installation_id=one.id,
                why="once a day",
            )
            for one in active
        ],
        ready,
    )


def enqueue_rounds(ready: Services) -> None:
    """Make the next look at every repository due, spread over the time between two looks."""
    now = ready.clock()
    try:
        known = ready.store.installations
        active = {one.id for one in known.all() if one.is_active}
        repositories = [one for one in known.repositories() if one.installation_id in active]
    except StoreError as error:
        log.warning("rounds_not_enqueued", problem=str(error))
        return
    counts = Counter(one.installation_id for one in repositories)
    _enqueue(
        [
            reconcile_request(
                one.id,
                one.installation_id,
                next_slot(now, _period(ready, counts[one.installation_id]), one.id),
                "every so often",
            )
            for one in repositories
        ],
        ready,
    )


def _period(ready: Services, repositories: int) -> timedelta:
    """Return the time between two looks at a repository of an installation with that many.

    A look costs about two requests, and all of them together take a tenth of GitHub's hour.
    """
    return max(ready.settings.reconcile_every, repositories * LOOK_COSTS)


def next_slot(now: datetime, period: timedelta, offset: int) -> datetime:
    """Return the first time from now on that is a whole number of periods, plus an offset.

    It depends on nothing that a process remembers, so that a scheduler that is restarted
    every few seconds wishes for the same time as the one before it.
    """
    seconds = max(period.total_seconds(), 1.0)
    shift = offset * 7919 % seconds
    passed = (now - EPOCH).total_seconds() - shift
    return EPOCH + timedelta(seconds=shift + (passed // seconds + 1) * seconds)


def _enqueue(requests: Sequence[WorkRequest], ready: Services) -> None:
    try:
        ready.store.work.enqueue_all(requests, now=ready.clock())
    except StoreError as error:
        log.warning("not_enqueued", problem=str(error))


def look(ready: Services, told: RecentlyQueued | None = None) -> int:
    """Queue what is overdue and follow what was left behind; return how many were queued.

    Nothing it meets ends the process: what is away now is looked for again at the next look.
    """
    now = ready.clock()
    try:
        for delivery in ready.store.deliveries.unsettled(now - LEFT_BEHIND):
            _follow(delivery.guid, ready)
        items = ready.store.work.overdue(now)
        queued = ready.queue(told.new(items, now) if told else items, now=now)
    except (StoreError, QueueAway) as error:
        if told:
            told.forget()
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
        EventIntake(ready.store, ready.queue.wake, ready.app_id).sweep(delivery, ready.clock())
    except WebhookError as error:
        log.warning("delivery_not_followed", delivery=guid, problem=str(error))
        nothing = DeliveryEnd.NOTHING_TO_DO
        ready.store.deliveries.settle(guid, nothing, str(error), now=ready.clock())


def tidy(ready: Services) -> None:
    """Forget what is settled and old, and evidence and logged accesses after their time."""
    now, settings = ready.clock(), ready.settings
    try:
        deliveries = ready.store.deliveries.expire(now - settings.deliveries_kept)
        items = ready.store.work.expire(now - settings.deliveries_kept)
        edits = ready.store.evidence.expire(now - settings.evidence_kept)
        # A replaced key is of use for as long as evidence that was made with it.
        ready.store.fingerprint_keys.expire(now - settings.evidence_kept)
        ready.store.coverage.expire(now - settings.access_log_kept)
        ready.store.access_log.expire(now - settings.access_log_kept)
        ready.kept_pulls.expire(now - settings.deliveries_kept)
        ready.store.logins.expire(now)
    except StoreError as error:
        log.warning("tidy_failed", problem=str(error))
        return
    if deliveries or items or edits:
        log.info("tidied", deliveries=deliveries, items=items, edits=edits)


if __name__ == "__main__":
    sys.exit(main())
