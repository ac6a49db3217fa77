"""kill -9 of web, worker, scheduler, Valkey and PostgreSQL at random: everything exists once.

A short form of the soak with real processes: the test kills one after the other during a delivery
and its audit, and restarts it at once, as `ghapp serve` does. The nightly run kills each of them
several times, on both databases and at new moments.
"""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from ghapp.attribution.model import Edit, EditHunk, TextLines
from ghapp.demo.sandbox import HubPull
from ghapp.store import StoreError
from tests.databases import Server, mortal_server
from tests.journeys.running import WRITTEN, Place, running_place
from tests.openapi.validate import problems
from tests.searching import FACTOR
from tests.waiting import wait_until

KILLED = ("web", "worker-live", "scheduler", "valkey")
DATABASE = "database"
VICTIMS = {"sqlite": KILLED, "postgresql": (DATABASE, "worker-live")}
"""Database → whom a plain run kills once."""
QUICK = {
    "GHAPP_SWEEP_SECONDS": "5",
    "GHAPP_RECONCILE_SECONDS": "15",
    "GHAPP_WRITE_PAUSE": "0",
    "GHAPP_LOG_LEVEL": "ERROR",
}
SETTLED_WITHIN = 240.0
"""Seconds: a lease of 30, a note of a write that nobody saw of 60, and a machine under load."""


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[Server | None]:
    """Return a PostgreSQL server to kill; ``None``: the database is SQLite."""
    if request.param == "sqlite":
        yield None
        return
    with mortal_server() as made:
        yield made


def test_killed_at_random_points_everything_stands_once(
    server: Server | None, tmp_path: Path
) -> None:
    url = server.url if server else None
    with running_place(tmp_path, database_url=url, app_settings=QUICK) as place:
        place.app.start("valkey", "web", "worker-live", "worker-rerun", "scheduler")
        chance = random.Random(20260520 if FACTOR == 1 else None)  # noqa: S311 - no secret
        names = victims("postgresql" if server else "sqlite")
        chance.shuffle(names)
        print("killed in this order:", *names)  # noqa: T201 - shown where the test fails
        deadly = [partial(kill, place, name, server) for name in names]
        with watched(place):
            pulls = [merged_while(place, number, die, chance) for number, die in enumerate(deadly)]
            wait_until(lambda: all(is_whole(place, one) for one in pulls), "all", SETTLED_WITHIN)
            wait_until(lambda: not still_open(place), "the end of all work", SETTLED_WITHIN)
        assert made_twice(place) == {}
        assert place.sandbox.violations == []
        deliveries = place.sandbox.world.deliveries.values()
        accepted = {one.guid for one in deliveries if 200 <= one.status_code < 300}
        assert accepted - place.store.deliveries.known(accepted) == set()
        # A killed process gives no answer, so only received answers are judged.
        assert problems([one for one in place.sandbox.exchanges if one.status], ()) == []


# --- events -------------------------------------------------------------------------------


def merged_while(
    place: Place, number: int, die: Callable[[], None], chance: random.Random
) -> HubPull:
    """Merge a pull request, send the webhook, and kill something meanwhile."""
    path = f"src/m{number}.py"
    edit = Edit(
        id=f"toolu_{number}",
        agent="claude-code",
        agent_session="kills",
        at=datetime.now(UTC) - timedelta(hours=1),
        path=path,
        lines=TextLines(hunks=(EditHunk(before=(), own=WRITTEN, after=()),)),
    )
    place.store.evidence.add(place.repository.id, [edit], now=datetime.now(UTC))
    pull = place.sandbox.open_pull(place.repository, files={path: "\n".join(WRITTEN) + "\n"})
    place.sandbox.merge(pull, method="squash")
    telling = threading.Thread(target=place.sandbox.deliver_closed, args=(pull,))
    telling.start()
    time.sleep(chance.uniform(0, 0.8))
    die()
    telling.join()
    return pull


def victims(database: str) -> list[str]:
    if FACTOR == 1:
        return list(VICTIMS[database])
    return [*KILLED, *VICTIMS[database]] * FACTOR


def kill(place: Place, name: str, server: Server | None) -> None:
    if name == DATABASE:
        assert server is not None
        server.kill()
        server.start()
        return
    process = place.app.children[name].process
    if process is not None:
        process.kill()


@contextlib.contextmanager
def watched(place: Place) -> Iterator[None]:
    """Restart whatever died, without backoff."""
    over = threading.Event()

    def watch() -> None:
        running = [one for one in place.app.children.values() if one.starts]
        while not over.wait(0.05):
            for child in running:
                child.watch(time.monotonic())
                child.pause = 0.2

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


# --- final checks -------------------------------------------------------------


def is_whole(place: Place, pull: HubPull) -> bool:
    seen = place.sandbox.visible(pull)
    runs = [(run.name, run.status) for run in seen.check_runs]
    labels = seen.label_names
    is_one = (runs, len(seen.comments)) == ([("attribution", "completed")], 1)
    return is_one and labels == ("claude-code-assisted",)


def still_open(place: Place) -> bool:
    try:
        return any(item.kind == "audit" for item in place.store.work.open())
    except StoreError:
        return True


def made_twice(place: Place) -> dict[str, int]:
    """Return what the app created more than once on one pull request, even if removed later."""
    made: Counter[str] = Counter()
    for one in place.sandbox.writes():
        if one.method == "POST" and str(one.template).endswith(("/comments", "/check-runs")):
            head = one.request_body.partition(b'"head_sha":')[2][:50]
            made[f"{one.path} {head!r}"] += 1
    return {what: count for what, count in made.items() if count > 1}
