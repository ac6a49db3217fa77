"""A job of RQ that can be ours only. RQ would call whatever function Redis names."""

from collections.abc import Callable

import structlog
from rq.job import Job

from ghapp.queue.enqueue import JOB
from workers.jobs import perform

log = structlog.get_logger()


class ForeignJobError(Exception):
    """Redis holds a job that this app did not put there."""


class KnownJob(Job):
    """Calls `workers.jobs.perform` with one number, and nothing else, whatever Redis says.

    Whoever can write to Redis can wake workers for an item, which does no harm: the work table
    decides what is due. Without this, they could run any function as the app.
    """

    @property
    def func(self) -> Callable[[int], None]:
        """Return what is called. Raises `ForeignJobError`."""
        named, given = self.func_name, list(self.args)
        is_ours = named == JOB and not self.instance and not self.kwargs
        if not (is_ours and len(given) == 1 and type(given[0]) is int):
            log.error("foreign_job", named=str(named)[:100])
            raise ForeignJobError("a job in Redis is not ours: see who can write to REDIS_URL")
        return perform

    @property
    def success_callback(self) -> None:
        """Return that nothing is called after a job."""

    @property
    def failure_callback(self) -> None:
        """Return that nothing is called after a job that failed."""

    @property
    def stopped_callback(self) -> None:
        """Return that nothing is called after a job that was stopped."""
