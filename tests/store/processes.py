"""What tests of the store do in processes of their own, and how those start.

Each is a new interpreter. Forking them from a server that had imported the store already was
quicker, but a child died of a segmentation fault now and then. Its cause was found since
(`ghapp.attribution.struct_types`); if one dies again, it says where.
"""

import faulthandler
import itertools
import multiprocessing
import os
import signal
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any

import ghapp.store.migrations  # noqa: F401 - with Alembic, which the store imports late
from ghapp.store import Store, WorkEnd
from ghapp.store.schema import cursor
from tests.store.records import NOW, lease

faulthandler.enable()

PATIENCE = 60
"""Seconds that an event of another process may take on a machine with much else to do."""

SERVER = multiprocessing.get_context("spawn")


def start(work: Callable[..., None], *arguments: Any) -> SpawnProcess:
    """Start a process that does some work of this module."""
    process = SERVER.Process(target=work, args=arguments)
    process.start()
    return process


def end_of(process: SpawnProcess) -> int | None:
    """Wait for a process; return its exit code, which is -9 for one that was killed."""
    process.join(PATIENCE)
    return process.exitcode


def migrate(url: str, barrier: Barrier) -> None:
    """Migrate a database when everybody is ready to."""
    barrier.wait(PATIENCE)
    Store.open(url).close()


def be_killed_within_a_transaction(url: str) -> None:
    """Write, and be killed before the end."""
    store = Store.unmigrated(url)
    with store.database.write() as connection:
        connection.execute(store.database.insert(cursor).values(name="a", value="1", moved_at=NOW))
        os.kill(os.getpid(), signal.SIGKILL)


def write_and_fork(url: str) -> None:
    """Write on both sides of a fork, and read what the child wrote."""
    warnings.simplefilter("error")
    store = Store.unmigrated(url)
    store.cursors.move("a", "1", now=NOW)
    child = os.fork()
    if child == 0:
        store.cursors.move("a", "2", now=NOW)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.cursors.read("a") == "2"


def lease_all(store: Store, worker: str) -> list[int]:
    """Lease and finish items until none is left for this worker; return their ids."""
    found = []
    while item := lease(store, worker=worker):
        found.append(item.id)
        assert store.work.finish(item, WorkEnd.DONE, now=NOW)
    return found


def lease_all_with_two_workers(url: str, barrier: Barrier, results: "Queue[list[int]]") -> None:
    """Do so with two threads, beginning when everybody is ready to."""
    with Store.unmigrated(url) as store, ThreadPoolExecutor(2) as threads:
        barrier.wait(PATIENCE)
        workers = [f"{os.getpid()}-{number}" for number in range(2)]
        found = threads.map(lambda name: lease_all(store, name), workers)
        results.put([*itertools.chain.from_iterable(found)])
