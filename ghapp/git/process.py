"""Git as a process: what it may see, how long it may run, how much it may print. No command.

Git runs with an empty configuration and none of our environment, and is ended with all that it
started where it goes too far.
"""

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence

from ghapp.attribution.model import Struct

SECONDS = 120.0
"""For one call of git; a diff of 50,000 lines takes well under one second."""
LARGEST_OUTPUT = 512 * 1024 * 1024
"""Bytes that one call may print."""

_INHERITED = ("PATH", "TMPDIR", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY")
ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    # A clone without all objects must say so: it may not fetch them behind our back. Older
    # versions of git know only the second of the two.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "LC_ALL": "C",
}


class GitError(Exception):
    """Git is missing, refused, took too long or printed too much."""

    def __init__(self, command: str, status: int | None, problem: str, advice: str = "") -> None:
        ended = "" if status is None else f" ended with status {status}"
        super().__init__(f"git {command}{ended}: {problem}{f'; {advice}' if advice else ''}")
        self.command = command
        """The subcommand alone, such as ``fetch``."""
        self.status = status
        """Git's exit status; ``None``: it did not come to an end by itself."""
        self.problem = problem
        """The first line that git wrote, or what we found."""


class GitLimits(Struct, frozen=True):
    """How far one call of git may go."""

    seconds: float = SECONDS
    output: int = LARGEST_OUTPUT
    file: int | None = None
    """Bytes of the largest file that may be written; ``None``: nothing is written."""


def run(
    arguments: Sequence[str],
    name: str,
    environment: dict[str, str],
    limits: GitLimits,
    asked: bytes = b"",
) -> bytes:
    """Run git and return what it prints; end it and all it started where it goes too far."""
    inherited = {key: os.environ[key] for key in _INHERITED if key in os.environ}
    with tempfile.TemporaryFile() as question, tempfile.TemporaryFile() as complaints:
        question.write(asked)
        question.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell reads the arguments
                [*_ceiling(limits.file), "git", *arguments],
                stdin=question,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env={**inherited, **environment},
                start_new_session=True,
            )
        except OSError as error:
            raise GitError(name, None, f"git cannot be started: {error.strerror}") from error
        printed, problem = _wait(process, limits)
        complaints.seek(0)
        told = complaints.read(65536).decode(errors="replace").strip()
    if problem is None and process.returncode != 0:
        problem = _first_line(told)
    if problem is not None:
        raise GitError(name, process.returncode if process.returncode > 0 else None, problem)
    return printed


def lines(arguments: Sequence[str], name: str, environment: dict[str, str]) -> Iterator[bytes]:
    """Run git and yield its lines without their ends; it is ended where nobody reads on."""
    inherited = {key: os.environ[key] for key in _INHERITED if key in os.environ}
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(  # noqa: S603 - no shell reads the arguments
            ["git", *arguments],  # noqa: S607 - git is found as the user's shell finds it
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env={**inherited, **environment},
            start_new_session=True,
        )
        try:
            for line in process.stdout or ():
                yield line.removesuffix(b"\n")
            status = process.wait()
        finally:
            if process.poll() is None:
                _kill(process)
            process.communicate()
        complaints.seek(0)
        if status:
            told = complaints.read(65536).decode(errors="replace").strip()
            raise GitError(name, status, _first_line(told))


def _wait(process: "subprocess.Popen[bytes]", limits: GitLimits) -> tuple[bytes, str | None]:
    """Return what the process prints, and in what it went too far; ``None``: in nothing."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(limits.seconds, stop)
    # Ctrl-C may come before the `try`: then nobody stops the timer, and it must not be waited for.
    timer.daemon = True
    timer.start()
    try:
        with process:
            try:
                printed = process.stdout.read(limits.output + 1) if process.stdout else b""
            except BaseException:
                # Leaving waits for git's end, and whoever is asked to stop cannot wait for it.
                _kill(process)
                raise
            if len(printed) > limits.output:
                _kill(process)
    finally:
        timer.cancel()
    if late.is_set():
        return b"", f"not done after {limits.seconds:g} s"
    if len(printed) > limits.output:
        return b"", f"more than {limits.output} bytes of output"
    return printed, None


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End git and the helpers that it started, such as the one that speaks https."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _ceiling(size: int | None) -> list[str]:
    """Return what stands before a command so that it writes no larger file (bytes)."""
    if size is None:
        return []
    return ["sh", "-c", 'ulimit -f "$0" && exec "$@"', str(size // 512)]  # blocks, as POSIX has it


def _first_line(told: str) -> str:
    """Return git's own word for what went wrong; warnings come before it."""
    lines = told.splitlines()
    return next(
        (line for line in lines if line.startswith(("fatal:", "error:"))), (lines or [""])[0]
    )
