"""What RQ calls: one identifier in, one call. The story is told in `ghapp.jobs.perform`."""

import os
import signal
from types import FrameType
from typing import NoReturn

import structlog

from ghapp.bootstrap import services
from ghapp.jobs import perform as due_work
from ghapp.log import bound

GIVE_BACK = signal.SIGUSR1
"""Asks the process of one job to give its item back. Not SIGTERM: systemd and Ctrl-C send theirs to
every process at once, and what is in work may end first."""

log = structlog.get_logger()


def perform(item_id: int) -> None:
    """Do one due item, if it is still to be done; on `GIVE_BACK` it is given back at once.

    Never raises: RQ would keep an error's text as it is, and the job's name with it, and so keep
    the item from being queued again. What is still to be done stands in the due table.
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
