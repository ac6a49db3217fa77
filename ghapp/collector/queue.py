"""The queue of events on disk: taken, read in parts, set aside, counted. It sends nothing.

Hooks append to one open file. A flush takes that file away by a new name and removes it when all
its events are done, so a crash at any moment leaves each event there, at worst once too often.
"""

import os
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

from ghapp.collector.places import CollectorFiles

PART = 32 * 1024 * 1024
"""Bytes of events that are worked on at once, or one event."""
TRY_AGAIN = timedelta(days=1)
"""Between two questions whether the app knows a repository by now."""


class QueueLength(NamedTuple):
    """How much a queue holds."""

    events: int
    bytes: int
    oldest: int | None
    """Time of the first event, ns since 1970; ``None``: there is none."""


def take(places: CollectorFiles) -> list[Path]:
    """Return the files to be sent, oldest first; the open one only once the others are done.

    So hooks may fill one file while another waits for the network, and no third.
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
    """Take the open file away while no hook is in the middle of its line."""
    file = os.open(path, os.O_RDWR)
    try:
        _lock(file)
        path.replace(away)
    finally:
        os.close(file)


def _lock(file: int) -> None:
    try:
        import fcntl  # noqa: PLC0415 - not there on Windows, where hooks append to no file
    except ImportError:
        return
    fcntl.flock(file, fcntl.LOCK_EX)


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
    """Say whether the app said lately that it does not know a repository."""
    return _aside(places, repository).exists()


def set_aside(
    places: CollectorFiles, repository: str, lines: Iterable[bytes], now: datetime
) -> None:
    """Keep events of a repository for later; when the app was first asked does not change."""
    path = _aside(places, repository)
    places.aside.mkdir(mode=0o700, exist_ok=True)
    asked = path.stat().st_mtime if path.exists() else now.timestamp()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
        file.writelines(line if line.endswith(b"\n") else line + b"\n" for line in lines)
    os.utime(path, (asked, asked))


def bring_back(places: CollectorFiles, now: datetime, *, at_once: bool = False) -> None:
    """Put events that were set aside back into the queue: those whose time has come, or all."""
    places.queue.mkdir(mode=0o700, exist_ok=True)
    for path in _files(places.aside):
        ago = now.timestamp() - path.stat().st_mtime
        if at_once or not 0 <= ago < TRY_AGAIN.total_seconds():
            path.replace(places.queue / f"{time.time_ns()}-back.queue")


def aside(places: CollectorFiles) -> dict[str, QueueLength]:
    """Return the repositories that the app does not know, and how much waits for each."""
    return {unquote(path.stem): _waiting([path]) for path in _files(places.aside)}


def _aside(places: CollectorFiles, repository: str) -> Path:
    return places.aside / f"{quote(repository, safe='')}.queue"


# --- looked at ----------------------------------------------------------------------------------


def waiting(places: CollectorFiles) -> QueueLength:
    """Return how much is queued."""
    return _waiting(_files(places.queue))


def lines(places: CollectorFiles) -> Iterator[bytes]:
    """Yield every event that is queued or set aside, for looking at; none is taken."""
    for path in (*_files(places.queue), *_files(places.aside)):
        with path.open("rb") as file:
            yield from file


def remove_all(places: CollectorFiles) -> None:
    """Throw away everything that was not sent."""
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
