"""``ghapp collect install``: the hook in Claude Code's settings, for one user or for everyone."""

import json
import subprocess
from pathlib import Path

import pytest

from ghapp.collector import rollout
from tests.cli.collecting import collect
from tests.collector.machine import Agent, Machine
from tests.collector.stand_in import App


def test_the_hook_is_installed_for_one_user_and_runs(machine: Machine, app: App) -> None:
    machine.enroll(app)
    settings = machine.home / ".claude" / "settings.json"
    assert collect(machine, "install").stdout == f"{settings}: changed\n"
    assert collect(machine, "install").stdout == f"{settings}: nothing to change\n"
    assert str(settings) in collect(machine, "status").stdout
    hooks = json.loads(settings.read_text())["hooks"]
    command = hooks["PostToolUse"][0]["hooks"][0]["command"]
    event = Agent(machine, machine.clone().path, "s1").write("a.py", "total = price_of(1)\n")
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
    assert not settings.exists()


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


def test_every_folder_that_claude_code_uses_gets_the_hook(machine: Machine) -> None:
    (machine.home / ".config" / "claude").mkdir(parents=True)
    told = collect(machine, "install").stdout.splitlines()
    assert told == [
        f"{machine.home / folder / 'settings.json'}: changed"
        for folder in (".claude", ".config/claude")
    ]


def test_where_claude_code_never_ran_its_first_choice_gets_it(machine: Machine) -> None:
    machine.transcripts.rmdir()
    (machine.home / ".claude").rmdir()
    assert collect(machine, "install").returncode == 0
    assert (machine.home / ".claude" / "settings.json").exists()


def test_settings_that_are_no_json_are_left_alone(machine: Machine) -> None:
    settings = machine.home / ".claude" / "settings.json"
    settings.write_text("{ // mine\n")
    done = collect(machine, "install")
    assert (done.returncode, done.stdout) == (1, "")
    assert str(settings) in done.stderr
    assert settings.read_text() == "{ // mine\n"


@pytest.mark.parametrize("flags", [("--output", "x"), ("--shell-diffs",)])
def test_what_belongs_to_managed_settings_needs_them(
    machine: Machine, flags: tuple[str, ...]
) -> None:
    done = collect(machine, "install", *flags)
    assert (done.returncode, "belong to --managed" in done.stderr) == (2, True)
