"""The queue on its way to the app: each edit arrives once, whatever happens in between."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.collector import account, queue, state
from ghapp.collector.addressing import StayReason
from ghapp.collector.backfill import backfill
from ghapp.collector.choices import KeptBack, save
from ghapp.collector.flush import FlushResult, flush, flush_silently
from ghapp.collector.places import CollectorBusy
from ghapp.collector.sent import AcknowledgedEdits
from ghapp.wire import EnrolledInstallation, WireProblem
from tests.clones import Clone
from tests.collector.machine import MODEL, NOW, VERSION, Agent, Machine
from tests.collector.stand_in import KEY, App, Fault
from tests.searching import searched

DAY = timedelta(days=1)
CODE = "def total(lines):\n    return sum(line.amount for line in lines)\n"


@pytest.fixture
def clone(machine: Machine, app: App) -> Clone:
    """Return the clone of an enrolled user."""
    machine.enroll(app)
    return machine.clone()


def take(machine: Machine, agent: Agent) -> None:
    for event, at in agent.events:
        machine.take(event, at)
    agent.events.clear()


def edited(machine: Machine, clone: Clone, *paths: str) -> Agent:
    """Let an agent write files, and queue its hook's events."""
    agent = Agent(machine, clone.path, "s1")
    for path in paths:
        agent.write(path, CODE)
    take(machine, agent)
    return agent


def is_empty(machine: Machine) -> bool:
    return list(machine.places.queue.iterdir()) == []


def test_an_edit_arrives_as_fingerprints_with_its_path_in_the_repository(
    machine: Machine, app: App, clone: Clone
) -> None:
    edited(machine, clone, "src/cart.py")
    assert flush(machine.places, now=NOW).sent == 1
    (edit,) = app.edits.values()
    assert (edit.path, edit.tool, edit.agent, edit.agent_session) == (
        "src/cart.py",
        "Write",
        "claude-code",
        "s1",
    )
    # The event names neither; the transcript that it names does.
    assert (edit.agent_version, edit.model) == (VERSION, MODEL)
    print_of = LineFingerprinter(KEY).line
    assert edit.lines.hunks[0].own == tuple(map(print_of, CODE.splitlines()))
    (batch, *_) = app.batches
    assert (batch.installation, batch.remotes) == (7, ("github.com/acme/shop",))
    assert is_empty(machine)


def test_every_tool_arrives(machine: Machine, app: App, clone: Clone) -> None:
    agent = Agent(machine, clone.path, "s1")
    agent.write("a.py", CODE)
    agent.edit("a.py", "return sum", "return 1 + sum")
    agent.shell("sed -i s/a/b/ b.py", {"b.py": ("a = 1\n", "b = 1\n")})
    take(machine, agent)
    flush(machine.places, now=NOW)
    found = {(edit.tool, edit.path): edit for edit in app.edits.values()}
    assert set(found) == {("Write", "a.py"), ("Edit", "a.py"), ("Bash", "b.py")}
    line = LineFingerprinter(KEY).line("    return 1 + sum(line.amount for line in lines)")
    assert found["Edit", "a.py"].lines.hunks[0].own == (line,)


def test_a_second_flush_sends_nothing(machine: Machine, app: App, clone: Clone) -> None:
    agent = Agent(machine, clone.path, "s1")
    agent.write("a.py", CODE)
    events = list(agent.events)
    take(machine, agent)
    flush(machine.places, now=NOW)
    agent.events = events
    take(machine, agent)
    assert flush(machine.places, now=NOW).sent == 0
    assert set(app.times_sent.values()) == {1}


def test_worktrees_and_checkouts_are_the_same_repository(
    machine: Machine, app: App, clone: Clone
) -> None:
    clone.git("worktree", "add", "-q", "-b", "topic", str(machine.home / "topic"))
    clone.git("worktree", "add", "-q", "-b", "inner", ".claude/worktrees/inner")
    other = machine.clone("https://github.com/acme/shop", "again")
    roots = [
        clone.path,
        machine.home / "topic",
        clone.path / ".claude" / "worktrees" / "inner",
        other.path,
    ]
    for root in roots:
        agent = Agent(machine, root, "s1")
        agent.write("src/cart.py", CODE)
        take(machine, agent)
    assert flush(machine.places, now=NOW).sent == 4
    assert {edit.path for edit in app.edits.values()} == {"src/cart.py"}
    assert {remotes for batch in app.batches for remotes in batch.remotes} == {
        "github.com/acme/shop"
    }


