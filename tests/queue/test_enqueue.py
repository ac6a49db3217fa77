"""Work items on a real Valkey: named, not doubled, and an error that says Redis is away."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
import redis
from rq import Queue
from rq.registry import FailedJobRegistry

from ghapp.queue.enqueue import DEBOUNCE, FAILED_KEPT, JOB, QueueAway, RedisQueue, connect, job_id
from ghapp.store import Lane, Store, WorkItem, WorkRequest

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)


@pytest.fixture
def item(sqlite_store: Store) -> WorkItem:
    """Return an item that can be taken now."""
    request = WorkRequest(
        kind="audit", due_at=NOW, repository_id=42, pull_request=17, installation_id=5
    )
    sqlite_store.work.enqueue(request, now=NOW)
    (found,) = sqlite_store.work.overdue(NOW)
    return found


def jobs(redis_url: str, lane: Lane) -> list[str]:
    with redis.Redis.from_url(redis_url) as client:
        return Queue(lane.value, connection=client, serializer="json").get_job_ids()


def test_an_item_is_queued_once(redis_url: str, item: WorkItem) -> None:
    queue = RedisQueue(connect(redis_url))
    assert queue.push([item, item], now=NOW) == 1
    assert queue.push([item], now=NOW) == 0
    assert jobs(redis_url, Lane.LIVE) == [job_id(item, NOW)]
    assert jobs(redis_url, Lane.RERUN) == []


def test_a_job_carries_the_item_s_number_and_nothing_else(redis_url: str, item: WorkItem) -> None:
    RedisQueue(connect(redis_url)).push([item], now=NOW)
    with redis.Redis.from_url(redis_url) as client:
        queue = Queue(Lane.LIVE.value, connection=client, serializer="json")
        (job,) = queue.get_jobs()
        assert (job.func_name, job.args, job.kwargs) == (JOB, [item.id], {})
        assert job.description == "audit:42:17"


def test_a_job_s_name_speaks_and_rq_takes_it(item: WorkItem) -> None:
    assert job_id(item, NOW).startswith(f"audit-42-17-{item.id}-0-")
    assert re.fullmatch(r"[A-Za-z0-9_-]+", job_id(item, NOW))


def test_what_was_lost_with_its_name_can_be_queued_again_after_a_while(
    redis_url: str, item: WorkItem
) -> None:
    queue = RedisQueue(connect(redis_url))
    later = NOW + timedelta(seconds=DEBOUNCE)
    assert queue.push([item], now=NOW) == 1
    assert queue.push([item], now=later) == 1


def test_a_job_whose_process_died_does_not_bar_its_item(redis_url: str, item: WorkItem) -> None:
    queue = RedisQueue(connect(redis_url))
    assert queue.push([item], now=NOW) == 1
    with redis.Redis.from_url(redis_url) as client:
        name = job_id(item, NOW)
        (job,) = Queue(Lane.LIVE.value, connection=client, serializer="json").get_jobs()
        # As RQ itself does where a fork was killed, or a worker's heartbeat is long past.
        FailedJobRegistry(Lane.LIVE.value, client, serializer="json").add(job, ttl=job.failure_ttl)
        assert queue.push([item], now=NOW) == 0
        end = time.monotonic() + FAILED_KEPT + 5
        while client.exists(f"rq:job:{name}") and time.monotonic() < end:
            time.sleep(0.1)
    assert queue.push([item], now=NOW) == 1


def test_without_redis_it_says_so_at_once(item: WorkItem) -> None:
    queue = RedisQueue(connect("unix:///nowhere/valkey.sock", quick=True))
    with pytest.raises(QueueAway, match="cannot be reached"):
        queue.push([item], now=NOW)
    assert not queue.is_alive()
