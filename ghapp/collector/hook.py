"""Claude Code's hook: appends one event from standard input to the queue. It sends nothing.

The agent waits while this runs, so it is one file that imports a little of the standard library
and nothing of ours, and the installed hook starts it by its path (``python -I -S``). Only for a
command that may write files it loads one more, `ghapp.collector.shell_look`. Whatever
goes wrong, it prints nothing and exits with status 0: a broken hook never breaks a tool call
(https://code.claude.com/docs/en/hooks).
"""

import os
import sys
import time
import types

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of one event; a larger one is skipped, and `backfill` finds it in the transcript."""
MOST_QUEUED = 512 * 1024 * 1024
"""Bytes of the queue's open file; it grows so large only if nothing was sent for long."""
FLUSH_EVERY = 60.0
"""Seconds between two flushes that edits start."""
REPORT_EVERY = 6 * 3600.0
"""Seconds after which the end of a turn starts a flush even if nothing is queued."""
WAIT_FOR_LOCK = 0.02
"""Seconds; then the event gets a file of its own."""

OPEN_FILE = "edits.queue"
"""The file of the queue that hooks append to; a flush renames it before it sends."""
ENDS_A_TURN = frozenset({b"Stop", b"SessionEnd"})

_SHELL_SIGNS = (b'"bashEditDiff"', b"<<", b"echo ", b"printf ", b"patch", b"apply")
"""What a shell command has in it that writes a file by its text alone; the flush looks closer."""

_WRITE_SIGNS = (
    *(b"-i", b"-pi", b"--in-place", b"inplace", b"-w", b"write", b"open(", b">", b"tee "),
    *(b"fmt", b"format", b"fix", b"black ", b"isort ", b"autopep8", b"dos2unix"),
)
"""What is in each command that `ghapp.collector.shell_look` looks at; it looks closer."""
MOST_ACTIVITY = 256 * 1024
"""Bytes of the record of what agents did last."""

_FILE_MODE = 0o600
_CHUNK = 1024 * 1024


def state_directory() -> str | None:
    """Return the folder of the collector's files; ``None``: this user has no home.

    https://specifications.freedesktop.org/basedir/latest/ says to ignore a relative path.
    """
    state = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(state):
        home = os.environ.get("HOME", "")
        if not os.path.isabs(home):
            return None
        state = f"{home}/.local/state"
    return f"{state}/ghapp/collector"


def main() -> None:
    """Take one event; never fail, never print."""
    try:
        _take(_read_event())
    except BaseException:  # noqa: BLE001, S110 - see the top: the tool call matters more
        pass


def _take(event: bytes) -> None:
    """Queue an edit call's event, and start a flush if one is due."""
    directory = state_directory()
    if directory is None or not os.path.exists(f"{directory}/account.json"):
        return
    if os.path.exists(f"{directory}/paused"):
        return
    now = time.time_ns()
    if member(event, b"hook_event_name") == b"PreToolUse":
        if may_write(event):
            _looking().before(directory, event, now)
        return
    seen = _seen_after(directory, event, now)
    if seen or is_edit(event):
        append(directory, now, seen or event)
    if _flush_is_due(directory, event):
        _start_flush()


def _read_event() -> bytes:
    """Read standard input to its end, so that the writer never meets a closed pipe."""
    parts: list[bytes] = []
    size = 0
    while part := os.read(0, _CHUNK):
        size += len(part)
        if size <= MOST_BYTES:
            parts.append(part)
    return b"".join(parts) if size <= MOST_BYTES else b""


def is_edit(event: bytes) -> bool:
    """Say whether an event may hold an applied edit; most shell commands write no file."""
    if member(event, b"hook_event_name") != b"PostToolUse":
        return False
    if member(event, b"tool_name") == b"Bash":
        return any(sign in event for sign in _SHELL_SIGNS)
    return True


def may_write(event: bytes) -> bool:
    """Say whether an event may be of a shell command that writes files."""
    is_shell = member(event, b"tool_name") == b"Bash"
    return is_shell and any(sign in event for sign in _WRITE_SIGNS)


def _seen_after(directory: str, event: bytes, now: int) -> bytes | None:
    """Note what an agent did; return the event with what its command changed.

    ``None``: nothing is surely its own.
    """
    if member(event, b"hook_event_name") != b"PostToolUse":
        return None
    try:
        seen = _looking().after(directory, event, now) if may_write(event) else None
        return bytes(seen) if seen else None
    except Exception:  # noqa: BLE001 - the event counts without it
        return None
    finally:
        _note(directory, event, now)


def _looking() -> types.ModuleType:
    """Return `ghapp.collector.shell_look`, in whatever way this file was started."""
    if __name__ != "__main__":
        return __import__("ghapp.collector.shell_look", fromlist=["shell_look"])
    # Behind the standard library, of which it may shadow nothing.
    sys.path.append(os.path.dirname(__file__))
    return __import__("shell_look")


