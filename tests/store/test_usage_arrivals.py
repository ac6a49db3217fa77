"""What came of a source, and what was refused, is counted by day, with the usage or not at all."""

from datetime import timedelta

from ghapp.store import Store, UsageOrigin
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import TokenDay
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from tests.store.records import NOW

ORG = 7
ANN = UsageIdentity(IdentityKind.ACCOUNT, "11")
TODAY = NOW.date()
TOMORROW = TODAY + timedelta(days=1)


def test_what_came_is_counted_by_day(store: Store) -> None:
    for number, days in enumerate((0, 0, 1)):
        at = NOW + timedelta(days=days)
        with store.telemetry.taking(ORG, bytes([number]), now=at) as taken:
            assert taken is not None
            taken.note(UsageSource.EVENTS, {"codex": 1}, {"negative": 2})
    store.arrivals.note_refused(ORG, UsageSource.EVENTS, "request_413", now=NOW)
    with store.telemetry.taking(ORG, b"nothing", now=NOW) as taken:
        assert taken is not None
        taken.note(UsageSource.METRICS, {}, {})
    came = store.arrivals.came(ORG, TODAY, TOMORROW)
    assert [(one.day, one.source, one.agent, one.requests, one.kept) for one in came] == [
        (TOMORROW, UsageSource.EVENTS, "codex", 1, 1),
        (TODAY, UsageSource.EVENTS, "codex", 2, 2),
        (TODAY, UsageSource.METRICS, "", 1, 0),
    ]
    assert came[0].last_at == NOW + timedelta(days=1)
    why = store.arrivals.refused(ORG, TODAY, TOMORROW)
    assert [(one.day, one.reason, one.count) for one in why] == [
        (TOMORROW, "negative", 2),
        (TODAY, "negative", 4),
        (TODAY, "request_413", 1),
    ]
    assert store.arrivals.came(ORG + 1, TODAY, TOMORROW) == ()
    assert {one.day for one in store.arrivals.came(ORG, TODAY, TODAY)} == {TODAY}
    assert store.arrivals.expire(TOMORROW) == 4
    assert {one.day for one in store.arrivals.refused(ORG, TODAY, TOMORROW)} == {TOMORROW}


def test_a_report_of_a_machine_is_noted_with_its_rows(store: Store) -> None:
    origin = UsageOrigin(ORG, UsageSource.TRANSCRIPTS, ANN, login="ann", repository_id=1)
    rows = [
        TokenDay(
            agent=agent, agent_session=name, day=TODAY, tokens=TokenCounts(output=1), answers=1
        )
        for agent, name in (("codex", "s1"), ("codex", "s2"), ("claude-code", "s3"))
    ]
    for _ in range(2):
        store.usage.replace(origin, rows, [], now=NOW)
    came = store.arrivals.came(ORG, TODAY, TODAY)
    assert [(one.source, one.agent, one.requests, one.kept) for one in came] == [
        (UsageSource.TRANSCRIPTS, "claude-code", 2, 2),
        (UsageSource.TRANSCRIPTS, "codex", 2, 4),
    ]
