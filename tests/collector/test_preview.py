"""The preview shows exactly what leaves the machine."""

import msgspec
import pytest

from ghapp.collector.addressing import StayReason
from ghapp.collector.choices import KeptBack, save
from ghapp.collector.flush import flush
from ghapp.collector.preview import preview
from tests.collector.machine import NOW, Agent, Machine
from tests.collector.stand_in import App

CODE = "def total(lines):\n    return sum(line.amount for line in lines)\n"


@pytest.fixture
def agent(machine: Machine) -> Agent:
    """Return an agent that wrote two files in a clone."""
    made = Agent(machine, machine.clone().path, "s1")
    made.write("src/a.py", CODE)
    made.write("src/b.py", CODE)
    return made


def test_the_preview_is_what_is_sent_to_the_byte(machine: Machine, app: App, agent: Agent) -> None:
    machine.enroll(app)
    event, at = agent.events[0]
    machine.take(event, at)
    found = preview(machine.places, str(event["tool_use_id"]), [], NOW)
    (one,) = found.sent
    flush(machine.places, now=NOW)
    assert msgspec.json.encode(one.batch) in app.received
    assert one.edits[0].lines.hunks[0].own == tuple(CODE.splitlines())


def test_a_file_is_found_in_transcripts(machine: Machine, app: App, agent: Agent) -> None:
    machine.enroll(app)
    found = preview(machine.places, str(agent.root / "src" / "a.py"), [machine.transcripts], NOW)
    assert [edit.path for one in found.sent for edit in one.edits] == ["src/a.py"]
    assert found.enrolled
    assert app.received == []


def test_before_enrollment_stand_ins_are_shown(machine: Machine, agent: Agent) -> None:
    found = preview(machine.places, str(agent.root / "src" / "a.py"), [machine.transcripts], NOW)
    assert not found.enrolled
    assert [one.batch.remotes for one in found.sent] == [("github.com/acme/shop",)]


def test_what_stays_is_shown_with_the_reason(machine: Machine, app: App, agent: Agent) -> None:
    machine.enroll(app)
    save(machine.places, KeptBack().with_pause(None, "src/", NOW))
    found = preview(machine.places, "toolu_a0001", [machine.transcripts], NOW)
    assert (found.sent, [why for _, why in found.stays]) == ((), [StayReason.KEPT_BACK])
    assert agent.root.is_dir()
