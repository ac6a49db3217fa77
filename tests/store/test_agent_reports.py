"""What machines say of agents: the last report of each counts, the day of the last edit stays."""

from datetime import timedelta

from msgspec.structs import replace

from ghapp.store import AgentReport, AgentSeen, Store
from tests.store.records import DAY, NOW

TODAY = NOW.date()
ANN = AgentReport(
    installation_id=7,
    user_id=11,
    login="Ann",
    machine="a" * 32,
    agent="codex",
    version="0.150.0",
    transcripts=3,
    edits=40,
    seen_on=TODAY,
    last_edit_on=TODAY,
)
BOB = replace(ANN, user_id=12, login="bob", machine="b" * 32, transcripts=1, edits=2)
NEW = replace(ANN, version="0.151.0", edits=0, last_edit_on=None)


def seen(store: Store) -> dict[tuple[str, str | None], AgentSeen]:
    return {(one.agent, one.version): one for one in store.agent_reports.seen(NOW)}


def test_machines_are_added_up_by_agent_and_version(store: Store) -> None:
    store.agent_reports.note([ANN, NEW], now=NOW)
    store.agent_reports.note([BOB, replace(BOB, agent="amp", version=None)], now=NOW)
    found = seen(store)
    assert list(found) == [("amp", None), ("codex", "0.150.0"), ("codex", "0.151.0")]
    assert found["codex", "0.150.0"] == AgentSeen(
        agent="codex",
        version="0.150.0",
        machines=2,
        transcripts=4,
        edits=42,
        seen_on=TODAY,
        last_edit_on=TODAY,
    )
    assert [one.is_silent for one in found.values()] == [False, False, True]


def test_a_later_report_replaces_the_numbers_and_keeps_the_day_of_the_last_edit(
    store: Store,
) -> None:
    store.agent_reports.note([ANN], now=NOW)
    week = TODAY + timedelta(days=7)
    later = replace(ANN, transcripts=5, edits=0, seen_on=week, last_edit_on=None)
    store.agent_reports.note([later], now=NOW + 7 * DAY)
    [one] = seen(store).values()
    assert (one.transcripts, one.edits, one.last_edit_on) == (5, 0, TODAY)
    assert one.is_silent
    store.agent_reports.note([replace(later, last_edit_on=week)], now=NOW + 7 * DAY)
    assert not seen(store)["codex", "0.150.0"].is_silent


def test_reports_leave_with_their_person_and_with_time(sqlite_store: Store) -> None:
    reports = sqlite_store.agent_reports
    reports.note([ANN, BOB], now=NOW)
    assert reports.seen(NOW + DAY) == ()
    assert reports.forget("ann") == 1
    assert reports.forget("renamed", 12) == 1
    reports.note([ANN], now=NOW)
    assert (reports.expire(NOW), reports.expire(NOW + DAY)) == (0, 1)
