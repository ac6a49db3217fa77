"""The scheduler process: queues work that is due, every few seconds, and sums the usage that came.

It does none of that work. Two schedulers are safe: a job that is queued already is not queued
again, no two workers lease the same item, and while one of them sums, the other waits for it.
"""

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

import structlog

from ghapp.bootstrap import Services, services
from ghapp.events.intake import EventIntake
from ghapp.events.reconcile import reconcile_request
from ghapp.git.repository import remove_unused
from ghapp.github.webhooks import WebhookError
from ghapp.ingest.upload import ASK_AGAIN
from ghapp.log import LoggedOutage
from ghapp.queue.enqueue import QueueAway, job_id
from ghapp.store import (
    LEFT_OUT_FOR,
    DeliveryEnd,
    Lane,
    StoreError,
    WorkItem,
    WorkKind,
    WorkRequest,
)
from ghapp.upkeep.vendor_pulls import pull_request
from ghapp.upkeep.weekly import next_sending

EVERY = 2.0
"""Seconds between two looks; one look at an empty table costs less than a millisecond."""
AT_LEAST = 0.05
"""Seconds between two looks while new work keeps coming."""
PORTION = 50
"""Items that one look queues. Each costs a millisecond, and all of a backlog at once would take a
core from the web process that is accepting it."""
SUMMED_AT_ONCE = 500
"""Days of people whose usage is summed after a look. Each costs less than a fifth of a millisecond,
so neither an audit nor anybody who writes to SQLite waits long for them."""
MOST_QUEUED = 1_000
"""Items of a lane that a look knows; the others wait in the table."""
FORGET_AFTER = timedelta(seconds=10)
"""How long the scheduler takes a queued job for queued."""
LEFT_BEHIND = timedelta(seconds=30)
"""A delivery this old that nothing followed was left by a process that died."""
TIDY_EVERY = timedelta(hours=1)
CATCH_UP_EVERY = timedelta(minutes=10)
LETTERS_EVERY = timedelta(minutes=30)
PULL_EVERY = timedelta(minutes=15)
TEAMS_EVERY = timedelta(days=1)
VENDORS_EVERY = timedelta(days=1)
ENDED_FOR_SURE = timedelta(days=1)
"""How long an uninstallation that an event told of must last before keys are deleted."""
UNFINISHED_AGAIN = timedelta(days=1)
"""How long an audit that should be final by now rests after a try."""
LOOK_COSTS = timedelta(seconds=14.4)
"""Time between two looks per repository: a look takes 2 requests, and 500 of GitHub's 5,000 an hour
are for looks."""
OFTEN = "every so often"
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)

log = structlog.get_logger()


def main() -> int:
    """Look until asked to stop."""
    os.umask(0o077)
    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stop.set())
    ready = services()
    settings = ready.settings
    chores: list[ScheduledChore] = [
        ScheduledChore(tidy, TIDY_EVERY),
        ScheduledChore(use_prices, TIDY_EVERY),
        ScheduledChore(enqueue_sweeps, settings.sweep_every / 2),
        ScheduledChore(enqueue_rounds, settings.reconcile_every / 2),
        ScheduledChore(enqueue_unfinished, settings.reconcile_every),
        ScheduledChore(enqueue_left_out, CATCH_UP_EVERY),
        ScheduledChore(enqueue_weekly_summaries, LETTERS_EVERY),
        ScheduledChore(enqueue_session_pull, PULL_EVERY / 2),
        ScheduledChore(enqueue_teams, TEAMS_EVERY / 4),
        ScheduledChore(enqueue_vendor_pulls, VENDORS_EVERY / 4),
    ]
    recent = RecentlyQueued()
    looks, late = LoggedOutage("look_failed"), LoggedOutage("chore_failed")
    sums = LoggedOutage("usage_not_summed")
    while not stop.is_set():
        do_chores(ready, chores, late, stop)
        if stop.is_set():
            break
        began = time.monotonic()
        look(ready, recent, looks)
        has_more = sum_usage(ready, sums) or recent.has_more
        _wait(ready, stop, looked=time.monotonic() - began, more=has_more)
    return 0


