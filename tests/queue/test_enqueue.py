"""Work items on a real Valkey: named, not doubled, and an error that says Redis is away."""

import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import redis
from rq import Queue
from rq.registry import FailedJobRegistry

from ghapp.queue.enqueue import (
    DEBOUNCE,
    FAILED_KEPT,
    JOB,
    JOB_TIMEOUT,
    WAKE,
    WAKE_PAUSE,
    QueueAway,
    QueueState,
    RedisQueue,
    connect,
    job_id,
)
from ghapp.store import Lane, Store, WorkItem, WorkRequest
from tests.queues import MortalValkey

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
        assert -1 < client.pttl(f"rq:job:{name}") <= FAILED_KEPT * 1000
        # These two seconds are over.
        client.delete(f"rq:job:{name}")
    assert queue.push([item], now=NOW) == 1


def test_without_redis_it_says_so_at_once(item: WorkItem) -> None:
    queue = RedisQueue(connect("unix:///nowhere/valkey.sock", quick=True))
    with pytest.raises(QueueAway, match="cannot be reached"):
        queue.push([item], now=NOW)
    assert not queue.is_alive()
    assert not queue.wait(0.01)
    assert queue.setting("maxmemory-policy") is None
    with pytest.raises(QueueAway, match="cannot be reached"):
        queue.wake()


@pytest.mark.parametrize("lane", Lane)
def test_each_lane_has_its_queue_and_its_time(redis_url: str, item: WorkItem, lane: Lane) -> None:
    RedisQueue(connect(redis_url)).push([msgspec.structs.replace(item, lane=lane)], now=NOW)
    with redis.Redis.from_url(redis_url) as client:
        (job,) = Queue(lane.value, connection=client, serializer="json").get_jobs()
    assert job.timeout == JOB_TIMEOUT[lane]


def test_the_next_lease_of_an_item_has_another_name(redis_url: str, item: WorkItem) -> None:
    queue = RedisQueue(connect(redis_url))
    assert queue.push([item], now=NOW) == 1
    assert queue.push([msgspec.structs.replace(item, taken=1)], now=NOW) == 1


def test_a_wake_up_ends_the_wait_and_many_are_one(redis_url: str) -> None:
    queues = [RedisQueue(connect(redis_url)) for _ in range(3)]
    assert not queues[0].wait(0.05)
    for queue in queues:
        queue.wake()
    assert queues[0].wait(60)
    assert not queues[0].wait(0.05)


def test_a_process_that_has_just_sent_a_wake_up_sends_no_other(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("ghapp.queue.enqueue.time.monotonic", lambda: now[0])
    queue = RedisQueue(connect(redis_url))
    sent = []
    with redis.Redis.from_url(redis_url) as client:
        for passed in (0.0, WAKE_PAUSE / 2, WAKE_PAUSE):
            now[0] += passed
            queue.wake()
            sent.append(client.llen(WAKE))
            client.delete(WAKE)
    assert sent == [1, 0, 1]


def test_a_server_says_its_settings(redis_url: str) -> None:
    queue = RedisQueue(connect(redis_url))
    assert queue.is_alive()
    assert queue.setting("maxmemory-policy") == "noeviction"
    assert queue.setting("no-such-setting") is None


def test_a_server_that_only_answers_is_not_well(own_valkey: MortalValkey, item: WorkItem) -> None:
    queue = RedisQueue(connect(own_valkey.url, quick=True))
    assert queue.state() is QueueState.AWAY
    own_valkey.start()
    assert queue.state() is QueueState.OK
    own_valkey.follow("127.0.0.1", 9)
    assert queue.state() is QueueState.READ_ONLY
    for ask in (queue.wake, lambda: queue.push([item], now=NOW)):
        with pytest.raises(QueueAway, match="read-only"):
            ask()
    own_valkey.lead()
    own_valkey.set(maxmemory="1")
    assert queue.state() is QueueState.FULL
    with pytest.raises(QueueAway, match="full"):
        queue.push([item], now=NOW)
    own_valkey.set(maxmemory="0")
    assert queue.is_alive()
    assert queue.push([item], now=NOW) == 1
