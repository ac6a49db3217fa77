"""``ghapp collect status`` and ``preview``: what a machine sends, in words that fool nobody."""

import json
import os
import subprocess
import sys
from datetime import date, timedelta

import msgspec
import pytest

from ghapp.collector import account, choices, hook, queue, shell_look, state
from ghapp.collector.usage_sent import UsageSent
from tests.cases import TOP
from tests.cli.collecting import SERVER_PACKAGES, collect
from tests.collector.machine import NOW, USAGE, Agent, Machine
from tests.collector.stand_in import App

CODE = "def total(lines):\n    return sum(line.amount for line in lines)\n"


WATCHED = """
import json, os, sys

opened = []

def hook(event, given):
    # A module's compiled form is written through a number.
    if event == "open" and not isinstance(given[0], int):
        opened.append(os.fsdecode(given[0]))

sys.addaudithook(hook)
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


def test_status_before_enrollment_says_what_to_do(machine: Machine) -> None:
    done = collect(machine, "status")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: this machine sends nothing yet: ghapp collect enroll URL\n"


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
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
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


def test_the_preview_shows_both_sides(machine: Machine, app: App) -> None:
    machine.enroll(app)
    agent = Agent(machine, machine.clone().path, "s1")
    agent.write("src/a.py", CODE)
    shown = collect(machine, "preview", "src/a.py", cwd=agent.root)
    assert shown.returncode == 0, shown.stderr
    assert "leaves this machine" in shown.stdout
    assert "def total(lines):" in shown.stdout
    body = collect(machine, "preview", "--format", "json", "toolu_a0001").stdout
    assert json.loads(body)["requests"][0]["edits"][0]["path"] == "src/a.py"
    assert "total" not in body
    nothing = collect(machine, "preview", "toolu_nowhere")
    assert nothing.returncode == 1
    assert "no edit of toolu_nowhere" in nothing.stderr


def test_the_preview_shows_the_usage_that_would_be_sent(machine: Machine, app: App) -> None:
    machine.enroll(app)
    Agent(machine, machine.clone().path, "s1").write("src/a.py", CODE)
    (machine.home / "notes").mkdir()
    Agent(machine, machine.home / "notes", "s2").write("diary.md", CODE)
    body = collect(machine, "preview", "--usage", "--format", "json")
    assert body.returncode == 0, body.stderr
    [report] = json.loads(body.stdout)["requests"]
    assert report["remotes"] == ["github.com/acme/shop"]
    assert [row["tokens"]["output"] for row in report["tokens"]] == [USAGE["output_tokens"]]
    shown = collect(machine, "preview", "--usage").stdout.splitlines()
    assert [json.loads(line) for line in shown[1:3]] == [*report["tokens"], *report["decisions"]]
    assert shown[3] == "2 answer(s) or edit(s) would stay here: outside any clone"
    assert app.received == []


@pytest.mark.parametrize("arguments", [(), ("src/a.py", "--usage")])
def test_the_preview_is_of_one_thing(machine: Machine, arguments: tuple[str, ...]) -> None:
    done = collect(machine, "preview", *arguments)
    assert (done.returncode, "give a FILE, the id of an EDIT, or --usage" in done.stderr) == (
        2,
        True,
    )


@pytest.mark.parametrize(
    ("usage", "lines"),
    [
        (None, ["usage     nothing was sent yet"]),
        (
            UsageSent(at=NOW, since=NOW.date(), is_taken=False),
            ["usage     not sent: the app takes none yet, asked 2026-05-18 17:00 UTC"],
        ),
        (
            UsageSent(
                *(NOW, date(2026, 5, 11)),
                rows=1_200,
                repositories=2,
                refused={"github.com/acme/new": "no such repository"},
                stays={"outside any clone": 3},
                files_left_out=1,
            ),
            [
                "usage     1,200 rows since 2026-05-11, 2 repositories, sent 2026-05-18 17:00 UTC",
                "  3 answer(s) or edit(s) stayed here: outside any clone",
                "  github.com/acme/new: no such repository",
                "  1 file of records was too much to read: the rows are a part",
            ],
        ),
    ],
)
def test_status_tells_of_usage(
    machine: Machine, app: App, usage: UsageSent | None, lines: list[str]
) -> None:
    machine.enroll(app)
    state.save(machine.places, state.CollectorState(usage=usage))
    told = collect(machine, "status").stdout.splitlines()
    start = next(at for at, line in enumerate(told) if line.startswith("usage "))
    assert told[start:] == lines


def test_status_tells_all_that_is_remembered(machine: Machine, app: App) -> None:
    machine.enroll(app)
    later = NOW + timedelta(days=99_999)
    remembered = state.CollectorState(
        sent_at=NOW,
        sent=12,
        problem="the token was revoked",
        not_before=later,
        refused={"github.com/acme/new": "no such repository"},
        stays={"in a file that git ignores": 3},
    )
    state.save(machine.places, remembered)
    choices.save(machine.places, choices.KeptBack().with_pause("acme/shop", "secret/", NOW))
    for name in ("new", "other"):
        queue.set_aside(machine.places, f"github.com/acme/{name}", [b"1 {}", b"2 {}"], NOW)
    machine.places.started.touch()
    told = collect(machine, "status").stdout
    assert "sent      12 edit(s), last 2026-05-18 17:00 UTC" in told
    assert "  3 stayed here: in a file that git ignores" in told
    assert f"waits     until {later:%Y-%m-%d %H:%M} UTC, as the app asked" in told
    assert "problem   the token was revoked" in told
    assert "paused    acme/shop, secret/ since 2026-05-18 17:00 UTC" in told
    assert "held back 2 event(s) of github.com/acme/new: no such repository" in told
    assert "held back 2 event(s) of github.com/acme/other: the app did not accept it" in told
    assert "hook      not in the settings of this user: ghapp collect install" in told
    assert "started a flush at " in told


def test_a_checkout_where_commands_are_not_looked_at_is_named(
    machine: Machine, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.enroll(app)
    root = machine.clone().path
    asked = {"hook_event_name": "PreToolUse", "session_id": "s", "cwd": str(root)}
    asked |= {"tool_name": "Bash", "tool_use_id": "toolu_1"}
    event = json.dumps(asked | {"tool_input": {"command": "sed -i s/a/b/ cart.py"}}).encode()
    monkeypatch.setattr(shell_look, "BUDGET", 0.0)
    shell_look.before(str(machine.places.directory), event, int(NOW.timestamp() * 1e9))
    why = "git took more than 0 ms"
    told = collect(machine, "status")
    assert f"commands  not looked at in {os.path.realpath(root)}: {why}" in told.stdout
    found = json.loads(collect(machine, "status", "--format", "json").stdout)
    assert found["not_looked_at"] == [{"root": os.path.realpath(root), "why": why}]


def test_a_full_queue_is_said(machine: Machine, app: App) -> None:
    machine.enroll(app)
    hook.append(str(machine.places.directory), int(NOW.timestamp() * 1e9), b"{}")
    assert "the queue is full" not in collect(machine, "status").stdout
    os.truncate(machine.places.open_file, hook.MOST_QUEUED + 1)
    told = collect(machine, "status").stdout
    assert "the first of 2026-05-18 17:00 UTC" in told
    assert "the queue is full: ghapp collect backfill sends later" in told


def test_what_an_app_says_of_itself_moves_no_cursor(machine: Machine, app: App) -> None:
    known = machine.enroll(app)
    named = msgspec.structs.replace(app.enrollment, login="ann\x1b[2J\nenrolled")
    account.save(machine.places, msgspec.structs.replace(known, enrollment=named))
    told = collect(machine, "status").stdout
    assert "\x1b" not in told
    assert sum(line.startswith("enrolled") for line in told.splitlines()) == 1