def test_a_fork_goes_where_its_upstream_is_enrolled(machine: Machine, app: App) -> None:
    machine.enroll(app)
    clone = machine.clone("git@github.com:ann/shop.git")
    clone.git("remote", "add", "upstream", "https://github.com/acme/shop.git")
    clone.git("remote", "add", "mirror", "https://gitlab.example.com/secret-customer/shop.git")
    edited(machine, clone, "a.py")
    assert flush(machine.places, now=NOW).sent == 1
    assert app.batches[0].remotes == ("github.com/acme/shop",)


@pytest.mark.parametrize(
    ("remote", "why"),
    [
        ("git@github.com:ann/diary.git", StayReason.NOT_ENROLLED),
        ("https://gitlab.com/acme/shop.git", StayReason.NOT_ENROLLED),
        ("/srv/git/shop.git", StayReason.NO_REMOTE),
    ],
)
def test_what_is_nobodys_business_stays(
    machine: Machine, app: App, remote: str, why: StayReason
) -> None:
    machine.enroll(app)
    edited(machine, machine.clone(remote), "a.py")
    assert flush(machine.places, now=NOW).stays == {why: 1}
    assert app.edits == {}
    assert b"diary" not in b"".join(app.received)


def test_what_git_ignores_stays(machine: Machine, app: App, clone: Clone) -> None:
    clone.commit({".gitignore": ".env*\n/local/\n", ".env.example": "TOKEN=\n"})
    clone.git("add", "-f", ".env.example")
    clone.commit({})
    edited(machine, clone, "src/a.py", ".env", "local/notes.py", ".env.example")
    done = flush(machine.places, now=NOW)
    assert (done.sent, done.stays) == (2, {StayReason.IGNORED: 2})
    # What is tracked can be in a pull request, whatever the patterns say.
    assert {edit.path for edit in app.edits.values()} == {"src/a.py", ".env.example"}
    filled = backfill(machine.places, [machine.transcripts], since=None, now=NOW)
    assert (filled.sent, filled.stays) == (0, {StayReason.IGNORED: 2})


def test_what_is_outside_of_any_clone_stays(machine: Machine, app: App) -> None:
    machine.enroll(app)
    agent = Agent(machine, machine.home / "notes", "s1")
    agent.write("a.md", CODE)
    take(machine, agent)
    assert flush(machine.places, now=NOW).stays == {StayReason.OUTSIDE: 1}


def test_what_no_merge_can_reach_stays(machine: Machine, app: App, clone: Clone) -> None:
    edited(machine, clone, "a.py")
    assert flush(machine.places, now=NOW + 24 * DAY).stays == {StayReason.TOO_OLD: 1}
    assert app.edits == {}


def test_another_agent_that_runs_the_hook_is_not_taken_for_claude_code(
    machine: Machine, app: App, clone: Clone
) -> None:
    agent = Agent(machine, clone.path, "s1")
    event = agent.write("a.py", CODE)
    machine.take({**event, "tool_use_id": "call_1", "transcript_path": "/x/.cursor/1.jsonl"}, NOW)
    assert flush(machine.places, now=NOW).sent == 0
    assert app.edits == {}


def test_what_cannot_be_read_holds_up_nothing(machine: Machine, clone: Clone) -> None:
    edited(machine, clone, "a.py")
    with machine.places.open_file.open("ab") as file:
        file.write(b'no time\n17470 {"tool_name": \n\n1747000000000000000 []\n\xff\xfe\n')
    edited(machine, clone, "b.py")
    done = flush(machine.places, now=NOW)
    assert (done.sent, done.problem) == (2, None)
    assert done.stays == {"in an event that cannot be read": 5}
    assert is_empty(machine)


# --- the app and the network ---------------------------------------------------------------------


