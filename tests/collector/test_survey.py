"""What a machine tells of the agents on it: versions, numbers and days, and nothing else."""

import json
import os
from datetime import date, timedelta

from ghapp.collector import state
from ghapp.collector.flush import HEARTBEAT, flush
from ghapp.collector.survey import look
from tests.collector.machine import NOW, Agent, Machine
from tests.collector.stand_in import App, Fault

ROLLOUT = {"type": "session_meta", "payload": {"id": "s", "cli_version": "0.199.0"}}


def worked(machine: Machine) -> None:
    """Let one agent edit, and another write a form that nobody reads."""
    Agent(machine, machine.clone().path, "s1").write("a.py", "total = sum(prices)\n")
    rollout = machine.home / ".codex" / "sessions" / "a.jsonl"
    rollout.parent.mkdir(parents=True)
    rollout.write_text(json.dumps(ROLLOUT) + "\n")
    for path in (rollout, *machine.transcripts.rglob("*.jsonl")):
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))


def test_a_version_without_a_readable_edit_is_named(machine: Machine) -> None:
    worked(machine)
    seen = look([machine.transcripts, machine.home / ".codex/sessions"], NOW)
    claude, codex = seen.agents
    assert (claude.agent, claude.transcripts, claude.edits) == ("claude-code", 1, 1)
    assert claude.last_edit_on == date(2026, 5, 18)
    assert (codex.agent, codex.version, codex.transcripts) == ("codex", "0.199.0", 1)
    assert (codex.edits, codex.last_edit_on, codex.seen_on) == (0, None, date(2026, 5, 18))
    assert [one.agent for one in seen.passed_over] == ["codex"]


def test_what_did_not_change_in_a_week_is_not_read(machine: Machine) -> None:
    worked(machine)
    assert look([machine.transcripts], NOW + timedelta(days=8)).agents == ()


def test_the_app_hears_of_it_once_a_day_and_status_keeps_it(machine: Machine, app: App) -> None:
    machine.enroll(app)
    worked(machine)

    def told(hours: float) -> list[int]:
        app.batches.clear()
        at = NOW + timedelta(hours=hours)
        flush(machine.places, now=at, folders=lambda: [machine.transcripts])
        return [len(batch.agents) for batch in app.batches]

    app.faults = [Fault(503)]
    assert told(0) == []
    assert state.load(machine.places).seen is None
    assert told(1) == [1]
    assert told(2) == []
    assert told(2 + HEARTBEAT / timedelta(hours=1)) == [1]
    seen = state.load(machine.places).seen
    assert seen is not None
    assert [one.agent for one in seen.agents] == ["claude-code"]
