"""Runs tasks in several processes and yields the results in order. It does not know the tasks.

Why this is no `ProcessPoolExecutor`: the pool's processes live on if their parent is killed
(https://github.com/python/cpython/issues/111873), and its `shutdown` waits for the running tasks
(`terminate_workers` needs Python 3.14). Here each process has a pipe of its own: it ends when the
parent does, and Ctrl-C ends all at once. Only a few tasks per process are on their way at a time,
so the memory does not depend on the number of tasks.
"""

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import cycle
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, Protocol, TypeVar

AHEAD = 3
"""Tasks sent ahead to each process: enough that it never waits for the next one, and few enough
that all fit into the pipe while nobody reads."""

GivenT = TypeVar("GivenT")
GivenT_contra = TypeVar("GivenT_contra", contravariant=True)
DoneT = TypeVar("DoneT")
DoneT_co = TypeVar("DoneT_co", covariant=True)


class ProcessFailedError(Exception):
    """A task raised in a process, or a process ended before its task was done."""


class ProcessWork(Protocol[GivenT_contra, DoneT_co]):
    """The work that each process gets a pickled copy of."""

    def start(self) -> Callable[[GivenT_contra], DoneT_co]:
        """Open what is needed, and return the function that does one task."""


class _Worker(NamedTuple):
    process: BaseProcess
    pipe: Connection


def in_order(
    work: ProcessWork[GivenT, DoneT], tasks: Iterable[GivenT], *, jobs: int
) -> Iterator[DoneT]:
    """Yield the result of each task in the order of the tasks.

    One job runs in this process and raises the task's own errors. More jobs raise
    `ProcessFailedError`.
    """
    if jobs == 1:
        yield from map(work.start(), tasks)
        return
    with _started(work, jobs) as workers:
        answering = cycle(workers)
        waiting = 0
        for task, worker in zip(tasks, cycle(workers), strict=False):
            _send(worker, task)
            waiting += 1
            if waiting == AHEAD * jobs:
                yield _answer(next(answering))
                waiting -= 1
        for _ in range(waiting):
            yield _answer(next(answering))


@contextmanager
def _started(work: ProcessWork[Any, Any], jobs: int) -> Iterator[list[_Worker]]:
    """Start processes for a ``with`` block, and terminate them after it."""
    # Not "fork": a copy of this process would also copy the locks that its threads hold.
    # https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods
    context = multiprocessing.get_context("spawn")
    workers: list[_Worker] = []
    try:
        with _without_interrupts():
            for _ in range(jobs):
                ours, theirs = context.Pipe()
                process = context.Process(target=_serve, args=(work, theirs), daemon=True)
                process.start()
                theirs.close()
                workers.append(_Worker(process, ours))
        yield workers
    finally:
        for worker in workers:
            worker.process.terminate()
            worker.pipe.close()
        for worker in workers:
            worker.process.join()
            worker.process.close()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Make processes started here ignore Ctrl-C: this process decides what to do."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # only the main thread may set a handler, and only it gets Ctrl-C
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _send(worker: _Worker, task: object) -> None:
    try:
        worker.pipe.send(task)
    except OSError as error:
        raise ProcessFailedError("a process ended before its task was done") from error


def _answer(worker: _Worker) -> Any:
    try:
        done, problem = worker.pipe.recv()
    except (EOFError, OSError) as error:
        raise ProcessFailedError("a process ended before its task was done") from error
    if problem is not None:
        raise ProcessFailedError(problem)
    return done


def _serve(work: ProcessWork[Any, Any], pipe: Connection) -> None:
    """Do tasks until the parent closes the pipe."""
    try:
        do = work.start()
        while True:
            pipe.send((do(pipe.recv()), None))
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:  # noqa: BLE001 - the parent reports it, whatever it is
        pipe.send((None, f"{type(error).__name__}: {error}"))
