"""Where the app runs on this machine: the lock and notes that `ghapp serve` leaves for commands.

It starts and stops nothing. A note holds no secret: what the running app was given, a command
reads from that process itself, as far as the system lets it.
"""

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

LOCK_FILE = "serve.lock"
NOTE_FILE = "serve.json"
SYSTEM_DIRECTORY = Path("/run/ghapp")
"""Where a systemd unit with ``RuntimeDirectory=ghapp`` leaves its note."""


class DirectoryHeld(RuntimeError):  # noqa: N818 - a state of the directory, which callers name
    """A running app holds the data directory."""


class RunningNote(msgspec.Struct, frozen=True):
    """What a running app noted about itself."""

    pid: int
    """The process that starts and stops all others."""
    queue: str | None = None
    """``REDIS_URL`` of its own Valkey; ``None``: it was given one."""
    address: str | None = None
    """Where its pages are; ``None``: it is still starting."""


@contextlib.contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold a data directory, which has to be there; raises `DirectoryHeld` if an app runs in it."""
    with (data / LOCK_FILE).open("a") as file:
        # A command that asks who is there holds it for an instant.
        for seconds in (0.05, 0.2, None):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if seconds is None:
                    raise DirectoryHeld(str(data)) from error
                time.sleep(seconds)
        yield


def is_held(data: Path) -> bool:
    """Return whether an app runs in a directory. It creates nothing."""
    try:
        # Only to be asked for, never to be kept: two who ask at once do not refuse each other.
        with (data / LOCK_FILE).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def note_of(data: Path) -> RunningNote | None:
    """Return what the app that runs in a directory noted; ``None``: none runs there."""
    if not is_held(data):
        return None
    try:
        return msgspec.json.decode((data / NOTE_FILE).read_bytes(), type=RunningNote)
    except (OSError, msgspec.DecodeError):
        return None


def note(data: Path, running: RunningNote) -> None:
    """Write or renew the note of the app that runs in a directory."""
    new = data / f".{NOTE_FILE}.new"
    new.write_bytes(msgspec.json.encode(running))
    new.replace(data / NOTE_FILE)


@contextlib.contextmanager
def findable(data: Path, running: RunningNote) -> Iterator[None]:
    """Leave the note, and in a known place the path of the directory, until the block ends."""
    note(data, running)
    written = [place for place in _own_places() if _write_path(place, data)]
    try:
        yield
    finally:
        (data / NOTE_FILE).unlink(missing_ok=True)
        for place in written:
            with contextlib.suppress(OSError):
                _path_file(place, data).unlink(missing_ok=True)


def found(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Return the data directories of the apps on this machine, as far as they are noted."""
    paths = set()
    for place in (*_own_places(environment), SYSTEM_DIRECTORY):
        with contextlib.suppress(OSError):
            paths |= {Path(file.read_text("utf-8")) for file in place.glob("*.path")}
    return tuple(sorted(path for path in paths if is_held(path)))


def given_to(running: RunningNote) -> dict[str, str]:
    """Return the environment that the running app was started with; empty: it cannot be read.

    https://man7.org/linux/man-pages/man5/proc_pid_environ.5.html
    """
    try:
        raw = Path(f"/proc/{running.pid}/environ").read_bytes()
    except OSError:
        return {}
    pairs = (os.fsdecode(one).partition("=") for one in raw.split(b"\0") if b"=" in one)
    return {name: value for name, _, value in pairs}


def _own_places(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Return where this user's apps note themselves.

    https://specifications.freedesktop.org/basedir-spec/latest/ and systemd.exec(5).
    """
    given = [Path(one) for one in environment.get("RUNTIME_DIRECTORY", "").split(":") if one]
    state = environment.get("XDG_STATE_HOME")
    home = environment.get("HOME")
    if state:
        given.append(Path(state) / "ghapp" / "running")
    elif home:
        given.append(Path(home) / ".local" / "state" / "ghapp" / "running")
    return tuple(given)


def _path_file(place: Path, data: Path) -> Path:
    return place / f"{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}.path"


def _write_path(place: Path, data: Path) -> bool:
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        _path_file(place, data).write_text(str(data), "utf-8")
    except OSError:
        return False
    return True
