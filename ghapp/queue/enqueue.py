"""Due items into RQ, by dotted name. The due table is the truth: what is lost here is swept.

A job carries one identifier and is worth nothing by itself; a worker asks the table whether
the item is still to be done.
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Protocol, cast

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.exceptions import DuplicateJobError

from ghapp.store.work_items import Lane, WorkItem

JOB = "workers.jobs.perform"
"""By name, so that nothing here imports a worker."""
JOB_TIMEOUT = {Lane.LIVE: 600, Lane.RERUN: 600, Lane.REPLAY: 1800}
"""Seconds that one item may take before its worker gives it up."""
FAILED_KEPT = 2
"""Seconds that RQ keeps a job whose process died: while its name is there, the same item cannot be
queued again. Why it died is in the worker's log."""
DEBOUNCE = 300
"""Seconds after which a job that RQ lost without a trace may be queued again."""
POKE = "ghapp:poke"
"""The key of a list that holds one entry while something new may be due."""
POKE_PAUSE = 0.02
"""Seconds in which one poke is for all that became due: less than the scheduler, once it is
awake, waits before it looks (`workers.schedule.AT_LEAST`)."""
QUICK = 1.0
"""Seconds that a webhook's answer may wait for Redis; the sweeper needs no answer at all."""

log = structlog.get_logger()


class QueueAway(RuntimeError):  # noqa: N818 - a state that callers wait out, like DatabaseUnavailable
    """Redis cannot be reached; the items stay due in the database."""


class WakeWorkers(Protocol):
    """How due items reach the workers."""

    def __call__(self, items: Iterable[WorkItem], *, now: datetime) -> int:
        """Queue the items; return how many were not queued yet. Raises `QueueAway`."""


def connect(redis_url: str, *, quick: bool = False) -> redis.Redis:
    """Return a client of Redis or Valkey; it connects at its first command.

    ``quick`` is for requests: short time limits and no second try, for they may not wait.
    """
    limits = {"socket_timeout": QUICK, "socket_connect_timeout": QUICK} if quick else {}
    retry = {"retry": Retry(NoBackoff(), 0)} if quick else {}
    client: redis.Redis = redis.Redis.from_url(redis_url, **limits, **retry)
    return client


class RedisQueue:
    """The three queues in one Redis."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection = connection
        self._poked_at = -POKE_PAUSE
        self._queues = {
            lane: Queue(lane.value, connection=connection, serializer="json") for lane in Lane
        }

    def __call__(self, items: Iterable[WorkItem], *, now: datetime) -> int:
        """Queue the items, each in its lane; return how many were not queued yet.

        Raises `QueueAway`.
        """
        return sum(self._one(item, now) for item in items)

    def wake(self) -> None:
        """Let the scheduler look at once: something has become due. Raises `QueueAway`.

        One short request, so that whoever answers a webhook need not fill queues; and none
        where another one has just been sent.
        """
        now = time.monotonic()
        if now - self._poked_at < POKE_PAUSE:
            return
        self._poked_at = now
        try:
            with self._connection.pipeline(transaction=False) as pipeline:
                pipeline.lpush(POKE, 1)
                pipeline.ltrim(POKE, 0, 0)
                pipeline.execute()
        except redis.RedisError as error:
            raise QueueAway(f"Redis cannot be reached: {type(error).__name__}") from error

    def wait(self, seconds: float) -> bool:
        """Wait for a poke; ``False``: none came in that time, or Redis is away."""
        try:
            return self._connection.blpop([POKE], timeout=seconds) is not None
        except redis.RedisError:
            return False

    def is_alive(self) -> bool:
        """Say whether Redis answers now."""
        try:
            return bool(self._connection.ping())
        except redis.RedisError:
            return False

    def setting(self, name: str) -> str | None:
        """Return one of the server's settings; ``None``: it does not tell (hosted ones)."""
        try:
            told = cast("dict[str, str]", self._connection.config_get(name))
        except redis.RedisError:
            return None
        return told.get(name)

    def _one(self, item: WorkItem, now: datetime) -> bool:
        try:
            self._queues[item.lane].enqueue_call(
                JOB,
                args=(item.id,),
                job_id=job_id(item, now),
                unique=True,
                timeout=JOB_TIMEOUT[item.lane],
                result_ttl=0,
                failure_ttl=FAILED_KEPT,
                description=item.name,
            )
        except DuplicateJobError:
            return False
        except redis.RedisError as error:
            raise QueueAway(f"Redis cannot be reached: {type(error).__name__}") from error
        return True


def job_id(item: WorkItem, now: datetime) -> str:
    """Return the job's name in RQ: it says what is done, and which try of it this is.

    >>> job_id(DueItem(id=7, name="audit:42:17", taken=1, ...), datetime(2026, 5, 20, tzinfo=UTC))
    'audit-42-17-7-1-5930784'

    RQ refuses a name that it holds already, which makes a repeat harmless. Each lease makes
    a new name, and so does time: a job that a dead worker took along cannot block its item.
    """
    slot = int(now.astimezone(UTC).timestamp()) // DEBOUNCE
    return f"{item.name.replace(':', '-')}-{item.id}-{item.taken}-{slot}"
