"""Usage on its way to the app: once a day, whole, and whatever happens in between."""

from datetime import timedelta

import msgspec
import pytest

from ghapp.collector import account, choices, state
from ghapp.collector.backfill import backfill
from ghapp.collector.choices import KeptBack
from ghapp.collector.flush import HEARTBEAT, FlushResult, flush
from ghapp.collector.forgetting import forget
from ghapp.collector.preview import preview_usage
from ghapp.collector.sender import EvidenceSender
from ghapp.collector.usage_sender import send_usage
from ghapp.collector.usage_sent import UsageSent
from ghapp.ingest.usage_days import usage_of_machine
from ghapp.usage.days import DecisionDay, TokenDay
from ghapp.wire import ForgetRequest, WireProblem
from tests.clones import Clone
from tests.collector.machine import NOW, START, USAGE, Agent, Machine
from tests.collector.stand_in import App, Fault

DAY = timedelta(days=1)
CODE = "def total(lines):\n    return sum(line.amount for line in lines)\n"
SHOP, API = "github.com/acme/shop", "github.com/acme/api"
PER_ANSWER = USAGE["output_tokens"]


@pytest.fixture
def clone(machine: Machine, app: App) -> Clone:
    """Return the clone of an enrolled user."""
    machine.enroll(app)
    return machine.clone()


def worked(machine: Machine, clone: Clone, agent_session: str = "s1", edits: int = 1) -> None:
    agent = Agent(machine, clone.path, agent_session)
    for number in range(edits):
        agent.write(f"a{number}.py", CODE)


def sent(machine: Machine, after: timedelta = timedelta(0)) -> FlushResult:
    return flush(
        machine.places,
        now=NOW + after,
        sleep=lambda _: None,
        folders=lambda: [machine.transcripts],
    )


def output(app: App, repository: str = SHOP) -> int:
    """Return the output tokens that the app counts for a repository."""
    rows = [row for (name, *_), own in app.usage.items() if name == repository for row in own]
    return sum(row.tokens.output for row in rows if isinstance(row, TokenDay))


def edits(app: App, repository: str = SHOP) -> int:
    rows = [row for (name, *_), own in app.usage.items() if name == repository for row in own]
    return sum(row.edits for row in rows if isinstance(row, DecisionDay))


def last(machine: Machine) -> UsageSent:
    found = state.load(machine.places).usage
    assert found is not None
    return found


def test_it_is_sent_once_a_day_and_what_came_since_replaces_it(
    machine: Machine, app: App, clone: Clone
) -> None:
    worked(machine, clone)
    assert sent(machine).problem is None
    assert (output(app), edits(app), len(app.reports)) == (PER_ANSWER, 1, 1)
    worked(machine, clone, "s1", edits=2)
    sent(machine, timedelta(hours=1))
    assert len(app.reports) == 1
    sent(machine, HEARTBEAT)
    assert (output(app), edits(app), len(app.reports)) == (3 * PER_ANSWER, 3, 2)
    assert (last(machine).rows, last(machine).repositories) == (2, 1)
    assert last(machine).since == (NOW + HEARTBEAT - 7 * DAY).date()


def test_the_first_time_it_reaches_back_as_far_as_edits_do(
    machine: Machine, app: App, clone: Clone
) -> None:
    worked(machine, clone)
    machine.at += 30 * DAY
    worked(machine, clone, "s2")
    sent(machine, 22 * DAY)
    assert {day for _, day, *_ in app.usage} == {START.date()}
    sent(machine, 31 * DAY)
    assert {day for _, day, *_ in app.usage} == {START.date(), START.date() + 30 * DAY}


def test_without_enrolled_installations_nothing_is_read(
    machine: Machine, app: App, clone: Clone
) -> None:
    worked(machine, clone)
    app.installations = []
    known = account.load(machine.places)
    account.save(machine.places, msgspec.structs.replace(known, enrollment=app.enrollment))
    sent(machine)
    assert (app.reports, state.load(machine.places).usage) == ([], None)


def test_while_everything_is_paused_nothing_is_sent(
    machine: Machine, app: App, clone: Clone
) -> None:
    worked(machine, clone)
    choices.save(machine.places, KeptBack().with_pause(None, None, NOW))
    assert "paused" in str(sent(machine).problem)
    assert app.received == []


