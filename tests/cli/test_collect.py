"""``ghapp collect`` as a developer types it: a home of their own, and the base set of packages."""

import json
import subprocess
import sys
from pathlib import Path

import click

from ghapp.cli.collect import command
from tests.cases import TOP
from tests.cli.collecting import SERVER_PACKAGES, collect
from tests.collector.machine import Agent, Machine
from tests.collector.stand_in import App

CODE = "def total(lines):\n    return sum(line.amount for line in lines)\n"

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
        ("preview", "--usage"),
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
    waiting, _, _, flushed, filled, status, *_ = [said for _, said, _ in done]
    assert "queued    1 event(s)" in waiting
    assert flushed == "1 edit(s) sent\n"
    assert filled.startswith("1 edit(s) sent from 1 transcript(s), 0 of them read before\nusage ")
    assert [len(app.reports[0].tokens), len(app.reports[0].decisions)] == [1, 1]
    assert sorted(edit.path for edit in app.edits.values()) == ["src/a.py", "src/b.py"]
    assert "sent      2 edit(s)" in status
    assert "sends evidence of github.com/acme" in status


def _commands(group: click.Command) -> list[str]:
    assert isinstance(group, click.Group)
    return group.list_commands(click.Context(group))


def test_an_address_without_tls_is_refused(machine: Machine) -> None:
    done = collect(machine, "enroll", "http://audits.example.com")
    assert done.returncode == 1
    assert "https://audits.example.com" in done.stderr
    assert "Traceback" not in done.stderr


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
