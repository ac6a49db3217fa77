"""Git as a process: what it sees, how long it runs, how much it prints. It holds no command.

Git runs with an empty configuration and without our environment. If it exceeds a limit, it is
killed with every process that it started.
"""

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence

from ghapp.attribution.model import Struct

SECONDS = 120.0
"""Time limit of one git call; a diff of 50,000 lines takes well under one second."""
LARGEST_OUTPUT = 512 * 1024 * 1024
"""Bytes that one git call may print."""

_INHERITED = ("PATH", "TMPDIR", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY")
ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    # A partial clone must report missing objects and never fetch them by itself. Older versions
    # of git know only the second variable: https://git-scm.com/docs/git
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "LC_ALL": "C",
}


class GitError(Exception):
    """Git is missing, failed, ran too long or printed too much."""

    def __init__(self, command: str, status: int | None, problem: str, advice: str = "") -> None:
        ended = "" if status is None else f" ended with status {status}"
        super().__init__(f"git {command}{ended}: {problem}{f'; {advice}' if advice else ''}")
        self.command = command
        """The subcommand alone, such as ``fetch``."""
        self.status = status
        """Git's exit status; ``None``: git did not exit by itself."""
        self.problem = problem
        """The first error line that git printed, or our own finding."""


class GitLimits(Struct, frozen=True):
    """The limits of one git call."""

    seconds: float = SECONDS
    output: int = LARGEST_OUTPUT
    file: int | None = None
    """Bytes of the largest file that git may write; ``None``: git writes no file."""


def run(
    arguments: Sequence[str],
    name: str,
    environment: dict[str, str],
    limits: GitLimits,
    asked: bytes = b"",
) -> bytes:
    """Run git and return its output; kill it and its children if it exceeds a limit.

    Raises `GitError`.
    """
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
                umask=0o077,
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
    """Run git and yield its lines without line ends; kill it if the caller stops reading.

    Raises `GitError`, perhaps after some lines.
    """
    inherited = {key: os.environ[key] for key in _INHERITED if key in os.environ}
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(  # noqa: S603 - no shell reads the arguments
            ["git", *arguments],  # noqa: S607 - git is found as the user's shell finds it
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env={**inherited, **environment},
            start_new_session=True,
            umask=0o077,
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
    """Return the output of a process, and which limit it exceeded; ``None``: none."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(limits.seconds, stop)
    # Ctrl-C may come before the `try`. Then nobody stops the timer, and Python must not wait.
    timer.daemon = True
    timer.start()
    try:
        with process:
            try:
                printed = process.stdout.read(limits.output + 1) if process.stdout else b""
            except BaseException:
                # Leaving the `with` waits for git, but a process that was told to stop cannot wait.
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
    """Kill git and the helpers that it started, such as git-remote-https."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _ceiling(size: int | None) -> list[str]:
    """Return the prefix of a command that limits the size (bytes) of the files it writes."""
    if size is None:
        return []
    # POSIX counts blocks of 512 bytes.
    return ["sh", "-c", 'ulimit -f "$0" && exec "$@"', str(size // 512)]


def _first_line(told: str) -> str:
    """Return the line with git's error: ``fatal: bad object``. Warnings may precede it."""
    lines = told.splitlines()
    return next(
        (line for line in lines if line.startswith(("fatal:", "error:"))), (lines or [""])[0]
    )
