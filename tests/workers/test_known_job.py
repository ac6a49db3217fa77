"""Whoever can write to Redis wakes workers, and makes none of them call anything else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from rq import Queue
from rq.job import Callback

from ghapp.queue.enqueue import JOB
from tests.cases import TOP
from tests.waiting import wait_until
from tests.workers.test_worker import Logged, environment

PLANTED = "planted.run"
SOURCE = """
import pathlib

pathlib.Path(__file__).with_name("was imported").touch()


def run(*_):
    pathlib.Path(__file__).with_name("was called").touch()
"""


@pytest.fixture
def worker(redis_url: str, tmp_path: Path) -> Iterator[Logged]:
    """Return a real worker that could import a module which leaves a mark."""
    (tmp_path / "planted.py").write_text(SOURCE)
    path = {"PYTHONPATH": f"{TOP}:{tmp_path}"}
    env = {**environment(tmp_path, redis_url), **path}
    made = Logged("workers", "live", log=tmp_path / "log", env=env)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()


def enqueue(client: "redis.Redis", named: str, *given: Any, **more: Any) -> str:
    queue = Queue("live", connection=client, serializer="json")
    return queue.enqueue_call(named, args=given, result_ttl=0, failure_ttl=1, **more).id


@pytest.mark.parametrize(
    ("named", "given", "more"),
    [
        (PLANTED, (1,), {}),
        ("os.mkdir", ("was called",), {}),
        (JOB, ("was called",), {}),
        (JOB, (1, 2), {}),
        (JOB, (1,), {"on_success": Callback(PLANTED)}),
        (JOB, (1, 2), {"on_failure": Callback(PLANTED), "on_stopped": Callback(PLANTED)}),
    ],
    ids=["module", "function", "text", "two", "after success", "after failure"],
)
def test_a_worker_calls_nothing_that_redis_names(
    *,
    worker: Logged,
    redis_url: str,
    tmp_path: Path,
    named: str,
    given: tuple[Any, ...],
    more: dict[str, Any],
) -> None:
    client = redis.Redis.from_url(redis_url)
    enqueue(client, named, *given, **more)
    # A job of ours comes after it: when that is over, so is the other.
    last = enqueue(client, JOB, 99)
    wait_until(lambda: not client.exists(f"rq:job:{last}"), worker.text)
    assert not list(tmp_path.glob("was *"))
    is_ours = (named, len(given), type(given[0])) == (JOB, 1, int)
    assert len(worker.lines("foreign_job")) == (0 if is_ours else 1), worker.text()


def test_what_redis_calls_abandoned_calls_nothing_either(
    worker: Logged, redis_url: str, tmp_path: Path
) -> None:
    client = redis.Redis.from_url(redis_url)
    queue = Queue("live", connection=client, serializer="json")
    job = queue.create_job(JOB, args=(1,), on_failure=Callback(PLANTED))
    job.save()
    client.hset(job.key, "status", "started")
    client.zadd(queue.started_job_registry.key, {f"{job.id}:1": 1})

    def is_cleaned() -> bool:
        enqueue(client, JOB, 99)
        return not client.zcard(queue.started_job_registry.key)

    wait_until(is_cleaned, worker.text)
    assert not list(tmp_path.glob("was *"))