def test_offline_nothing_is_lost(machine: Machine, app: App, clone: Clone) -> None:
    edited(machine, clone, "a.py")
    online = account.load(machine.places)
    account.save(machine.places, msgspec.structs.replace(online, url="http://127.0.0.1:9"))
    done = flush(machine.places, now=NOW)
    assert done.problem is not None
    assert "cannot be reached" in done.problem
    edited(machine, clone, "b.py")
    assert queue.waiting(machine.places).events == 2
    account.save(machine.places, online)
    assert flush(machine.places, now=NOW).sent == 2
    assert is_empty(machine)
    assert set(app.times_sent.values()) == {1}


def test_an_app_that_is_busy_for_a_moment_is_waited_for(
    machine: Machine, app: App, clone: Clone
) -> None:
    edited(machine, clone, "a.py")
    app.faults = [Fault(429, WireProblem(error="one at a time"), {"Retry-After": "1"})] * 2
    pauses: list[float] = []
    assert flush(machine.places, now=NOW, sleep=pauses.append).sent == 1
    assert pauses == [1.0, 1.0]


def test_a_busy_app_is_left_alone_for_as_long_as_it_says(
    machine: Machine, app: App, clone: Clone
) -> None:
    edited(machine, clone, "a.py")
    app.faults = [Fault(429, WireProblem(error="slow down"), {"Retry-After": "600"})]
    assert flush(machine.places, now=NOW).sent == 0
    asked = len(app.received)
    assert flush(machine.places, now=NOW + timedelta(minutes=9)).sent == 0
    assert len(app.received) == asked
    assert flush(machine.places, now=NOW + timedelta(minutes=11)).sent == 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_app_in_trouble_is_asked_again(
    machine: Machine, app: App, clone: Clone, status: int
) -> None:
    edited(machine, clone, "a.py")
    app.faults = [Fault(status)]
    assert flush(machine.places, now=NOW).problem is not None
    assert flush(machine.places, now=NOW + timedelta(hours=1)).sent == 1


def test_a_changed_key_is_fetched_and_the_lines_fingerprinted_again(
    machine: Machine, app: App, clone: Clone
) -> None:
    edited(machine, clone, "a.py")
    new = b"n" * 32
    app.installations = [EnrolledInstallation(id=7, account="acme", key_id="key-2", key=new)]
    assert flush(machine.places, now=NOW).sent == 1
    (edit,) = app.edits.values()
    assert edit.lines.hunks[0].own[0] == LineFingerprinter(new).line(CODE.splitlines()[0])
    assert account.load(machine.places).enrollment == app.enrollment


def test_an_installation_that_went_away_gets_nothing(
    machine: Machine, app: App, clone: Clone
) -> None:
    edited(machine, clone, "a.py")
    app.installations = []
    assert flush(machine.places, now=NOW).stays == {StayReason.NOT_ENROLLED: 1}


def test_a_revoked_token_is_said_and_the_queue_kept(machine: Machine, clone: Clone) -> None:
    edited(machine, clone, "a.py")
    known = account.load(machine.places)
    account.save(machine.places, msgspec.structs.replace(known, token="other"))
    done = flush(machine.places, now=NOW)
    assert done.problem is not None
    assert "enroll again" in done.problem
    assert state.load(machine.places).problem == done.problem
    account.save(machine.places, known)
    assert flush(machine.places, now=NOW).sent == 1


def test_a_repository_that_the_app_does_not_know_waits_aside(
    machine: Machine, app: App, clone: Clone
) -> None:
    edited(machine, clone, "a.py")
    other = machine.clone("git@github.com:acme/new.git", "new")
    edited(machine, other, "b.py")
    assert flush(machine.places, now=NOW).sent == 1
    assert queue.aside(machine.places)["github.com/acme/new"].events == 1
    assert "no such repository" in state.load(machine.places).refused["github.com/acme/new"]
    # Within a day it is not asked again, and newer edits join the others.
    edited(machine, other, "c.py")
    asked = len(app.batches)
    assert flush(machine.places, now=NOW).sent == 0
    assert len(app.batches) == asked
    app.repositories.add("github.com/acme/new")
    assert flush(machine.places, now=NOW + DAY).sent == 2
    assert queue.aside(machine.places) == {}
    assert set(app.times_sent.values()) == {1}


