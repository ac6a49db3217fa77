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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from secrets import token_hex
from types import FrameType
from typing import Any

import redis
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.worker import SpawnWorker

from ghapp.bootstrap import connect_queue, services
from ghapp.log import LoggedOutage
from ghapp.queue.enqueue import QueueState, write_state
from ghapp.settings import Settings
from ghapp.store import Lane
from workers.jobs import GIVE_BACK
from workers.known_job import KnownJob

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
LONGEST_PAUSE = 4.0
"""Seconds between two looks whether Redis is back, at most."""
_PR_SET_PDEATHSIG = 1


class PatientWorker(Worker):
    """Ends without a traceback where Redis goes away or takes no writes; `serve_lane` waits then.

    RQ would end with a traceback, or log each of its own tries.
    """

    is_asked_to_stop = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Remember that this end is wanted."""
        self.is_asked_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Show a sign of life; without Redis, take no more jobs."""
        try:
            super().heartbeat(timeout, pipeline)
        except redis.RedisError as error:
            if not self.horse_pid:
                raise StopRequested from error

    def check_for_suspension(self, burst: bool) -> None:  # noqa: FBT001 - RQ's signature
        """Wait while the queue is suspended; where Redis refuses, end."""
        with ending_without_redis():
            super().check_for_suspension(burst)

    def run_maintenance_tasks(self) -> None:
        """Look for abandoned jobs; where Redis refuses, end."""
        with ending_without_redis():
            super().run_maintenance_tasks()  # type: ignore[no-untyped-call]

    def dequeue_job_and_maintain_ttl(self, *given: Any, **more: Any) -> Any:
        """Wait for a job; where Redis refuses, end."""
        with ending_without_redis():
            return super().dequeue_job_and_maintain_ttl(*given, **more)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Do one job; where Redis is lost meanwhile, let the job end, which the store knows."""
        try:
            super().execute_job(job, queue)
        except redis.RedisError as error:
            if self.horse_pid:
                with suppress(ChildProcessError):
                    os.waitpid(self.horse_pid, 0)
                self._horse_pid = 0
            raise StopRequested from error

    def teardown(self) -> None:
        """Take leave as far as Redis lets it."""
        if self.is_horse:
            return
        with suppress(redis.RedisError):
            self.register_death()  # type: ignore[no-untyped-call]
        with suppress(redis.RedisError):
            self.unsubscribe()  # type: ignore[no-untyped-call]
        listening: Any = self.pubsub_thread
        if listening is not None:
            listening.stop()

    def _pubsub_exception_handler(self, exc: Exception, pubsub: Any, pubsub_thread: Any) -> None:
        # The loop above notices by itself that Redis is away; RQ's thread would log each try.
        del exc, pubsub
        pubsub_thread.stop()


@contextmanager
def ending_without_redis() -> Iterator[None]:
    """Let a worker end in good order where Redis is away or refuses."""
    try:
        yield
    except redis.RedisError as error:
        raise StopRequested from error


class ForkingWorker(PatientWorker):
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


class SpawningWorker(PatientWorker, SpawnWorker):
    """Spawns a new interpreter for each job."""


def worker_of(lane: Lane, settings: Settings) -> PatientWorker:
    """Return the worker of one queue, set to find a lost job within a minute."""
    connection = connect_queue(settings)
    # macOS kills a forked process that touches its frameworks, so there each job is spawned.
    is_mac = sys.platform == "darwin"
    kind: type[PatientWorker] = SpawningWorker if is_mac else ForkingWorker
    options: dict[str, Any] = {
        "worker_ttl": WORKER_TTL,
        "maintenance_interval": MAINTENANCE,
        "job_monitoring_interval": MONITORING,
        "log_job_description": False,
        "serializer": "json",
        "job_class": KnownJob,
    }
    name = f"{lane.value}-{socket.gethostname()}-{os.getpid()}-{token_hex(3)}"
    queue = Queue(lane.value, connection=connection, serializer="json", job_class=KnownJob)
    return kind([queue], name=name, connection=connection, **options)


def serve_lane(lane: Lane, settings: Settings) -> None:
    """Work until asked to stop; while Redis is away or takes no writes, wait for it quietly."""
    while wait_for_queue(connect_queue(settings, quick=True)):
        worker = worker_of(lane, settings)
        # Most of what RQ has to say is that Redis is away, which is said once, above.
        with suppress(redis.RedisError, StopRequested):
            worker.work(logging_level="WARNING")
        if worker.is_asked_to_stop:
            return


def wait_for_queue(connection: redis.Redis) -> bool:
    """Return once Redis takes writes; ``False``: this process was asked to stop meanwhile."""
    stop, outage = threading.Event(), LoggedOutage("queue_away")
    with asked_to_stop(stop):
        for seconds in pauses():
            state = write_state(connection)
            if stop.is_set() or state is QueueState.OK:
                break
            outage.say(f"Redis: {state}; work items wait in the database")
            stop.wait(seconds)
        if not stop.is_set():
            outage.over()
    return not stop.is_set()


@contextmanager
def asked_to_stop(stop: threading.Event) -> Iterator[None]:
    """Set the event on SIGINT or SIGTERM within the block; RQ has handlers of its own."""
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    for signum in before:
        signal.signal(signum, lambda *_: stop.set())
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def pauses() -> Iterator[float]:
    """Yield the seconds between two tries, without end."""
    seconds = 0.25
    while True:
        yield seconds
        seconds = min(2 * seconds, LONGEST_PAUSE)


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
    serve_lane(Lane(arguments[0]), ready.settings)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
