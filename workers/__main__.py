"""One worker process for one queue: `python -m workers live`. It holds no job.

Never two queues: a worker on two of them takes a job in a way that loses it when the
process dies before it starts.
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
"""Seconds; RQ waits for a job 15 fewer, and looks for abandoned ones only between two waits."""
MAINTENANCE = 15
MONITORING = 5
SILENT = 20
"""Seconds without a sign of life after which a job counts as abandoned; RQ alone waits 65. With
the longest wait of an idle worker that is less than a minute."""
FINISH_WITHIN = 6.0
"""Seconds that an item in work has to come to its end once the worker is asked to stop. Then it is
given back, with time left before whoever asked kills: 10 in `ghapp serve` and in containers."""
_PR_SET_PDEATHSIG = 1


class ForkingWorker(Worker):
    """Forks for each job; a fork that outlives its worker ends, and its item comes back."""

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Return for how many seconds a sign of life of a job holds."""
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
        """Let the fork hear of a stop only while it has an item to give back (`workers.jobs`)."""
        for signum in (signal.SIGINT, signal.SIGTERM, GIVE_BACK):
            signal.signal(signum, signal.SIG_IGN)

    def handle_warm_shutdown_request(self) -> None:
        """Take no more, and have what is in work given back where it does not end in time."""
        timer = threading.Timer(FINISH_WITHIN, self._have_it_given_back)
        timer.daemon = True
        timer.start()

    def _have_it_given_back(self) -> None:
        if self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self.horse_pid, GIVE_BACK)


def worker_of(lane: Lane, settings: Settings) -> Worker:
    """Return the worker of one queue, with settings that bring a lost job back in a minute."""
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
    """Run until asked to stop; 2 where the queue's name is not one of ours."""
    if len(arguments) != 1 or arguments[0] not in set(Lane):
        sys.stderr.write(f"usage: python -m workers {'|'.join(Lane)}\n")
        return 2
    # Built before the first fork, so that no job pays for the imports.
    ready = services()
    # The same for the app's key, which takes a tenth of a second to read.
    _ = ready.auth
    worker_of(Lane(arguments[0]), ready.settings).work(logging_level="WARNING")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