def test_a_flush_by_hand_asks_again_at_once(machine: Machine, app: App, clone: Clone) -> None:
    app.repositories.clear()
    edited(machine, clone, "a.py")
    flush(machine.places, now=NOW)
    app.repositories.add("github.com/acme/shop")
    assert flush(machine.places, now=NOW, at_once=True).sent == 1


def test_what_waited_aside_for_too_long_is_dropped(
    machine: Machine, app: App, clone: Clone
) -> None:
    app.repositories.clear()
    edited(machine, clone, "a.py")
    flush(machine.places, now=NOW)
    assert flush(machine.places, now=NOW + 24 * DAY).stays == {StayReason.TOO_OLD: 1}
    assert (queue.aside(machine.places), is_empty(machine)) == ({}, True)


def test_an_edit_that_the_app_cannot_take_holds_up_no_other(
    machine: Machine, app: App, clone: Clone
) -> None:
    edited(machine, clone, "a.py", "b.py", "c.py")
    app.faults = [Fault(422, WireProblem(error="no such outcome", field="edits[1].outcome"))]
    done = flush(machine.places, now=NOW)
    assert (done.sent, done.stays) == (2, {StayReason.REFUSED: 1})
    assert {edit.path for edit in app.edits.values()} == {"a.py", "c.py"}


def test_a_batch_that_is_too_large_goes_in_halves(machine: Machine, app: App, clone: Clone) -> None:
    edited(machine, clone, "a.py", "b.py", "c.py")
    app.faults = [Fault(413), Fault(413)]
    done = flush(machine.places, now=NOW)
    # The second refusal met a batch of one.
    assert (done.sent, done.stays) == (2, {StayReason.TOO_LARGE: 1})


def test_large_edits_are_spread_over_requests(machine: Machine, app: App, clone: Clone) -> None:
    lines = "".join(f"value_{number} = {number} + {number}\n" for number in range(2_000))
    agent = Agent(machine, clone.path, "s1")
    for name in ("a.py", "b.py"):
        agent.write(name, lines)
    take(machine, agent)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ghapp.collector.batches.MOST_BYTES", 700_000)
        assert flush(machine.places, now=NOW).sent == 2
    assert len([batch for batch in app.batches if batch.edits]) == 2


def test_a_redirect_is_not_followed(machine: Machine, app: App, clone: Clone) -> None:
    edited(machine, clone, "a.py")
    app.faults = [Fault(302, None, {"Location": f"{app.url}/elsewhere"})]
    flush(machine.places, now=NOW)
    assert not any(b"elsewhere" in one for one in app.received)
    assert app.edits == {}


def test_a_machine_with_nothing_to_send_says_that_it_is_there_once_a_day(
    machine: Machine, app: App, clone: Clone
) -> None:
    assert clone.path.is_dir()
    for hours in (0, 1, 21, 22):
        flush(machine.places, now=NOW + timedelta(hours=hours))
    assert [(batch.edits, batch.remotes) for batch in app.batches] == [((), ()), ((), ())]
    assert {batch.machine for batch in app.batches} == {account.load(machine.places).machine}


def test_one_flush_at_a_time(machine: Machine, app: App, clone: Clone) -> None:
    edited(machine, clone, "a.py")
    with machine.places.alone(), pytest.raises(CollectorBusy):
        flush(machine.places, now=NOW)
    with machine.places.alone():
        flush_silently(machine.places, now=NOW)
    assert app.edits == {}
    assert flush(machine.places, now=NOW).sent == 1


def test_what_goes_wrong_in_silence_is_told_by_status(machine: Machine, clone: Clone) -> None:
    assert clone.path.is_dir()
    machine.places.choices.write_text("{")
    flush_silently(machine.places, now=NOW)
    assert "nothing is sent" in (state.load(machine.places).problem or "")


# --- choices -------------------------------------------------------------------------------------


