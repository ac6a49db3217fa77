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

START_LIMIT = 40.0
"""Seconds within which the app must be up."""
LOOK_EVERY = 0.2
"""Seconds between two looks."""


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def app_running(environment: dict[str, str], port: int, log: Path) -> Iterator[None]:
    """Run ``ghapp serve`` in the context; stop it and its children on leaving."""
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
            _wait_until_up(process, port, log)
            yield
        finally:
            process.terminate()
            process.wait()


def _wait_until_up(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    def is_up() -> bool:
        if process.poll() is not None:
            raise DemoError(f"the app stopped while starting:\n{_tail(log)}")
        try:
            return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=2).ok
        except requests.RequestException:
            return False

    wait_for(is_up, START_LIMIT, "the app is not up", log)


def wait_for(done: Callable[[], bool], limit: float, what: str, log: Path) -> None:
    """Wait until ``done``, at most ``limit`` seconds. Raises `DemoError`, which says ``what``."""
    deadline = time.monotonic() + limit
    while not done():
        if time.monotonic() > deadline:
            raise DemoError(f"{what} after {limit:.0f} s; the app's log ends with:\n{_tail(log)}")
        time.sleep(LOOK_EVERY)


def _tail(log: Path, lines: int = 30) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])
