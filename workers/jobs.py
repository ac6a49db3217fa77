"""What RQ calls: one identifier in, one call. The story is told in `ghapp.perform`."""

import os
import signal
from types import FrameType
from typing import NoReturn

from ghapp import perform as due_work
from ghapp.bootstrap import services
from ghapp.log import bound


def perform(item_id: int) -> None:
    """Do one due item, if it is still to be done; on SIGTERM it is given back at once."""
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        with bound(job=os.environ.get("RQ_JOB_ID")):
            worker = os.environ.get("RQ_WORKER_ID", "by hand")
            due_work.perform(item_id, services(), worker=worker)
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(signum: int, frame: FrameType | None) -> NoReturn:
    del signum, frame
    raise due_work.Stopping
