"""Git as a process: what it sees, how long it runs, how much it prints."""

import os
import time
from pathlib import Path

import pytest

from ghapp.git import process
from ghapp.git.process import ENVIRONMENT, GitError, GitLimits

DEADLINE = 60.0
"""Seconds that a machine may need to let a killed process go."""


def limited(*arguments: str, asked: bytes = b"", **limits: float) -> bytes:
    bounds = GitLimits(**limits)  # type: ignore[arg-type]
    return process.run(arguments, "slow", ENVIRONMENT, bounds, asked)


def aliased(command: str) -> tuple[str, ...]:
    """Return a git call that runs a command of the shell."""
    return ("-c", f"alias.slow=!{command}", "slow")


def is_running(pid: int) -> bool:
    """Return whether a process runs; one that ended and that nobody waited for does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def assert_ends(pid: int) -> None:
    until = time.monotonic() + DEADLINE
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_running(pid)


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="it asks /proc which processes run"
)


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(GitError, match=r"git slow: not done after 0.2 s") as caught:
        limited(*aliased("sleep 600; true"), seconds=0.2)
    assert caught.value.status is None


@needs_proc
def test_what_it_started_is_ended_with_it(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    # It prints too much only once its child is known.
    command = f"sh -c 'sleep 600 & echo $! > {noted}.new; mv {noted}.new {noted}'; yes"
    with pytest.raises(GitError, match="more than 1000 bytes of output"):
        limited(*aliased(command), output=1000)
    child = int(noted.read_text())
    assert_ends(child)


def test_all_that_may_be_printed_is_returned() -> None:
    assert limited(*aliased("printf 12345"), output=5) == b"12345"
    with pytest.raises(GitError, match="more than 4 bytes of output"):
        limited(*aliased("printf 12345"), output=4)


def test_what_is_asked_is_read_and_nothing_more() -> None:
    assert limited(*aliased("cat"), asked=b"a\0b") == b"a\0b"
    assert limited(*aliased("cat")) == b""


def test_an_error_is_the_line_that_says_it() -> None:
    command = "echo warning: odd >&2; echo fatal: bad object >&2; exit 3"
    with pytest.raises(GitError, match=r"^git slow ended with status 3: fatal: bad object$"):
        limited(*aliased(f"sh -c '{command}'"))


def test_our_environment_stays_with_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHAPP_SECRET", "secret")
    monkeypatch.setenv("GIT_DIR", "/somewhere/else")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    seen = limited(*aliased("env")).decode()
    assert "secret" not in seen
    assert "/somewhere/else" not in seen
    assert "HTTPS_PROXY=http://proxy.example" in seen
    assert "GIT_NO_LAZY_FETCH=1" in seen


def test_a_file_beyond_its_limit_is_not_written(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with pytest.raises(GitError):
        limited(*aliased(f"head -c 5000 /dev/zero > {large}"), file=1024)
    assert large.stat().st_size <= 1024


def test_lines_come_one_by_one_and_an_error_after_them() -> None:
    told = process.lines(aliased("printf 'one\\ntwo'; exit 7"), "slow", ENVIRONMENT)
    assert next(told) == b"one"
    assert next(told) == b"two"
    with pytest.raises(GitError, match="ended with status"):
        next(told)


@needs_proc
def test_a_reader_that_stops_ends_git() -> None:
    told = process.lines(aliased("echo $$; exec yes"), "slow", ENVIRONMENT)
    pid = int(next(told))
    assert is_running(pid)
    told.close()  # type: ignore[attr-defined]
    assert_ends(pid)


def test_git_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git cannot be started: No such file or directory"):
        limited("version")