@pytest.mark.parametrize("status", [429, 503])
def test_an_app_that_is_away_gets_it_with_the_next_flush(
    machine: Machine, app: App, clone: Clone, status: int
) -> None:
    worked(machine, clone)
    sent(machine, -DAY)
    app.usage.clear()
    app.usage_faults = [Fault(status, WireProblem(error="later"), {"Retry-After": "3600"})]
    done = sent(machine)
    assert done.problem is not None
    assert app.usage == {}
    assert last(machine).at == NOW - DAY
    sent(machine, timedelta(hours=2))
    assert output(app) == PER_ANSWER


def test_an_app_that_knows_no_usage_is_no_trouble_of_the_machine(
    machine: Machine, app: App, clone: Clone
) -> None:
    worked(machine, clone)
    app.takes_usage = False
    done = sent(machine)
    assert done.problem is None
    assert not last(machine).is_taken
    app.takes_usage = True
    sent(machine, DAY)
    # All that was never sent, not the last days only.
    assert last(machine).since == (NOW + DAY - 23 * DAY).date()
    assert output(app) == PER_ANSWER


def test_a_refused_repository_holds_up_no_other(machine: Machine, app: App, clone: Clone) -> None:
    worked(machine, machine.clone("git@github.com:acme/api.git", "api"))
    worked(machine, clone)
    assert sent(machine).problem is None
    assert (output(app), output(app, API)) == (PER_ANSWER, 0)
    assert "no such repository" in last(machine).refused[API]
    app.repositories.add(API)
    sent(machine, DAY)
    assert output(app, API) == PER_ANSWER
    assert last(machine).refused == {}


def test_a_changed_installation_is_asked_for(machine: Machine, app: App, clone: Clone) -> None:
    worked(machine, clone)
    app.usage_faults = [Fault(403, WireProblem(error="again", code="other_installation"))]
    assert sent(machine).problem is None
    assert output(app) == PER_ANSWER
    worked(machine, clone, "s2")
    app.usage_faults = [Fault(403, WireProblem(error="again", code="other_installation"))] * 2
    assert sent(machine, DAY).problem is None
    assert SHOP in last(machine).refused


def test_a_revoked_token_is_said(machine: Machine, app: App, clone: Clone) -> None:
    worked(machine, clone)
    app.usage_faults = [Fault(401, WireProblem(error="revoked", code="revoked"))]
    assert "enroll again" in str(sent(machine).problem)
    assert state.load(machine.places).usage is None


def test_a_report_that_is_too_large_goes_in_halves(
    machine: Machine, app: App, clone: Clone
) -> None:
    for name in ("s1", "s2", "s3"):
        worked(machine, clone, name)
    app.usage_faults = [Fault(413), Fault(413)]
    sent(machine)
    # The second refusal met one agent session's day.
    assert output(app) == 2 * PER_ANSWER
    assert last(machine).stays["too large for one batch"] == 1


