"""A peak day of merges against GitHub's limit of writes: ``python -m tests.faults.peak``.

The clock is ours, all else is real: store, Valkey, web app, publishers, and a GitHub that counts.
"""

import logging
import sys
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click
import structlog

from ghapp.demo.sandbox import HubPull
from ghapp.jobs.perform import perform
from ghapp.store import Store, WorkKind
from tests.faults.place import Place, running_place
from tests.queues import valkey_server
from workers.schedule import CATCH_UP_EVERY, enqueue_left_out, look

LABEL = "claude-code-assisted"


class PeakDay(NamedTuple):
    """What a day of merges left behind, and a GitHub that counted."""

    merged: int
    assisted: int
    refused: int
    """Requests that GitHub refused for its limits."""
    latest_label: timedelta
    """From the merge to the label, at most."""
    oldest_item: timedelta
    """How long a work item was overdue, at most."""
    labels: int
    runs: int
    comments: int
    left_out: int
    """Pull requests that something is left out of when the merges end."""
    caught_up: timedelta | None
    """From then until nothing is left out; ``None``: not within the time that was looked at."""
    audited: int


def settings(writes_an_hour: int) -> dict[str, str]:
    """Return the app's settings at a scaled limit; the second between writes stays."""
    return {"GHAPP_WRITE_PAUSE": "1000", "GHAPP_WRITES_PER_HOUR": str(writes_an_hour)}


def play(
    place: Place, merges: int, *, hours: int, writes_an_hour: int, after: timedelta
) -> PeakDay:
    """Merge so many pull requests in so many hours, two of five with an agent's lines.

    ``after`` is how long the app may make up for what it left out.
    """
    place.sandbox.world.limits.content_writes_an_hour = writes_an_hour
    assisted = [number for number in range(merges) if number % 5 < 2]
    place.agent_wrote(assisted)
    day = _Day(place)
    every = timedelta(hours=hours) / merges
    for number in range(merges):
        place.sandbox.deliver_closed(place.merged())
        day.until(day.start + every * (number + 1))
    out = len(day.left_out())
    over, caught_up = place.clock(), None
    while place.clock() < over + after and caught_up is None:
        day.until(place.clock() + CATCH_UP_EVERY)
        if not day.left_out() and not place.open_items():
            caught_up = place.clock() - over
    seen = [place.sandbox.visible(pull) for pull in place.pulls]
    return PeakDay(
        merged=merges,
        assisted=len(assisted),
        refused=sum(
            one.status in {403, 429}
            for one in place.sandbox.exchanges
            if one.identity.startswith("installation")
        ),
        latest_label=max(day.labelled.values()),
        oldest_item=day.oldest,
        labels=sum(LABEL in one.label_names for one in seen),
        runs=sum(len(one.check_runs) for one in seen),
        comments=sum(len(one.comments) for one in seen),
        left_out=out,
        caught_up=caught_up,
        audited=sum(
            place.store.audits.latest(place.repository.id, one.number) is not None
            for one in place.pulls
        ),
    )


class _Day:
    """The app at work while the clock runs."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.start = place.clock()
        self.oldest = timedelta()
        self.labelled: dict[int, timedelta] = {}
        self._caught_up = place.clock()

    def until(self, end: datetime) -> None:
        """Do all work that becomes due until then, and let the clock run."""
        clock = self.place.clock
        while clock() < end:
            self._work()
            if clock() >= self._caught_up + CATCH_UP_EVERY:
                enqueue_left_out(self.place.services)
                self._caught_up = clock()
                continue
            due = [one.due_at for one in self.place.open_items() if one.due_at > clock()]
            clock.now = max(clock(), min([*due, end, self._caught_up + CATCH_UP_EVERY]))
        self._work()

    def left_out(self) -> tuple[tuple[int, int], ...]:
        """Return the pull requests that something is left out of."""
        since, most = self.start - timedelta(days=1), 10_000
        installation = self.place.installation.id
        return self.place.store.publications.pulls_left_out(installation, since, most)

    def _work(self) -> None:
        place = self.place
        while items := place.store.work.overdue(place.clock()):
            look(place.services)
            for item in items:
                if item.kind != WorkKind.OUTCOMES:
                    self.oldest = max(self.oldest, place.clock() - item.due_at)
                perform(item.id, place.services, worker="peak")
                self._note(item.pull_request)

    def _note(self, number: int | None) -> None:
        for pull in self.place.pulls:
            if pull.number != number or number in self.labelled:
                continue
            if LABEL in self.place.sandbox.visible(pull).label_names:
                self.labelled[pull.number] = self.place.clock() - merged_at(pull)


def merged_at(pull: HubPull) -> datetime:
    """Return when a pull request was merged."""
    assert pull.merged_at is not None
    return pull.merged_at


@click.command()
@click.option("--merges", default=500, show_default=True)
@click.option("--hours", default=10, show_default=True)
@click.option("--writes", default=25, show_default=True, help="GitHub's limit an hour.")
@click.option("--days-after", default=3, show_default=True)
def main(merges: int, hours: int, writes: int, days_after: int) -> None:
    """Play a peak day: 1:20 of 10,000 merged in ten hours, unless told otherwise."""
    quiet = structlog.make_filtering_bound_logger(logging.WARNING)
    structlog.configure(wrapper_class=quiet)
    with TemporaryDirectory() as folder, valkey_server() as redis_url:
        store = Store.open(f"sqlite:///{folder}/peak.sqlite3")
        with running_place(Path(folder), store, redis_url, app_settings=settings(writes)) as place:
            after = timedelta(days=days_after)
            found = play(place, merges, hours=hours, writes_an_hour=writes, after=after)
        for name, value in found._asdict().items():
            click.echo(f"{name.replace('_', ' '):14} {value}")
    sys.exit(found.labels != found.assisted or found.audited != found.merged)


if __name__ == "__main__":
    main()