def test_what_is_paused_does_not_leave(machine: Machine, app: App, clone: Clone) -> None:
    chosen = KeptBack().with_pause(None, "/secret/", NOW).with_pause("acme/other", None, NOW)
    save(machine.places, chosen)
    edited(machine, clone, "src/a.py", "secret/deep/b.py")
    edited(machine, machine.clone("git@github.com:Acme/Other.git", "other"), "c.py")
    done = flush(machine.places, now=NOW)
    assert (done.sent, done.stays) == (1, {StayReason.KEPT_BACK: 2})
    assert {edit.path for edit in app.edits.values()} == {"src/a.py"}


def test_paused_altogether_nothing_leaves(machine: Machine, app: App, clone: Clone) -> None:
    edited(machine, clone, "a.py")
    save(machine.places, KeptBack().with_pause(None, None, NOW))
    assert flush(machine.places, now=NOW).sent == 0
    assert app.received == []


# --- crashes -------------------------------------------------------------------------------------


class _Killed(BaseException):
    """The process ended here."""


@given(deaths=st.lists(st.integers(0, 3), max_size=3), parts=st.integers(1, 4))
@searched(8)
def test_a_flush_that_is_killed_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, app: App, deaths: list[int], parts: int
) -> None:
    machine = Machine(tmp_path_factory.mktemp("home"))
    clone = machine.clone()
    machine.enroll(app)
    app.edits.clear()
    app.times_sent.clear()
    names = [f"{number}.py" for number in range(4)]
    edited(machine, clone, *names)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ghapp.collector.batches.MOST_EDITS", parts)
        for batch in deaths:
            _flush_killed_at(machine, batch)
        flush(machine.places, now=NOW)
    assert sorted(edit.path for edit in app.edits.values()) == names
    assert is_empty(machine)
    # One that was acknowledged just before the end may be sent a second time, no other.
    again = Counter(app.times_sent.values())
    assert sum(count * times for times, count in again.items()) <= len(names) + parts * len(deaths)


def _flush_killed_at(machine: Machine, batch: int) -> None:
    """Let a flush die right after the app took a batch, before that is remembered."""
    left = [batch]

    def add(self: AcknowledgedEdits, *arguments: object) -> None:
        if left[0] == 0:
            raise _Killed
        left[0] -= 1
        real(self, *arguments)  # type: ignore[arg-type]

    real = AcknowledgedEdits.add
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(AcknowledgedEdits, "add", add)
        try:
            done: FlushResult | None = flush(machine.places, now=NOW)
        except _Killed:
            done = None
    assert done is None or done.problem is None


def test_hooks_that_run_while_a_flush_does_lose_nothing(
    machine: Machine, app: App, clone: Clone
) -> None:
    agent = Agent(machine, clone.path, "s1")
    for number in range(120):
        agent.write(f"{number}.py", CODE)
    with ThreadPoolExecutor(4) as hooks:
        done = [hooks.submit(machine.take, event, at) for event, at in agent.events]
        while not all(one.done() for one in done):
            flush(machine.places, now=NOW)
        assert [one.result() for one in done] == [None] * 120
    flush(machine.places, now=NOW)
    assert len(app.edits) == 120
    assert set(app.times_sent.values()) == {1}


def test_a_record_that_was_cut_off_is_mended(machine: Machine, app: App, clone: Clone) -> None:
    edited(machine, clone, "a.py")
    flush(machine.places, now=NOW)
    with machine.places.sent.open("ab") as file:
        file.write(b"half")
    edited(machine, clone, "b.py")
    assert flush(machine.places, now=NOW).sent == 1
    assert machine.places.sent.stat().st_size == 24
    assert set(app.times_sent.values()) == {1}


def test_files_are_the_users_alone(machine: Machine, app: App, clone: Clone) -> None:
    edited(machine, clone, "a.py")
    app.repositories.clear()
    flush(machine.places, now=NOW)
    everything = [path for path in machine.places.directory.rglob("*") if path.is_file()]
    assert {path.name for path in everything} >= {"account.json", "state.json", "sending"}
    assert {oct(path.stat().st_mode & 0o777) for path in everything} == {"0o600"}
    folders = [path for path in machine.places.directory.rglob("*") if path.is_dir()]
    assert {oct(path.stat().st_mode & 0o777) for path in folders} == {"0o700"}
