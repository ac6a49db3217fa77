"""What RQ calls: one identifier in, one call. The story is told in `ghapp.perform`."""

import os

from ghapp import perform as due_work
from ghapp.bootstrap import services


def perform(item_id: int) -> None:
    """Do one due item, if it is still to be done."""
    due_work.perform(item_id, services(), worker=os.environ.get("RQ_WORKER_ID", "by hand"))
