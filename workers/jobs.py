"""What RQ calls: one id in, one call out. `ghapp.jobs.perform` does the work."""

import os
import signal
from types import FrameType
from typing import NoReturn

import structlog

from ghapp.bootstrap import services
from ghapp.jobs import perform as due_work
from ghapp.log import bound

GIVE_BACK = signal.SIGUSR1
"""Asks the process of one job to put its item back. Not SIGTERM: systemd and Ctrl-C signal every
process at once, and an item in work may finish first."""

log = structlog.get_logger()


def perform(item_id: int) -> None:
    """Do one work item if it is still due; on `GIVE_BACK` put it back at once.

    It never raises: RQ would store the error's text unredacted and keep the job's name, which bars
    the item from being queued again. The work table knows what is still to be done.
    """
    before = signal.signal(GIVE_BACK, _stop)
    with bound(job=os.environ.get("RQ_JOB_ID")):
        worker = os.environ.get("RQ_WORKER_ID", "by hand")
        try:
            due_work.perform(item_id, services(), worker=worker)
        except Exception:
            log.exception("job_failed", item_id=item_id)
        finally:
            signal.signal(GIVE_BACK, before)


def _stop(signum: int, frame: FrameType | None) -> NoReturn:
    del signum, frame
    raise due_work.WorkerStopping
