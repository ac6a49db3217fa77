"""Put due work items into RQ's queues. The work table is the truth: the scheduler finds lost jobs.

A job carries one id and means nothing by itself; the worker asks the table whether the item is
still to be done.
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.exceptions import DuplicateJobError

from ghapp.store.work_items import Lane, WorkItem

JOB = "workers.jobs.perform"
"""By dotted name, so that nothing here imports a worker."""
JOB_TIMEOUT = {Lane.LIVE: 600, Lane.RERUN: 600, Lane.REPLAY: 1800}
"""Seconds that one item may take before RQ kills its job."""
FAILED_KEPT = 2
"""Seconds that RQ keeps a job whose process died. While RQ has its name, the same item cannot be
queued again. The worker's log says why it died."""
DEBOUNCE = 300
"""Seconds after which a job that RQ lost without a trace may be queued again."""
WAKE = "ghapp:wake"
"""The key of a list that holds one entry while new work may be due."""
PROBE = "ghapp:probe"
"""The key that is written to see whether Redis takes writes."""
WAKE_PAUSE = 0.02
"""Seconds in which one wake-up serves all new work: less than the scheduler waits before it looks,
once it is awake (`workers.schedule.AT_LEAST`)."""
QUICK = 1.0
"""Seconds that the answer to a webhook may wait for Redis."""

log = structlog.get_logger()


class QueueState(StrEnum):
    """Whether Redis can do its work now."""

    OK = "ok"
    AWAY = "away"
    """It does not answer, or lets nobody in."""
    READ_ONLY = "read-only"
    """It is a replica: after a failover, the address leads to the wrong server."""
    FULL = "full"
    """Its memory is used up, and ``noeviction`` lets it take nothing new."""
    REFUSING = "refuses writes"
    """Most often it cannot save to its disk."""


class QueueAway(RuntimeError):  # noqa: N818 - a state that callers wait out, like DatabaseUnavailable
    """Redis does not answer, or takes no writes. The items stay due in the database."""


def connect(redis_url: str, *, quick: bool = False) -> redis.Redis:
    """Return a client of Redis or Valkey; it connects at its first command.

    ``quick`` is for requests, which may not wait: short time limits and no retry.
    """
    limits = {"socket_timeout": QUICK, "socket_connect_timeout": QUICK} if quick else {}
    retry = {"retry": Retry(NoBackoff(), 0)} if quick else {}
    client: redis.Redis = redis.Redis.from_url(redis_url, **limits, **retry)
    return client


def write_state(connection: redis.Redis) -> QueueState:
    """Return whether a server takes writes now; it writes one key that expires."""
    try:
        connection.set(PROBE, 1, ex=60)
    except redis.RedisError as error:
        return state_of(error)
    return QueueState.OK


class RedisQueue:
    """The queues of all lanes in one Redis."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection = connection
        self._woke_at = -WAKE_PAUSE
        self._queues = {
            lane: Queue(lane.value, connection=connection, serializer="json") for lane in Lane
        }

    def push(self, items: Iterable[WorkItem], *, now: datetime) -> int:
        """Queue the items, each in its lane; return how many were not queued yet.

        Raises `QueueAway`.
        """
        return sum(self._push_one(item, now) for item in items)

    def wake(self) -> None:
        """Make the scheduler look at once, because new work may be due. Raises `QueueAway`.

        It sends one short request, so that answering a webhook does not wait for queues to fill,
        and none if it has just sent one.
        """
        now = time.monotonic()
        if now - self._woke_at < WAKE_PAUSE:
            return
        self._woke_at = now
        try:
            with self._connection.pipeline(transaction=False) as pipeline:
                pipeline.lpush(WAKE, 1)
                pipeline.ltrim(WAKE, 0, 0)
                pipeline.execute()
        except redis.RedisError as error:
            raise _away(error) from error

    def wait(self, seconds: float) -> bool:
        """Wait for a wake-up; ``False``: none came in that time, or Redis is away."""
        try:
            return self._connection.blpop([WAKE], timeout=seconds) is not None
        except redis.RedisError:
            return False

    def state(self) -> QueueState:
        """Return whether Redis takes writes now: a server that only answers does no work."""
        return write_state(self._connection)

    def is_alive(self) -> bool:
        """Say whether Redis takes writes now."""
        return self.state() is QueueState.OK

    def setting(self, name: str) -> str | None:
        """Return one of the server's settings; ``None``: it does not say, as hosted ones do."""
        try:
            settings: Any = self._connection.config_get(name)
        except redis.RedisError:
            return None
        value = settings.get(name)
        return None if value is None else str(value)

    def _push_one(self, item: WorkItem, now: datetime) -> bool:
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
            raise _away(error) from error
        return True


def _away(error: redis.RedisError) -> QueueAway:
    state = state_of(error)
    if state is QueueState.AWAY:
        return QueueAway(f"Redis cannot be reached: {type(error).__name__}")
    return QueueAway(f"Redis is {state}: {type(error).__name__}")


def state_of(error: redis.RedisError) -> QueueState:
    """Return which state of Redis an error tells of."""
    if isinstance(error, redis.exceptions.ReadOnlyError):
        return QueueState.READ_ONLY
    if isinstance(error, redis.exceptions.OutOfMemoryError):
        return QueueState.FULL
    away = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.AuthenticationError)
    is_away = isinstance(error, away) or str(error).startswith(("LOADING", "NOAUTH", "WRONGPASS"))
    return QueueState.AWAY if is_away else QueueState.REFUSING


def job_id(item: WorkItem, now: datetime) -> str:
    """Return the job's name in RQ: which work it is, and which try.

    The first lease of item 7, ``audit:42:17``, is ``audit-42-17-7-1-5930784``; the last number is
    the time in steps of `DEBOUNCE`.

    RQ refuses a name that it already holds, so pushing an item twice is harmless. Each lease makes
    a new name, and so does time: a job that died with its worker cannot block its item.
    """
    slot = int(now.astimezone(UTC).timestamp()) // DEBOUNCE
    return f"{item.name.replace(':', '-')}-{item.id}-{item.taken}-{slot}"
