"""Work spread over processes, its results in the order it came in. It knows nothing of the work.

Tasks are sent as they are asked for, so the memory held does not depend on how many there are.
Each process has a line of its own to the first one, and ends when that line does.
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
"""Tasks on their way to each process: enough that none of them waits for the next, and few
enough that they fit into the line without anybody reading."""

GivenT = TypeVar("GivenT")
GivenT_contra = TypeVar("GivenT_contra", contravariant=True)
DoneT = TypeVar("DoneT")
DoneT_co = TypeVar("DoneT_co", covariant=True)


class ProcessFailedError(Exception):
    """A process could not do its work, or ended in the middle of it."""


class ProcessWork(Protocol[GivenT_contra, DoneT_co]):
    """What each process makes its own copy of before it begins."""

    def start(self) -> Callable[[GivenT_contra], DoneT_co]:
        """Open what is needed, and return what does one task."""


class _Worker(NamedTuple):
    process: BaseProcess
    line: Connection


def in_order(
    work: ProcessWork[GivenT, DoneT], tasks: Iterable[GivenT], *, jobs: int
) -> Iterator[DoneT]:
    """Yield the result of each task in the order of the tasks.

    With one job all is done in this process, and raises what it raises; else raises
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
    """Lend processes, and end them."""
    # A new interpreter for each: a copy of this one would hold the locks of its threads.
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
            worker.line.close()
        for worker in workers:
            worker.process.join()
            worker.process.close()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach: the first one decides what to do."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # only the first thread may ask, and only its processes get the key
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _send(worker: _Worker, task: object) -> None:
    try:
        worker.line.send(task)
    except OSError as error:
        raise ProcessFailedError("a process ended in the middle of its work") from error


def _answer(worker: _Worker) -> Any:
    try:
        done, problem = worker.line.recv()
    except (EOFError, OSError) as error:
        raise ProcessFailedError("a process ended in the middle of its work") from error
    if problem is not None:
        raise ProcessFailedError(problem)
    return done


def _serve(work: ProcessWork[Any, Any], line: Connection) -> None:
    """Do tasks until the line ends."""
    try:
        do = work.start()
        while True:
            line.send((do(line.recv()), None))
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:  # noqa: BLE001 - the first process says it, whatever it is
        line.send((None, f"{type(error).__name__}: {error}"))
