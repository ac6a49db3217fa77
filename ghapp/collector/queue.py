"""The queue of events on disk: taken, read in parts, set aside, counted. It sends nothing.

Hooks append to one open file. A flush renames that file and removes it when all its events are
done, so a crash at any moment loses no event; at worst one is sent twice.
"""

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

from ghapp.collector.places import CollectorFiles

PART = 32 * 1024 * 1024
"""Bytes of events to process at once; a larger event is a part of its own."""
TRY_AGAIN = timedelta(days=1)
"""How long events of a repository that the app does not know are set aside."""


class QueueLength(NamedTuple):
    """How much a queue holds."""

    events: int
    bytes: int
    oldest: int | None
    """Time of the first event in ns since 1970; ``None``: the queue is empty."""


def take(places: CollectorFiles) -> list[Path]:
    """Return the files to send, oldest first; the open one only if there is no other.

    So there are never more than two: one that hooks fill, and one that waits for the network.
    """
    taken = _files(places.queue, places.open_file)
    if taken or not places.open_file.exists():
        return taken
    away = places.queue / f"{time.time_ns()}.queue"
    _rename_locked(places.open_file, away)
    return _files(places.queue, places.open_file)


def _files(folder: Path, *without: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.queue") if path not in without)


def _rename_locked(path: Path, away: Path) -> None:
    """Rename the open file while no hook is writing to it."""
    with path.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        path.replace(away)


def parts(path: Path) -> Iterator[list[bytes]]:
    """Yield the lines of a file in parts that fit into memory."""
    part: list[bytes] = []
    size = 0
    with path.open("rb") as file:
        for line in file:
            if part and size + len(line) > PART:
                yield part
                part, size = [], 0
            part.append(line)
            size += len(line)
    if part:
        yield part


# --- set aside ----------------------------------------------------------------------------------


def is_aside(places: CollectorFiles, repository: str) -> bool:
    """Say whether events of a repository are set aside, because the app did not know it."""
    return _aside(places, repository).exists()


def set_aside(
    places: CollectorFiles, repository: str, lines: Iterable[bytes], now: datetime
) -> None:
    """Store events of a repository for later; the time of the first try stays as it is."""
    path = _aside(places, repository)
    places.aside.mkdir(mode=0o700, exist_ok=True)
    asked = path.stat().st_mtime if path.exists() else now.timestamp()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
        file.writelines(line if line.endswith(b"\n") else line + b"\n" for line in lines)
    os.utime(path, (asked, asked))


def bring_back(places: CollectorFiles, now: datetime, *, at_once: bool = False) -> None:
    """Put events that were set aside back into the queue: those that are due, or all."""
    places.queue.mkdir(mode=0o700, exist_ok=True)
    for path in _files(places.aside):
        ago = now.timestamp() - path.stat().st_mtime
        if at_once or not 0 <= ago < TRY_AGAIN.total_seconds():
            path.replace(places.queue / f"{time.time_ns()}-back.queue")


def aside(places: CollectorFiles) -> dict[str, QueueLength]:
    """Return how much is set aside for each repository that the app does not know."""
    return {unquote(path.stem): _waiting([path]) for path in _files(places.aside)}


def _aside(places: CollectorFiles, repository: str) -> Path:
    return places.aside / f"{quote(repository, safe='')}.queue"


# --- looking at it ------------------------------------------------------------------------------


def waiting(places: CollectorFiles) -> QueueLength:
    """Return how much is queued."""
    return _waiting(_files(places.queue))


def lines(places: CollectorFiles) -> Iterator[bytes]:
    """Yield every event that is queued or set aside, without taking it."""
    for path in (*_files(places.queue), *_files(places.aside)):
        with path.open("rb") as file:
            yield from file


def remove_all(places: CollectorFiles) -> None:
    """Delete everything that was not sent."""
    for path in (*_files(places.queue), *_files(places.aside)):
        path.unlink(missing_ok=True)


def _waiting(files: list[Path]) -> QueueLength:
    events = size = 0
    times: list[int] = []
    for path in files:
        with path.open("rb") as file:
            first = file.readline(64).partition(b" ")[0]
            file.seek(0)
            times += [int(first)] if first.isdigit() else []
            while chunk := file.read(1024 * 1024):
                events += chunk.count(b"\n")
                size += len(chunk)
    return QueueLength(events, size, min(times, default=None))
