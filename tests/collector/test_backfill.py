"""A backfill sends each edit of the transcripts once, and resumes where it stopped."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from ghapp.attribution.model import EditResult
from ghapp.collector import agents
from ghapp.collector.addressing import StayReason
from ghapp.collector.backfill import BackfillResult, backfill, size_of
from ghapp.collector.choices import KeptBack, save
from ghapp.collector.flush import flush
from ghapp.wire import EnrolledInstallation, WireProblem
from tests.clones import Clone
from tests.collector.machine import NOW, START, Agent, Machine
from tests.collector.stand_in import App, Fault

CODE = "def total(lines):\n    return sum(line.amount for line in lines)\n"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clone(machine: Machine, app: App) -> Clone:
    """Return the clone of an enrolled user."""
    machine.enroll(app)
    return machine.clone()


def run(
    machine: Machine, since: timedelta | None = None, sleeps: list[float] | None = None
) -> BackfillResult:
    return backfill(
        machine.places,
        [machine.transcripts],
        since=None if since is None else START + since,
        now=NOW,
        sleep=([] if sleeps is None else sleeps).append,
    )


def test_all_that_transcripts_hold_is_sent(machine: Machine, app: App, clone: Clone) -> None:
    agent = Agent(machine, clone.path, "s1")
    agent.write("a.py", CODE)
    agent.refused("a.py", "secret = 1\n")
    Agent(machine, clone.path, "s1", subagent=True).write("b.py", CODE)
    done = run(machine)
    assert (done.sent, done.transcripts, done.problem) == (3, 2, None)
    found = sorted((edit.path, edit.outcome) for edit in app.edits.values())
    assert found == [
        ("a.py", EditResult.APPLIED),
        ("a.py", EditResult.REFUSED),
        ("b.py", EditResult.APPLIED),
    ]


def test_what_the_hook_sent_is_not_sent_again(machine: Machine, app: App, clone: Clone) -> None:
    agent = Agent(machine, clone.path, "s1")
    agent.write("a.py", CODE)
    for event, at in agent.events:
        machine.take(event, at)
    flush(machine.places, now=NOW)
    agent.write("b.py", CODE)
    assert run(machine).sent == 1
    assert set(app.times_sent.values()) == {1}


def test_copies_of_an_agent_session_are_sent_once(machine: Machine, app: App, clone: Clone) -> None:
    agent = Agent(machine, clone.path, "s1")
    agent.write("a.py", CODE)
    copied = agent.transcript.read_text().replace('"s1"', '"s2"')
    agent.transcript.with_name("s2.jsonl").write_text(copied)
    assert run(machine).sent == 1
    assert set(app.times_sent.values()) == {1}


def test_a_second_backfill_reads_only_what_changed(
    machine: Machine, app: App, clone: Clone
) -> None:
    first, second = Agent(machine, clone.path, "s1"), Agent(machine, clone.path, "s2")
    first.write("a.py", CODE)
    second.write("b.py", CODE)
    assert run(machine).sent == 2
    second.write("c.py", CODE)
    done = run(machine)
    assert (done.sent, done.unchanged) == (1, 1)
    assert set(app.times_sent.values()) == {1}


def test_one_that_was_stopped_goes_on(machine: Machine, app: App, clone: Clone) -> None:
    for number in range(6):
        Agent(machine, clone.path, f"s{number}").write(f"{number}.py", CODE)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ghapp.collector.backfill.MOST_EDITS", 2)
        app.faults = [Fault(500)]
        assert run(machine).problem is not None
    done = run(machine)
    assert (done.sent, done.problem) == (6, None)
    assert set(app.times_sent.values()) == {1}


def test_one_folder_after_the_other_is_remembered(machine: Machine, app: App, clone: Clone) -> None:
    other = machine.home / "elsewhere"
    Agent(machine, clone.path, "s1").write("a.py", CODE)
    agent = Agent(machine, clone.path, "s2")
    agent.write("b.py", CODE)
    other.mkdir()
    agent.transcript.rename(other / "s2.jsonl")
    run(machine)
    backfill(machine.places, [other], since=None, now=NOW)
    done = backfill(machine.places, [machine.transcripts, other], since=None, now=NOW)
    assert (done.unchanged, done.sent, len(app.edits)) == (2, 0, 2)


def test_an_app_that_lost_everything_gets_it_again(
    machine: Machine, app: App, clone: Clone
) -> None:
    Agent(machine, clone.path, "s1").write("a.py", CODE)
    run(machine)
    app.edits.clear()
    assert run(machine).sent == 0
    done = backfill(machine.places, [machine.transcripts], since=None, now=NOW, again=True)
    assert (done.sent, len(app.edits)) == (1, 1)


def test_ctrl_c_keeps_what_was_done(machine: Machine, app: App, clone: Clone) -> None:
    for number in range(3):
        Agent(machine, clone.path, f"s{number}").write(f"{number}.py", CODE)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    run(machine)
    Agent(machine, clone.path, "s0").write("new.py", CODE)
    with pytest.raises(KeyboardInterrupt):
        backfill(machine.places, [machine.transcripts], since=None, now=NOW, advance=stop)
    done = run(machine)
    assert (done.unchanged, done.sent) == (2, 1)
    assert set(app.times_sent.values()) == {1}


def test_what_the_app_cannot_take_is_told(machine: Machine, app: App, clone: Clone) -> None:
    Agent(machine, clone.path, "s1").write("a.py", CODE)
    app.faults = [Fault(422, WireProblem(error="no", field="edits[0].tool"))]
    assert run(machine).stays == {StayReason.REFUSED: 1}


def test_an_owner_who_enrolled_since_is_heard_of_within_a_day(machine: Machine, app: App) -> None:
    machine.enroll(app)
    other = machine.clone("git@github.com:globex/site.git", "site")
    Agent(machine, other.path, "s1").write("a.py", CODE)
    assert run(machine).stays == {StayReason.NOT_ENROLLED: 1}
    app.installations.append(
        EnrolledInstallation(id=8, account="Globex", key_id="key-9", key=b"g" * 32)
    )
    app.repositories.add("github.com/globex/site")
    later = NOW + timedelta(days=2)
    done = backfill(machine.places, [machine.transcripts], since=None, now=later)
    assert (done.sent, {batch.installation for batch in app.batches}) == (1, {8})


def test_a_busy_app_is_waited_for(machine: Machine, app: App, clone: Clone) -> None:
    Agent(machine, clone.path, "s1").write("a.py", CODE)
    app.faults = [Fault(429, WireProblem(error="slow down"), {"Retry-After": "20"})]
    sleeps: list[float] = []
    assert run(machine, sleeps=sleeps).sent == 1
    assert sleeps == [20.0]


def test_only_since_a_time(machine: Machine, app: App, clone: Clone) -> None:
    agent = Agent(machine, clone.path, "s1")
    agent.write("a.py", CODE)
    machine.at += 60 * MINUTE
    agent.write("b.py", CODE)
    done = run(machine, since=30 * MINUTE)
    assert (done.sent, done.stays) == (1, {StayReason.TOO_OLD: 1})
    # What was left out is not taken for done.
    assert run(machine).sent == 1
    assert len(app.edits) == 2


def test_a_repository_that_becomes_known_is_read_again(
    machine: Machine, app: App, clone: Clone
) -> None:
    Agent(machine, clone.path, "s1").write("a.py", CODE)
    app.repositories.clear()
    assert set(run(machine).refused) == {"github.com/acme/shop"}
    app.repositories.add("github.com/acme/shop")
    assert run(machine).sent == 1


def test_a_resumed_repository_is_read_again(machine: Machine, app: App, clone: Clone) -> None:
    Agent(machine, clone.path, "s1").write("a.py", CODE)
    chosen = KeptBack().with_pause("acme/shop", None, NOW)
    save(machine.places, chosen)
    assert run(machine).stays == {StayReason.KEPT_BACK: 1}
    save(machine.places, chosen.without_pause("acme/shop", None, NOW + MINUTE))
    assert run(machine).sent == 1
    assert len(app.edits) == 1


def test_worktrees_that_are_gone_are_mapped_by_other_transcripts(
    machine: Machine, app: App, clone: Clone
) -> None:
    gone = machine.home / "src" / "shop-topic"
    clone.git("worktree", "add", "-q", "-b", "topic", str(gone))
    Agent(machine, gone, "a1").write("src/a.py", CODE)
    other = Agent(machine, clone.path, "z1")
    other.write("src/b.py", CODE)
    named = {
        "type": "worktree-state",
        "sessionId": "z1",
        "worktreeSession": {"worktreePath": str(gone), "originalCwd": str(clone.path)},
    }
    with other.transcript.open("ab") as file:
        file.write(msgspec.json.encode(named) + b"\n")
    clone.git("worktree", "remove", "--force", str(gone))
    done = run(machine)
    assert (done.sent, done.stays) == (2, {})
    assert {edit.path for edit in app.edits.values()} == {"src/a.py", "src/b.py"}


def test_broken_records_are_named_and_the_rest_is_sent(
    machine: Machine, app: App, clone: Clone
) -> None:
    agent = Agent(machine, clone.path, "s1")
    agent.write("a.py", CODE)
    with agent.transcript.open("a") as file:
        file.write('{"type": "assistant", "message": {"content": [{"type": "tool_use"\n')
    agent.write("b.py", CODE)
    done = run(machine)
    assert (done.sent, len(done.unread)) == (2, 1)
    assert len(app.edits) == 2


def test_paused_altogether_nothing_is_read(machine: Machine, app: App, clone: Clone) -> None:
    Agent(machine, clone.path, "s1").write("a.py", CODE)
    save(machine.places, KeptBack().with_pause(None, None, NOW))
    assert run(machine).problem is not None
    assert app.received == []


def test_progress_adds_up(machine: Machine, clone: Clone) -> None:
    for number in range(3):
        Agent(machine, clone.path, f"s{number}").write(f"{number}.py", CODE)
    steps: list[int] = []
    folders: Iterable[Path] = [machine.transcripts]
    backfill(machine.places, folders, since=None, now=NOW, advance=steps.append)
    assert len(steps) == 3
    assert sum(steps) == size_of([machine.transcripts]) > 0


def test_other_agents_transcripts_are_sent_under_their_own_name(
    machine: Machine, app: App, clone: Clone
) -> None:
    at = START.isoformat()
    diff = "@@ -0,0 +1,2 @@\n" + "".join(f"+{line}\n" for line in CODE.splitlines())
    change = {"type": "update", "unified_diff": diff, "move_path": None}
    records = [
        {"type": "session_meta", "payload": {"id": "c1", "cwd": str(clone.path)}},
        {
            "type": "event_msg",
            "payload": {
                "type": "patch_apply_end",
                "call_id": "call_1",
                "success": True,
                "changes": {str(clone.path / "src" / "a.py"): change},
            },
        },
    ]
    rollout = machine.home / ".codex" / "sessions" / "2026" / "05" / "18" / "rollout-1.jsonl"
    rollout.parent.mkdir(parents=True)
    lines = (msgspec.json.encode({"timestamp": at, **record}) + b"\n" for record in records)
    rollout.write_bytes(b"".join(lines))
    found = agents.transcripts({"HOME": str(machine.home)})
    assert backfill(machine.places, found, since=None, now=NOW).sent == 1
    (edit,) = app.edits.values()
    assert (edit.agent, edit.path) == ("codex", "src/a.py")
    assert len(edit.lines.hunks[0].own) == 2


def test_a_substitution_in_a_transcript_is_not_sent(
    machine: Machine, app: App, clone: Clone
) -> None:
    agent = Agent(machine, clone.path, "s1")
    agent.write("cart.py", "def total(lines):\n    return 1\n")
    (clone.path / "cart.py").write_text("def amount(lines):\n    return 1\n")
    done = {"stdout": "", "stderr": "", "interrupted": False}
    agent._record("Bash", {"command": "sed -i s/total/amount/ cart.py"}, done)
    run(machine)
    # Only the hook sees both sides; a backfill sends what editing tools wrote.
    assert [(one.path, one.outcome) for one in app.edits.values()] == [
        ("cart.py", EditResult.APPLIED)
    ]
