"""The app keeps below GitHub's limits on writes where the stand-in enforces them."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ghapp.store import Store
from tests.faults.place import START, Place, running_place
from workers.schedule import CATCH_UP_EVERY, enqueue_left_out

WRITES_AN_HOUR = 20
MOST_ROUNDS = 60
PACED = {"GHAPP_WRITE_PAUSE": "1000", "GHAPP_WRITES_PER_HOUR": str(WRITES_AN_HOUR)}


@pytest.fixture
def paced(tmp_path: Path, sqlite_store: Store, redis_url: str) -> Iterator[Place]:
    """Return a place that writes at its usual pace, to a GitHub that counts."""
    with running_place(tmp_path, sqlite_store, redis_url, app_settings=PACED) as made:
        made.sandbox.world.limits.content_writes_a_minute = 60
        made.sandbox.world.limits.content_writes_an_hour = WRITES_AN_HOUR
        yield made


def test_many_merges_at_once_are_written_below_the_limits(paced: Place) -> None:
    paced.agent_wrote(range(9))
    pulls = [paced.merged() for _ in range(9)]
    for pull in pulls:
        paced.sandbox.deliver_closed(pull)
    paced.work()
    labels = [paced.sandbox.visible(pull).label_names for pull in pulls]
    assert labels == [("claude-code-assisted",)] * len(pulls)
    for _ in range(MOST_ROUNDS):
        if not paced.store.publications.left_out(START):
            break
        enqueue_left_out(paced.services)
        paced.clock.now += CATCH_UP_EVERY
        paced.work(CATCH_UP_EVERY)
    paced.expect_finished(*pulls)
    sent = [one for one in paced.sandbox.exchanges if one.identity.startswith("installation")]
    assert not [one for one in sent if one.status in {403, 429}]
    times = [one.at for one in sent if one.method != "GET"]
    assert len(times) > WRITES_AN_HOUR
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(pauses) >= timedelta(seconds=1)
