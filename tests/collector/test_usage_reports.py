"""Which usage may leave a machine, where it goes, and how it is cut into reports."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.collector import account
from ghapp.collector.addressing import WINDOW, StayReason
from ghapp.collector.choices import KeptBack
from ghapp.collector.usage_reports import (
    AGAIN,
    SessionDay,
    UsageToSend,
    earliest_day,
    first_day,
    fits,
    in_session_days,
    portions,
    to_report,
    usage_to_send,
)
from ghapp.collector.usage_sent import UsageSent
from ghapp.ingest.usage_days import usage_rows
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import DecisionDay, TokenDay
from ghapp.usage.decisions import EditDecision
from ghapp.wire import MOST_DAYS, OLDEST_USAGE, UsageReport
from tests.collector.machine import MODEL, NOW, START, VERSION, Agent, Machine
from tests.collector.stand_in import App

CODE = "def total(lines):\n    return sum(line.amount for line in lines)\n"
SHOP = ("github.com/acme/shop",)
DAY = timedelta(days=1)


def found(machine: Machine, chosen: KeptBack | None = None) -> UsageToSend:
    return usage_to_send(
        account.load(machine.places),
        chosen or KeptBack(),
        [machine.transcripts],
        START.date(),
        NOW,
    )


def answers(to_send: UsageToSend) -> dict[tuple[str, ...], int]:
    return {where.remotes: len(own.answers) for where, own in to_send.own.items() if own.answers}


def edits(to_send: UsageToSend) -> dict[tuple[str, ...], int]:
    return {where.remotes: len(own.decisions) for where, own in to_send.own.items()}


def reports(machine: Machine, to_send: UsageToSend) -> list[UsageReport]:
    made = []
    for destination, own in to_send.own.items():
        rows = usage_rows(own.answers, own.decisions)
        days = in_session_days(rows.tokens, rows.decisions).values()
        known = account.load(machine.places)
        made += [to_report(known, destination, some) for some in portions(days, MOST_DAYS)]
    return made


def test_a_row_has_numbers_ids_and_names(machine: Machine, app: App) -> None:
    machine.enroll(app)
    agent = Agent(machine, machine.clone().path, "s1")
    agent.says("Please write it")
    agent.write("src/a.py", CODE)
    agent.refused("src/a.py", "secret = 1\n")
    [report] = reports(machine, found(machine))
    assert (report.installation, report.remotes) == (7, SHOP)
    assert report.machine == account.load(machine.places).machine
    assert report.tokens == (
        TokenDay(
            agent="claude-code",
            agent_session="s1",
            day=START.date(),
            tokens=TokenCounts(input=9, output=60, cache_read=1_500),
            answers=3,
            model=MODEL,
            agent_version=VERSION,
            context=0,
        ),
    )
    kinds = {(one.tool, one.language, one.decision, one.edits) for one in report.decisions}
    assert kinds == {
        ("Write", "Python", EditDecision.ACCEPTED, 1),
        ("Write", "Python", EditDecision.REFUSED, 1),
    }


def test_checkouts_worktrees_and_folders_of_a_clone_are_one_repository(
    machine: Machine, app: App
) -> None:
    machine.enroll(app)
    clone = machine.clone()
    clone.git("worktree", "add", "-q", "-b", "topic", str(machine.home / "topic"))
    (clone.path / "src" / "web").mkdir(parents=True)
    again = machine.clone("https://github.com/acme/shop", "again").path
    roots = [clone.path, machine.home / "topic", clone.path / "src" / "web", again]
    for root in roots:
        Agent(machine, root, "s1").write("a.py", CODE)
    to_send = found(machine)
    assert answers(to_send) == {SHOP: len(roots)}
    [report] = reports(machine, to_send)
    # One agent session, day and model: one row, whatever the folder.
    assert [row.answers for row in report.tokens] == [len(roots)]


def test_a_worktree_that_is_gone_is_still_of_its_checkout(machine: Machine, app: App) -> None:
    machine.enroll(app)
    clone = machine.clone()
    topic = machine.home / "topic"
    clone.git("worktree", "add", "-q", "-b", "topic", str(topic))
    agent = Agent(machine, topic, "s1")
    agent.names_worktree(topic, clone.path)
    agent.write("a.py", CODE)
    clone.git("worktree", "remove", "--force", str(topic))
    to_send = found(machine)
    assert (answers(to_send), edits(to_send)) == ({SHOP: 1}, {SHOP: 1})


def test_what_is_nobodys_business_stays(machine: Machine, app: App) -> None:
    machine.enroll(app)
    (machine.home / "notes").mkdir()
    for root in (
        machine.home / "notes",
        machine.clone("git@github.com:ann/diary.git", "diary").path,
        machine.clone("/srv/git/local.git", "local").path,
    ):
        Agent(machine, root, "s1").write("a.py", CODE)
    to_send = found(machine)
    assert to_send.own == {}
    assert to_send.stays == {
        StayReason.OUTSIDE: 2,
        StayReason.NOT_ENROLLED: 2,
        StayReason.NO_REMOTE: 2,
    }


def test_an_edit_counts_where_its_file_is_and_not_where_git_ignores_it(
    machine: Machine, app: App
) -> None:
    machine.enroll(app)
    clone, other = machine.clone(), machine.clone("git@github.com:acme/api.git", "api")
    clone.commit({".gitignore": "local/\n"})
    agent = Agent(machine, clone.path, "s1")
    for path in ("a.py", "local/a.py", str(other.path / "b.py"), str(machine.home / "diary.md")):
        agent.write(path, CODE)
    to_send = found(machine)
    assert answers(to_send) == {SHOP: 4}
    assert edits(to_send) == {SHOP: 1, ("github.com/acme/api",): 1}
    assert to_send.stays == {StayReason.IGNORED: 1, StayReason.OUTSIDE: 1}


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("repository", "path", "kept"),
    [
        (None, None, 0),
        ("acme/shop", None, 0),
        ("github.com/acme/shop", None, 0),
        ("acme/other", None, 2),
        ("acme/shop", "src/secret/", 1),
        (None, "*.py", 2),
    ],
)
def test_what_is_paused_now_stays(
    machine: Machine, app: App, repository: str | None, path: str | None, kept: int
) -> None:
    machine.enroll(app)
    clone = machine.clone()
    (clone.path / "src" / "secret").mkdir(parents=True)
    Agent(machine, clone.path, "s1").write("a.py", CODE)
    Agent(machine, clone.path / "src" / "secret", "s2").write("b.py", CODE)
    to_send = found(machine, KeptBack().with_pause(repository, path, NOW))
    assert sum(answers(to_send).values()) == kept
    is_kept_back = to_send.stays.get(StayReason.KEPT_BACK, 0)
    assert is_kept_back == (2 if path == "*.py" else 4 - 2 * kept)


def test_what_happened_in_a_pause_that_is_over_stays(machine: Machine, app: App) -> None:
    machine.enroll(app)
    agent = Agent(machine, machine.clone().path, "s1")
    for _ in range(3):
        agent.write("a.py", f"{CODE}# {machine.at}\n")
        machine.at += HOUR
    since = START + HOUR / 2
    chosen = KeptBack().with_pause("acme/shop", None, since)
    over = chosen.without_pause("acme/shop", None, since + HOUR)
    assert answers(found(machine, over)) == {SHOP: 2}
    removed = KeptBack(usage_before=since + HOUR)
    assert answers(found(machine, removed)) == {SHOP: 1}
    assert removed.with_pause(None, "x", NOW).usage_before == removed.usage_before


def sent(at: datetime, *, is_taken: bool = True) -> UsageSent:
    return UsageSent(at=at, since=at.date(), is_taken=is_taken)


@pytest.mark.parametrize(
    ("before", "days"),
    [
        (None, WINDOW),
        (sent(NOW - DAY), AGAIN),
        (sent(NOW - 12 * DAY), 12 * DAY),
        (sent(NOW - 99 * DAY), WINDOW),
        (sent(NOW + 99 * DAY), AGAIN),
        (sent(NOW - DAY, is_taken=False), WINDOW),
    ],
)
def test_the_first_day_reaches_back_to_what_was_never_sent(
    before: UsageSent | None, days: timedelta
) -> None:
    assert first_day(before, NOW) == (NOW - days).date()


def test_a_backfill_sends_no_day_that_the_app_would_refuse() -> None:
    assert NOW.date() - earliest_day(None, NOW) < OLDEST_USAGE
    assert earliest_day(NOW - 30 * DAY, NOW) == (NOW - 30 * DAY).date()
    assert earliest_day(datetime(2020, 1, 1, tzinfo=UTC), NOW) == earliest_day(None, NOW)


# --- in reports -----------------------------------------------------------------------------------


def tokens(day: int, agent_session: str) -> TokenDay:
    return TokenDay(
        agent="codex",
        agent_session=agent_session,
        day=date(2026, 5, day),
        tokens=TokenCounts(output=1),
        answers=1,
    )


def decisions(day: int, agent_session: str) -> DecisionDay:
    return DecisionDay(
        agent="codex",
        agent_session=agent_session,
        day=date(2026, 5, day),
        tool="apply_patch",
        language=None,
        decision=EditDecision.ACCEPTED,
        decided_by=None,
        edits=1,
        lines=None,
    )


def count(days: Iterable[SessionDay]) -> tuple[int, int]:
    whole = list(days)
    return sum(len(one.tokens) for one in whole), sum(len(one.decisions) for one in whole)


keys = st.lists(st.tuples(st.integers(1, 3), st.sampled_from("abc")), max_size=30)


@given(keys, keys, st.integers(1, 6))
def test_rows_of_an_agent_session_s_day_stay_together_and_none_is_lost(
    of_tokens: list[tuple[int, str]], of_decisions: list[tuple[int, str]], most: int
) -> None:
    days = in_session_days(
        [tokens(*one) for one in of_tokens], [decisions(*one) for one in of_decisions]
    )
    groups = list(portions(days.values(), most))
    assert all(max(count(group)) <= most and group for group in groups)
    flat = [one for group in groups for one in group]
    assert flat == [one for one in days.values() if fits(one, most)]
    # No two neighbors would have fitted into one.
    for one, other in pairwise(groups):
        assert max(count([*one, other[0]])) > most