def test_many_rows_go_in_several_reports(
    machine: Machine, app: App, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ghapp.collector.usage_sender.MOST_DAYS", 2)
    for number in range(5):
        worked(machine, clone, f"s{number}")
    sent(machine)
    assert [len(one.tokens) for one in app.reports] == [2, 2, 1]
    assert (output(app), last(machine).rows) == (5 * PER_ANSWER, 10)


def test_two_names_of_one_repository_count_together(
    machine: Machine, app: App, clone: Clone
) -> None:
    """Only the app knows that a former name is the same repository: it says which it counts for."""
    app.aliases["github.com/acme/old-shop"] = SHOP
    other = machine.clone("git@github.com:acme/old-shop.git", "old")
    third = machine.clone("git@github.com:acme/api.git", "api")
    app.repositories.add(API)
    for one in (clone, other, third):
        worked(machine, one, "s1")
    worked(machine, other, "s2", edits=2)
    sent(machine)
    assert (output(app), edits(app)) == (4 * PER_ANSWER, 4)
    assert (output(app, API), edits(app, API)) == (PER_ANSWER, 1)
    assert (last(machine).rows, last(machine).repositories) == (6, 2)


def test_what_was_too_much_to_read_is_said(
    machine: Machine, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked(machine, clone)
    monkeypatch.setitem(usage_of_machine.__kwdefaults__, "most", 1)
    sent(machine)
    assert (last(machine).files_left_out, last(machine).rows) == (1, 0)


def test_a_preview_shows_the_reports_that_are_then_sent(
    machine: Machine, app: App, clone: Clone
) -> None:
    worked(machine, clone)
    (machine.home / "notes").mkdir()
    Agent(machine, machine.home / "notes", "s2").write("diary.md", CODE)
    shown = preview_usage(machine.places, [machine.transcripts], NOW)
    assert (app.received, shown.stays) == ([], {"outside any clone": 2})
    sent(machine)
    assert tuple(app.reports) == shown.reports
    assert last(machine).stays == {"outside any clone": 2}


# --- backfill and removal -------------------------------------------------------------------------


def filled(machine: Machine, since: timedelta | None = None, *, again: bool = False) -> UsageSent:
    done = backfill(
        machine.places,
        [machine.transcripts],
        since=None if since is None else NOW - since,
        now=NOW,
        again=again,
        records=lambda: [machine.transcripts],
    )
    assert done.usage is not None
    return done.usage


def test_a_backfill_sends_what_the_app_takes_or_from_a_day_on(
    machine: Machine, app: App, clone: Clone
) -> None:
    for days in (500, 300, 40, 0):
        machine.at = START - days * DAY
        worked(machine, clone, f"s{days}")
    filled(machine, 100 * DAY)
    assert {name for *_, name in app.usage} == {"s40", "s0"}
    filled(machine)
    assert {name for *_, name in app.usage} == {"s300", "s40", "s0"}
    assert last(machine).rows == 6


def test_a_backfill_without_records_sends_no_usage(
    machine: Machine, app: App, clone: Clone
) -> None:
    worked(machine, clone)
    done = backfill(machine.places, [machine.transcripts], since=None, now=NOW)
    assert (done.sent, done.usage, app.usage) == (1, None, {})


def test_what_was_removed_is_not_sent_again_unless_that_is_asked_for(
    machine: Machine, app: App, clone: Clone
) -> None:
    worked(machine, clone)
    sent(machine)
    forget(machine.places, [ForgetRequest()], now=NOW)
    assert (app.usage, state.load(machine.places).usage) == ({}, None)
    machine.at = NOW + timedelta(hours=1)
    worked(machine, clone, "s1", edits=2)
    sent(machine, DAY)
    assert output(app) == 2 * PER_ANSWER
    filled(machine)
    assert output(app) == 2 * PER_ANSWER
    filled(machine, again=True)
    assert output(app) == 3 * PER_ANSWER


def test_what_was_removed_of_a_repository_is_not_sent_again(
    machine: Machine, app: App, clone: Clone
) -> None:
    worked(machine, clone)
    sent(machine)
    forget(machine.places, [ForgetRequest(remotes=(SHOP,))], now=NOW)
    assert choices.load(machine.places).usage_before is None
    app.usage.clear()
    machine.at = NOW + timedelta(hours=1)
    worked(machine, clone, "s1", edits=2)
    sent(machine, DAY)
    assert output(app) == 2 * PER_ANSWER
    filled(machine, again=True)
    assert output(app) == 3 * PER_ANSWER


def test_removing_a_file_s_evidence_keeps_usage(machine: Machine, app: App, clone: Clone) -> None:
    worked(machine, clone)
    sent(machine)
    forget(machine.places, [ForgetRequest(remotes=(SHOP,), paths=("a.py",))], now=NOW)
    assert choices.load(machine.places).usage_removed == ()
    assert output(app) == PER_ANSWER


def test_an_installation_that_went_away_gets_no_usage(
    machine: Machine, app: App, clone: Clone
) -> None:
    worked(machine, clone)
    known = account.load(machine.places)
    sender = EvidenceSender(machine.places, known, now=NOW, patience=DAY, sleep=lambda _: None)
    app.installations = []
    done = send_usage(sender, KeptBack(), [machine.transcripts], START.date(), NOW)
    assert (done.rows, done.refused, app.reports) == (0, {}, [])
    assert done.stays == {"in a repository whose owner is not enrolled": 1}
    assert account.load(machine.places).enrollment.installations == ()
