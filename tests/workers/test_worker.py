"""A real worker process: what breaks before an item is leased keeps nothing and bars nothing."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from rq.exceptions import StopRequested

from ghapp.queue.enqueue import FAILED_KEPT, RedisQueue, connect, job_id
from ghapp.serve.programs import GRACE, child_environment
from ghapp.settings import Settings
from ghapp.store import Lane, Store, WorkItem, WorkRequest
from tests.app_key import PRIVATE_KEY
from tests.databases import make_sqlite
from tests.faults.test_secrets import values_in
from tests.queues import MortalValkey
from tests.waiting import wait_until
from workers.__main__ import FINISH_WITHIN, main, worker_of
from workers.schedule import FORGET_AFTER

PASSWORD = "hunter2-in-the-address"
NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)


@pytest.fixture
def item(sqlite_store: Store) -> WorkItem:
    """Return an item that can be taken now."""
    sqlite_store.work.enqueue(WorkRequest(kind="audit", due_at=NOW, pull_request=17), now=NOW)
    (found,) = sqlite_store.work.overdue(NOW)
    return found


class Logged:
    """A process whose log a test reads while it runs."""

    def __init__(self, module: str, *arguments: str, log: Path, env: dict[str, str]) -> None:
        self._path = log
        with log.open("wb") as file:
            command = (sys.executable, "-m", module, *arguments)
            self.process = subprocess.Popen(command, env=env, stdout=file, stderr=file)

    def lines(self, event: str) -> list[str]:
        """Return the log lines of one event."""
        return [one for one in self.text().splitlines() if f'"event": "{event}"' in one]

    def text(self) -> str:
        """Return the whole log so far."""
        return self._path.read_text()

    def wait_for(self, event: str, times: int = 1) -> None:
        """Wait until an event was logged so often."""

        def is_logged() -> bool:
            said = len(self.lines(event)) >= times
            assert said or self.process.poll() is None, self.text()
            return said

        wait_until(is_logged, self.text)


@pytest.fixture
def worker(redis_url: str, tmp_path: Path) -> Iterator[Logged]:
    """Return a live worker whose database is away."""
    environment = {
        **child_environment({"PATH": os.environ["PATH"], "HOME": str(tmp_path)}),
        "GHAPP_DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": f"postgresql://ghapp:{PASSWORD}@127.0.0.1:1/nowhere",
        "REDIS_URL": redis_url,
        "GITHUB_APP_ID": "7",
        "GITHUB_PRIVATE_KEY": PRIVATE_KEY,
        "GITHUB_WEBHOOK_SECRETS": "0f3b2a9c55d14e7788aa",
    }
    made = Logged("workers", "live", log=tmp_path / "log", env=environment)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()


def test_a_job_whose_worker_died_before_the_lease_is_back_within_a_minute(
    redis_url: str, item: WorkItem, tmp_path: Path
) -> None:
    settings = Settings.from_environment(
        {
            "GHAPP_DATA_DIR": str(tmp_path),
            "REDIS_URL": redis_url,
            "GITHUB_APP_ID": "7",
            "GITHUB_PRIVATE_KEY": PRIVATE_KEY,
            "GITHUB_WEBHOOK_SECRETS": "0f3b2a9c55d14e7788aa",
        }
    )
    worker = worker_of(Lane.LIVE, settings)
    RedisQueue(connect(redis_url)).push([item], now=NOW)
    (job,) = worker.queues[0].jobs
    worker.prepare_execution(job)
    with redis.Redis.from_url(redis_url) as client:
        ((_, silent_at),) = client.zrange(job.started_job_registry.key, 0, -1, withscores=True)
    silent = silent_at - time.time()
    waits = worker.dequeue_timeout + FAILED_KEPT + FORGET_AFTER.total_seconds()
    assert 0 < silent + waits < 60


def test_a_job_that_breaks_keeps_no_secret_and_can_be_queued_again(
    worker: Logged, item: WorkItem, redis_url: str
) -> None:
    queue = RedisQueue(connect(redis_url))
    for times in (1, 2):
        assert queue.push([item], now=NOW) == 1
        worker.wait_for("job_failed", times)
        with redis.Redis.from_url(redis_url) as client:
            wait_until(lambda: not client.keys("rq:job:*"), "the end of the job's key")
            assert [one for one in values_in(client) if PASSWORD.encode() in one] == []
    assert "DatabaseUnavailable" in worker.text()
    assert PASSWORD not in worker.text()
    lines = [json.loads(line) for line in worker.lines("job_failed")]
    assert {line["job"] for line in lines} == {job_id(item, NOW)}


@pytest.mark.parametrize("arguments", [[], ["live", "rerun"], ["urgent"]])
def test_a_worker_serves_one_queue_that_there_is(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "usage" in capsys.readouterr().err


def test_a_worker_puts_its_item_back_before_it_is_killed() -> None:
    # What it then does is in `tests/journeys/test_stopping.py`.
    assert GRACE - FINISH_WITHIN >= 3


def environment(data: Path, url: str) -> dict[str, str]:
    return {
        **child_environment({"PATH": os.environ["PATH"], "HOME": str(data)}),
        "GHAPP_DATA_DIR": str(data),
        "DATABASE_URL": make_sqlite(f"sqlite:///{data}/ghapp.sqlite3"),
        "REDIS_URL": url,
        "GITHUB_APP_ID": "7",
        "GITHUB_PRIVATE_KEY": PRIVATE_KEY,
        "GITHUB_WEBHOOK_SECRETS": "0f3b2a9c55d14e7788aa",
    }


PROGRAMS = {"worker": ("workers", "live"), "scheduler": ("workers.schedule",)}


@pytest.fixture(params=PROGRAMS)
def program(
    request: pytest.FixtureRequest, own_valkey: MortalValkey, tmp_path: Path
) -> Iterator[Logged]:
    """Return a worker and then a scheduler, whose Redis is away when it starts."""
    module, *arguments = PROGRAMS[request.param]
    env = environment(tmp_path, own_valkey.url)
    with Store.unmigrated(env["DATABASE_URL"]) as store:
        # So that the scheduler has something to queue.
        store.work.enqueue(WorkRequest(kind="audit", due_at=NOW, pull_request=17), now=NOW)
    made = Logged(module, *arguments, log=tmp_path / "log", env=env)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()


AWAY = {"worker": "queue_away", "scheduler": "look_failed"}


def test_a_redis_that_comes_and_goes_is_said_once_each_time(
    program: Logged, own_valkey: MortalValkey, request: pytest.FixtureRequest
) -> None:
    event = AWAY[request.node.callspec.params["program"]]
    program.wait_for(event)
    own_valkey.start()
    program.wait_for(f"{event}_over")
    if event == "queue_away":
        own_valkey.follow("127.0.0.1", 9)
        program.wait_for(event, 2)
        assert "read-only" in program.lines(event)[1]
        own_valkey.lead()
        program.wait_for(f"{event}_over", 2)
    assert len(program.text().splitlines()) <= 8, program.text()
    assert "Traceback" not in program.text()
    assert program.process.poll() is None


def test_each_step_of_a_worker_ends_in_good_order_where_redis_refuses(
    own_valkey: MortalValkey, tmp_path: Path
) -> None:
    own_valkey.start()
    settings = Settings.from_environment(environment(tmp_path, own_valkey.url))
    worker = worker_of(Lane.LIVE, settings)
    own_valkey.follow("127.0.0.1", 9)
    with pytest.raises(StopRequested):
        worker.run_maintenance_tasks()
    with pytest.raises(StopRequested):
        worker.dequeue_job_and_maintain_ttl(1)
    own_valkey.stop()
    with pytest.raises(StopRequested):
        worker.check_for_suspension(burst=True)


def test_a_stop_while_redis_is_away_is_at_once_and_in_good_order(
    program: Logged, request: pytest.FixtureRequest
) -> None:
    program.wait_for(AWAY[request.node.callspec.params["program"]])
    program.process.terminate()
    assert program.process.wait(60) == 0
    assert "Traceback" not in program.text()
