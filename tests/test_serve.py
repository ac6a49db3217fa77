"""The supervisor: children come back, end in good order, and none outlives it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
import requests

from ghapp import serve
from ghapp.serve import (
    LONGEST_SOCKET_PATH,
    ChildProgram,
    ServeError,
    Supervisor,
    child_environment,
    listen,
    locked_data,
    socket_directory,
    valkey,
    valkey_url,
)

SLEEPS = (sys.executable, "-c", "import time; time.sleep(60)")
DIES = (sys.executable, "-c", "pass")


def until(done: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_child_that_dies_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "FIRST_PAUSE", 0.05)
    supervisor = Supervisor(os.environ)
    supervisor.add(ChildProgram("dies", DIES))
    try:
        supervisor.watch_until(lambda: supervisor.children[0].starts >= 3)
        assert supervisor.children[0].pause > serve.FIRST_PAUSE
    finally:
        supervisor.stop()


def test_stopping_ends_the_children_of_children() -> None:
    # The shell ignores the request to end, so it has to be killed with what it started.
    script = "trap '' TERM; sleep 60 & echo $! > \"$PIDS\"; wait; sleep 60"
    pids = Path(os.environ.get("TMPDIR", "/tmp")) / f"ghapp-test-{os.getpid()}"  # noqa: S108
    supervisor = Supervisor({**os.environ, "PIDS": str(pids)})
    supervisor.add(ChildProgram("stubborn", ("sh", "-c", script), grace=0.3))
    try:
        supervisor.watch_once()
        until(lambda: pids.exists() and pids.read_text().strip() != "")
        grandchild = int(pids.read_text())
        assert is_alive(grandchild)
    finally:
        supervisor.stop()
        pids.unlink(missing_ok=True)
    until(lambda: not is_alive(grandchild))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_no_child_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    script = (
        "import os, sys, time\n"
        "from ghapp.serve import ChildProgram, Supervisor\n"
        "supervisor = Supervisor(os.environ)\n"
        "sleeper = (sys.executable, '-c', 'import time; time.sleep(60)')\n"
        "supervisor.add(ChildProgram('sleeps', sleeper))\n"
        "supervisor.watch_once()\n"
        "print(supervisor.children[0].process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env=child_environment(os.environ),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.send_signal(signal.SIGKILL)
    until(lambda: not is_alive(child))


def test_a_data_directory_is_served_once(tmp_path: Path) -> None:
    with (
        locked_data(tmp_path),
        pytest.raises(ServeError, match="another process"),
        locked_data(tmp_path),
    ):
        pass
    with locked_data(tmp_path):
        pass


def test_a_deep_data_directory_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20) / ("deeper" * 15)
    deep.mkdir(parents=True)
    with socket_directory(deep) as sockets:
        assert sockets != deep
        assert len(os.fsencode(sockets / "valkey.sock")) <= LONGEST_SOCKET_PATH
        supervisor = Supervisor(os.environ)
        supervisor.add(valkey(deep, sockets))
        try:
            supervisor.watch_once()
            with redis.Redis.from_url(valkey_url(sockets)) as client:
                until(lambda: _answers(client))
                assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
                assert client.config_get("appendonly") == {"appendonly": "yes"}
        finally:
            supervisor.stop()
    assert not sockets.exists()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    del tmp_path
    with listen("127.0.0.1", 0) as door:
        port = door.getsockname()[1]
        with pytest.raises(ServeError, match=f"127.0.0.1:{port}"):
            listen("127.0.0.1", port)


def test_without_credentials_it_serves_the_set_up_page(tmp_path: Path) -> None:
    ours = ("GHAPP_", "GITHUB_", "DATABASE_URL", "REDIS_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    with subprocess.Popen(
        [sys.executable, "-m", "ghapp", "serve", "--port", "0", "--data", str(tmp_path / "data")],
        env=child_environment(kept),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as app:
        assert app.stdout is not None
        lines = [app.stdout.readline(), app.stdout.readline()]
        address = lines[1].strip()
        try:
            until(lambda: "Register the GitHub App" in _page(address))
        finally:
            app.send_signal(signal.SIGINT)
            assert app.wait(30) == 0
    assert "token=" in address


def _page(address: str) -> str:
    try:
        return requests.get(address, timeout=5).text
    except requests.RequestException:
        return ""
