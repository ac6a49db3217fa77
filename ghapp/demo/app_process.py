"""Runs the app as its operator does, in processes of its own."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import requests

from ghapp.demo.scenarios import DemoError

SAY_EVERY = 10.0
"""Seconds between two words on an app that is still starting."""
LOOK_EVERY = 0.2
"""Seconds between two looks."""


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def app_running(
    environment: dict[str, str], port: int, log: Path, tell: Callable[[str], None]
) -> Iterator[None]:
    """Run ``ghapp serve`` in the context; stop it and its children on leaving.

    ``tell`` is told now and then which of its programs is late.
    """
    command = [sys.executable, "-m", "ghapp", "serve", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            [*command, "--data", environment["GHAPP_DATA_DIR"]],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_up(process, port, log, tell)
            yield
        finally:
            process.terminate()
            process.wait()


def _wait_until_up(
    process: "subprocess.Popen[bytes]", port: int, log: Path, tell: Callable[[str], None]
) -> None:
    """Wait as long as ``ghapp serve`` does: it gives up where nothing moves any more."""
    told = time.monotonic()
    while not _is_up(port):
        if process.poll() is not None:
            raise DemoError(f"the app stopped while starting:\n{_tail(log)}")
        if time.monotonic() - told > SAY_EVERY:
            told = time.monotonic()
            lines = [one for one in _tail(log).splitlines() if " is starting: " in one]
            tell(lines[-1] if lines else "the app is starting")
        time.sleep(LOOK_EVERY)


def _is_up(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=2).ok
    except requests.RequestException:
        return False


def wait_for(
    done: Callable[[], bool],
    limit: float,
    what: str,
    log: Path,
    progress: Callable[[], object] = lambda: None,
) -> None:
    """Wait until ``done``, at most ``limit`` seconds without ``progress``.

    Raises `DemoError`, which says ``what``.
    """
    seen, since = progress(), time.monotonic()
    while not done():
        if (now := progress()) != seen:
            seen, since = now, time.monotonic()
        if time.monotonic() - since > limit:
            raise DemoError(f"{what} after {limit:.0f} s; the app's log ends with:\n{_tail(log)}")
        time.sleep(LOOK_EVERY)


def _tail(log: Path, lines: int = 30) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])