def _note(directory: str, event: bytes, now: int) -> None:
    """Note which file an agent edited, or how long its command ran; without looks, nothing."""
    if not os.path.isdir(f"{directory}/looks"):
        return
    what = b"edit " + (member(event, b"file_path") or member(event, b"notebook_path"))
    if member(event, b"tool_name") == b"Bash":
        rest = event[event.rfind(b'"duration_ms"') :].partition(b":")[2].lstrip()
        digits = rest[: len(rest) - len(rest.lstrip(b"0123456789"))]
        what = b"ran " + (digits or b"0")
    try:
        mode = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        file = os.open(f"{directory}/looks/activity", mode, _FILE_MODE)
    except OSError:
        return
    try:
        if os.fstat(file).st_size > MOST_ACTIVITY:
            os.ftruncate(file, 0)
        os.write(file, b"%d %s\n" % (now, what))
    finally:
        os.close(file)


def member(event: bytes, name: bytes) -> bytes:
    r"""Return a member that is a plain string, without decoding; empty if there is none.

    Inside a JSON string every quotation mark has a backslash before it, so the first match of
    the name between two bare marks is the member's name.

    >>> member(b'{"cwd": "/a", "tool_name" : "Edit"}', b"tool_name")
    b'Edit'
    """
    at = event.find(b'"' + name + b'"')
    parts = event[at + len(name) + 2 :][:100].split(b'"', 2) if at >= 0 else []
    return parts[1] if len(parts) > 2 and parts[0].strip() == b":" else b""


# --- the queue ----------------------------------------------------------------------------------


def append(directory: str, at: int, event: bytes) -> None:
    """Add one event to the queue: a line with the time (ns since 1970), a space and the JSON."""
    # A raw line end is mere white space in JSON; inside a string it would be escaped.
    line = b"%d %s\n" % (at, event.replace(b"\n", b" ").replace(b"\r", b" ").strip())
    queue = f"{directory}/queue"
    if not os.path.isdir(queue):
        os.makedirs(queue, mode=0o700, exist_ok=True)
    if not _append_to_open_file(f"{queue}/{OPEN_FILE}", line):
        _write_own_file(f"{queue}/{at}-{os.getpid()}", line)


def _append_to_open_file(path: str, line: bytes) -> bool:
    """Append to the open file; ``False``: another process holds its lock for too long."""
    deadline = time.monotonic() + WAIT_FOR_LOCK
    while True:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _FILE_MODE)
        try:
            if _lock(file, deadline):
                # A flush may have renamed the file while we waited.
                if not _is_at(file, path):
                    continue
                _write_whole(file, line)
                return True
        finally:
            os.close(file)
        return False


def _lock(file: int, deadline: float) -> bool:
    """Lock a file until it is closed; ``False``: not in time."""
    import fcntl  # noqa: PLC0415 - most events are no edits and need no lock

    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        else:
            return True


def _is_at(file: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


def _write_whole(file: int, line: bytes) -> None:
    """Write a whole line or nothing: if the disk is full, remove the part that was written."""
    size = os.fstat(file).st_size
    if size > MOST_QUEUED:
        return
    if size and os.pread(file, 1, size - 1) != b"\n":
        line = b"\n" + line  # a writer was killed in the middle of its line
    try:
        _write_all(file, line)
    except OSError:
        os.ftruncate(file, size)


def _write_own_file(path: str, line: bytes) -> None:
    """Write an event to a file of its own; the flush sees it only once it is whole."""
    file = os.open(f"{path}.part", os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    try:
        _write_all(file, line)
    finally:
        os.close(file)
    os.replace(f"{path}.part", f"{path}.queue")


def _write_all(file: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(file, rest) :]


# --- the flush ----------------------------------------------------------------------------------


def _flush_is_due(directory: str, event: bytes) -> bool:
    """Say whether to start a flush now, and store that it was started."""
    started = f"{directory}/started"
    ends = member(event, b"hook_event_name") in ENDS_A_TURN
    try:
        ago = time.time() - os.stat(started).st_mtime
    except FileNotFoundError:
        ago = REPORT_EVERY
    # If the clock was set back, flushes must not stop for ever.
    due = ago >= FLUSH_EVERY or ago < 0
    if ends:
        due = ago >= REPORT_EVERY or ago < 0 or _is_waiting(f"{directory}/queue")
    if due:
        os.close(os.open(started, os.O_WRONLY | os.O_CREAT, _FILE_MODE))
        os.utime(started)
    return due


def _is_waiting(queue: str) -> bool:
    """Say whether anything is queued."""
    try:
        return any(entry.stat().st_size for entry in os.scandir(queue))
    except FileNotFoundError:
        return False


def _start_flush() -> None:
    """Start a flush that outlives this process, without its pipes and outside its group."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork() == 0:
            _become_flush()
    finally:
        os._exit(0)


def _become_flush() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.closerange(3, 4096)
    os.chdir("/")
    os.nice(10)
    program = [sys.executable, "-P", "-m", "ghapp", "collect", "flush", "--quiet"]
    os.execv(sys.executable, program)  # noqa: S606 - our own interpreter, no shell


if __name__ == "__main__":
    main()
