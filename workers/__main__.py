"""One worker process for one queue: `python -m workers live`. It defines no job.

It never serves two queues: RQ pops a job from several queues in a way that loses it if the process
dies before it starts the job.
"""

import ctypes
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from secrets import token_hex
from typing import Any

from rq import Queue, Worker
from rq.job import Job
from rq.worker import SpawnWorker

from ghapp.bootstrap import connect_queue, services
from ghapp.settings import Settings
from ghapp.store import Lane
from workers.jobs import GIVE_BACK

WORKER_TTL = 40
"""Seconds. RQ waits for a job 15 seconds less, and looks for abandoned jobs between two waits."""
MAINTENANCE = 15
"""Seconds between two looks for abandoned jobs."""
MONITORING = 5
"""Seconds between two signs of life of a job."""
SILENT = 20
"""Seconds without a sign of life after which a job counts as abandoned (RQ's default: 65). Together
with the longest wait of an idle worker, that is less than a minute."""
FINISH_WITHIN = 6.0
"""Seconds that an item in work may still take once the worker is asked to stop. Then the worker
puts it back, before it is killed: `ghapp serve` and containers kill after 10 seconds."""
_PR_SET_PDEATHSIG = 1


class ForkingWorker(Worker):
    """Forks for each job. A fork that outlives its worker ends, and its item is due again."""

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Return how many seconds a job's sign of life holds."""
        del job, working_time
        return SILENT

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Run one job in the fork."""
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == 1:
                os._exit(1)
        super().main_work_horse(job, queue)

    def setup_work_horse_signals(self) -> None:
        """Let the fork react to signals only while it has an item to put back (`workers.jobs`)."""
        for signum in (signal.SIGINT, signal.SIGTERM, GIVE_BACK):
            signal.signal(signum, signal.SIG_IGN)

    def handle_warm_shutdown_request(self) -> None:
        """Take no more jobs; put the item in work back if it does not end in time."""
        timer = threading.Timer(FINISH_WITHIN, self._put_back)
        timer.daemon = True
        timer.start()

    def _put_back(self) -> None:
        if self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self.horse_pid, GIVE_BACK)


def worker_of(lane: Lane, settings: Settings) -> Worker:
    """Return the worker of one queue, set to find a lost job within a minute."""
    connection = connect_queue(settings)
    # macOS kills a forked process that touches its frameworks, so there each job is spawned.
    kind: type[Worker] = SpawnWorker if sys.platform == "darwin" else ForkingWorker
    options: dict[str, Any] = {
        "worker_ttl": WORKER_TTL,
        "maintenance_interval": MAINTENANCE,
        "job_monitoring_interval": MONITORING,
        "log_job_description": False,
        "serializer": "json",
    }
    name = f"{lane.value}-{socket.gethostname()}-{os.getpid()}-{token_hex(3)}"
    queue = Queue(lane.value, connection=connection, serializer="json")
    return kind([queue], name=name, connection=connection, **options)


def main(arguments: list[str]) -> int:
    """Run until asked to stop; return 2 if the queue's name is not one of ours."""
    if len(arguments) != 1 or arguments[0] not in set(Lane):
        sys.stderr.write(f"usage: python -m workers {'|'.join(Lane)}\n")
        return 2
    os.umask(0o077)
    # Built before the first fork, so that no job pays for the imports.
    ready = services()
    # So is the app's key, which takes a tenth of a second to read.
    _ = ready.auth
    worker_of(Lane(arguments[0]), ready.settings).work(logging_level="WARNING")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