def _wait(ready: Services, stop: threading.Event, *, looked: float, more: bool = False) -> None:
    """Wait for new work, and a moment more, so that one look serves many requests.

    ``looked`` is how many seconds the last look took. Long looks become rare, so that looking
    never takes more than a fifth of the time, even while the queue fills for the first time.
    ``more``: there is work that the last look left for the next one.
    """
    if more:
        stop.wait(max(AT_LEAST, min(4 * looked, EVERY)))
        return
    began = time.monotonic()
    ready.queue.wait(EVERY)
    # While Redis is away or takes no writes, `wait` returns at once, so wait here.
    spent = time.monotonic() - began
    is_there = spent > AT_LEAST or ready.queue.is_alive()
    stop.wait(max(AT_LEAST, min(4 * looked, EVERY)) if is_there else EVERY)


class RecentlyQueued:
    """The names of jobs that were queued a moment ago: no need to ask Redis again."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._since: datetime | None = None
        self.has_more = False
        """Whether `new` left some of the items for the next time."""

    @property
    def enough(self) -> int:
        """Return how many overdue items of a lane hold a portion of new ones."""
        return min(len(self._names) + PORTION + 1, MOST_QUEUED)

    def new(self, items: Iterable[WorkItem], now: datetime) -> list[WorkItem]:
        """Return a portion of the items that are not among them, and add it."""
        if self._since is None or now - self._since > FORGET_AFTER:
            # Redis may have lost them, so they are queued again before long.
            self._names, self._since = set(), now
        found = [item for item in items if job_id(item, now) not in self._names]
        fresh, self.has_more = found[:PORTION], len(found) > PORTION
        self._names.update(job_id(item, now) for item in fresh)
        return fresh

    def forget(self) -> None:
        """Forget all names."""
        self._since, self.has_more = None, False


@dataclass
class ScheduledChore:
    """Something that the scheduler does from time to time."""

    doing: Callable[[Services], None]
    every: timedelta
    done_at: datetime | None = None
    """``None``: not since this process began."""

    def do(self, ready: Services) -> None:
        """Do it if it is time. Raises `StoreError`; then it is still to be done."""
        now = ready.clock()
        if self.done_at is None or now - self.done_at >= self.every:
            self.doing(ready)
            self.done_at = now


def do_chores(
    ready: Services, chores: Iterable[ScheduledChore], late: LoggedOutage, stop: threading.Event
) -> None:
    """Do the chores whose time has come; say once if the database does not let them.

    Each may wait for a database that is away, so a stop does not wait for the rest of them.
    """
    for chore in chores:
        if stop.is_set():
            return
        try:
            chore.do(ready)
        except StoreError as error:
            late.say(str(error))
            return
    late.over()


# --- enqueueing: each raises `StoreError` ---------------------------------------------------------


def enqueue_sweeps(ready: Services) -> None:
    """Enqueue the next sweep and the next roll call."""
    now, settings = ready.clock(), ready.settings
    roll_call_every = max(settings.reconcile_every, settings.sweep_every)
    requests = [
        WorkRequest(kind, next_slot(now, period, 0), Lane.RERUN, why=OFTEN)
        for kind, period in (
            (WorkKind.SWEEP, settings.sweep_every),
            (WorkKind.ROLL_CALL, roll_call_every),
        )
    ]
    ready.store.work.enqueue_all(requests, now=now)


def enqueue_unfinished(ready: Services) -> None:
    """Enqueue audits that should be final or whole by now, whatever ended them.

    A pull request that was tried within a day waits, so this is one try a day for each.
    """
    now = ready.clock()
    found = ready.store.audits.overdue(now, seen_before=now - UNFINISHED_AGAIN)
    requests = [
        WorkRequest.for_pull(
            *(WorkKind.FINALIZE, None, repository_id, number),
            at=now,
            why="it should be final and whole by now",
        )
        for repository_id, number in found
    ]
    ready.store.work.enqueue_all(requests, now=now)
    if requests:
        log.warning("audits_unfinished", count=len(requests))


def enqueue_left_out(ready: Services) -> None:
    """Enqueue pull requests that something was left out of, as many as the time until then holds.

    They go behind all live work, and whoever has no room then is left out once more.
    """
    now, store = ready.clock(), ready.store
    left_out = store.publications.left_out(now - LEFT_OUT_FOR)
    for owner in {one.installation_id for one in left_out if one.installation_id is not None}:
        spare = ready.publishing_plan(owner).spare or 0
        most = ceil(spare * (CATCH_UP_EVERY / timedelta(hours=1)))
        found = store.publications.pulls_left_out(owner, now - LEFT_OUT_FOR, most)
        requests = [
            WorkRequest.for_pull(
                *(WorkKind.FINALIZE, owner, repository_id, number),
                at=now,
                why="something was left out of it",
                lane=Lane.REPLAY,
            )
            for repository_id, number in found
        ]
        store.work.enqueue_all(requests, now=now)


def enqueue_weekly_summaries(ready: Services) -> None:
    """Enqueue the next weekly summary of every organization that wants one."""
    now = ready.clock()
    at = next_sending(now)
    wanted = [one.installation_id for one in ready.store.weeklies.all()]
    requests = [
        WorkRequest(WorkKind.WEEKLY_SUMMARY, at, Lane.RERUN, number, why="once a week")
        for number in wanted
    ]
    ready.store.work.enqueue_all(requests, now=now)


def enqueue_session_pull(ready: Services) -> None:
    """Enqueue the next pull of agent sessions if a key of the Compliance API is set."""
    if ready.settings.compliance is not None:
        now = ready.clock()
        at = next_slot(now, PULL_EVERY, 0)
        request = WorkRequest(WorkKind.COMPLIANCE, at, Lane.RERUN, why=OFTEN)
        ready.store.work.enqueue(request, now=now)


def enqueue_teams(ready: Services) -> None:
    """Enqueue the next look at the teams of every installation, spread over a day."""
    now = ready.clock()
    active = [one.id for one in ready.store.installations.all() if one.is_active]
    requests = [
        WorkRequest(
            *(WorkKind.TEAMS, next_slot(now, TEAMS_EVERY, number), Lane.RERUN, number),
            why="once a day",
        )
        for number in active
    ]
    ready.store.work.enqueue_all(requests, now=now)


def enqueue_vendor_pulls(ready: Services) -> None:
    """Enqueue the next reading of every vendor that is connected, spread over a day."""
    now = ready.clock()
    requests = [
        pull_request(one, next_slot(now, VENDORS_EVERY, one.installation_id), "once a day")
        for one in ready.store.vendors.connections()
    ]
    ready.store.work.enqueue_all(requests, now=now)


def enqueue_rounds(ready: Services) -> None:
    """Enqueue the next look at every repository, spread over the time between two looks."""
    now, known = ready.clock(), ready.store.installations
    active = {one.id for one in known.all() if one.is_active}
    repositories = [one for one in known.repositories() if one.installation_id in active]
    counts = Counter(one.installation_id for one in repositories)
    periods = {number: _period(ready, count) for number, count in counts.items()}
    requests = [
        reconcile_request(
            *(one.id, one.installation_id),
            next_slot(now, periods[one.installation_id], one.id),
            OFTEN,
        )
        for one in repositories
    ]
    ready.store.work.enqueue_all(requests, now=now)


def _period(ready: Services, repositories: int) -> timedelta:
    """Return the time between two looks at a repository of an installation with that many.

    A look costs about two requests, and all looks together take a tenth of GitHub's hour.
    """
    return max(ready.settings.reconcile_every, repositories * LOOK_COSTS)


def next_slot(now: datetime, period: timedelta, offset: int) -> datetime:
    """Return the next time that is a whole number of periods after `EPOCH`, shifted by ``offset``.

    It depends on nothing that a process remembers, so a scheduler that restarts every few seconds
    asks for the same time again.
    """
    seconds = max(period.total_seconds(), 1.0)
    shift = offset * 7919 % seconds
    passed = (now - EPOCH).total_seconds() - shift
    return EPOCH + timedelta(seconds=shift + (passed // seconds + 1) * seconds)


def look(
    ready: Services, recent: RecentlyQueued | None = None, outage: LoggedOutage | None = None
) -> int:
    """Queue overdue work and follow deliveries that were left; return how many jobs it queued.

    It survives an absent database or Redis: the next look tries again. ``outage`` remembers from
    look to look what was said of it.
    """
    outage = outage or LoggedOutage("look_failed")
    now = ready.clock()
    try:
        for delivery in ready.store.deliveries.unsettled(now - LEFT_BEHIND):
            _follow(delivery.guid, ready)
        items = ready.store.work.overdue(now, recent.enough if recent else MOST_QUEUED)
        queued = ready.queue.push(recent.new(items, now) if recent else items, now=now)
    except (StoreError, QueueAway) as error:
        if recent:
            recent.forget()
        outage.say(str(error))
        return 0
    outage.over()
    if queued:
        log.info("queued_overdue", count=queued)
    return queued


def sum_usage(ready: Services, outage: LoggedOutage | None = None) -> bool:
    """Sum again a portion of the usage that changed; say whether some is left for the next time.

    It survives an absent database: the next time tries again.
    """
    outage = outage or LoggedOutage("usage_not_summed")
    try:
        count = ready.store.usage.settle_some(SUMMED_AT_ONCE, ready.prices)
    except StoreError as error:
        outage.say(str(error))
        return False
    outage.over()
    return count >= SUMMED_AT_ONCE


def use_prices(ready: Services) -> None:
    """Price usage with the prices of this version from now on, and close the months that are over.

    Raises `StoreError`.
    """
    for month in ready.store.usage.use_prices(ready.prices, now=ready.clock()):
        log.info("month_closed", month=f"{month:%Y-%m}")


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
    """Delete what is settled and old, and evidence and logged accesses past their time.

    Raises `StoreError`.
    """
    now, settings = ready.clock(), ready.settings
    deliveries = ready.store.deliveries.expire(now - settings.deliveries_kept)
    items = ready.store.work.expire(now - settings.deliveries_kept)
    edits = ready.store.evidence.expire(now - settings.evidence_kept)
    # A replaced key is needed as long as evidence that it encoded.
    ready.store.fingerprint_keys.expire(now - settings.evidence_kept)
    ready.store.coverage.expire(now - settings.access_log_kept)
    ready.store.agent_reports.expire(now - settings.access_log_kept)
    ready.store.access_log.expire(now - settings.access_log_kept)
    ready.store.usage.expire((now - settings.usage_kept).date())
    ready.store.telemetry.expire(now)
    ready.store.vendors.expire((now - settings.usage_kept).date(), now=now)
    for sealed in (ready.store.vendors, ready.store.weeklies):
        sealed.forget_uninstalled(now - ENDED_FOR_SURE)
    ready.store.arrivals.expire((now - settings.access_log_kept).date())
    remove_unused(settings.data_dir / "git", now - settings.deliveries_kept)
    ready.kept_pulls.expire(now - settings.deliveries_kept)
    ready.store.logins.expire(now)
    ready.store.repository_names.expire(now - ASK_AGAIN)
    if deliveries or items or edits:
        log.info("tidied", deliveries=deliveries, items=items, edits=edits)


if __name__ == "__main__":
    sys.exit(main())
