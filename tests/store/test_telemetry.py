"""What tells telemetry that came before, and how long it is known."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from ghapp.store import AddedUsage, Store, UsageOrigin
from ghapp.store.telemetry import EVENTS_KEPT, REQUESTS_KEPT, SERIES_KEPT, SeriesPoint
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import TokenDay
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from tests.store.records import NOW

ORG = 7
MAIL = UsageIdentity(IdentityKind.EMAIL, "ann@example.com")
EVENTS = UsageOrigin(ORG, UsageSource.EVENTS, MAIL)
LONG_AGO = (NOW - timedelta(days=400)).date()
POINT = SeriesPoint(start=5, at=10, value=100)


def row(output: int) -> TokenDay:
    return TokenDay(
        agent="codex",
        agent_session="s1",
        day=NOW.date(),
        tokens=TokenCounts(output=output),
        answers=1,
    )


def take(store: Store, digest: bytes, output: int = 5, *, at: datetime = NOW) -> bool:
    """Store a request; say whether it was new."""
    with store.telemetry.taking(ORG, digest, now=at) as taken:
        if taken is None:
            return False
        taken.add([AddedUsage(EVENTS, [row(output)])])
        taken.note(EVENTS.source, {"codex": 1}, {"negative": 2})
        return True


def new(store: Store, digest: bytes, keys: Iterable[str], *, at: datetime = NOW) -> set[str]:
    with store.telemetry.taking(ORG, digest, now=at) as taken:
        assert taken is not None
        return taken.new_events(keys)


def output(store: Store) -> list[int]:
    rows = (one.row for one in store.usage.rows(ORG))
    return [one.tokens.output for one in rows if isinstance(one, TokenDay)]


def test_a_request_is_taken_once(store: Store) -> None:
    assert [take(store, b"a"), take(store, b"a"), take(store, b"b")] == [True, False, True]
    assert output(store) == [10]


def test_a_request_that_fails_leaves_nothing_and_may_come_again(store: Store) -> None:
    def fail() -> None:
        with store.telemetry.taking(ORG, b"a", now=NOW) as taken:
            assert taken is not None
            taken.add([AddedUsage(EVENTS, [row(5)])])
            taken.new_events(["one"])
            taken.keep_states(0, {b"s": POINT})
            taken.note(EVENTS.source, {"codex": 1}, {})
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    assert output(store) == []
    assert store.arrivals.came(ORG, LONG_AGO, NOW.date()) == ()
    assert take(store, b"a")
    assert new(store, b"b", ["one"]) == {"one"}


def test_an_event_is_new_once(store: Store) -> None:
    many = [f"event-{number}" for number in range(450)]
    assert new(store, b"a", many) == set(many)
    assert new(store, b"b", [*many, "other", "other"]) == {"other"}


def test_the_last_points_of_series_are_those_of_their_owner(store: Store) -> None:
    later = POINT._replace(at=20, value=130)
    for owner, one in ((0, POINT), (0, later), (11, POINT)):
        with store.telemetry.taking(ORG, bytes([owner, one.at]), now=NOW) as taken:
            assert taken is not None
            taken.keep_states(owner, {b"\0s": one})
    with store.telemetry.taking(ORG, b"read", now=NOW) as taken:
        assert taken is not None
        assert taken.states(0, [b"\0s", b"unknown"]) == {b"\0s": later}
        assert taken.states(11, [b"\0s"]) == {b"\0s": POINT}


def test_the_first_contact_is_the_beginning_of_its_day(store: Store) -> None:
    for days in (0, 3):
        with store.telemetry.taking(ORG, bytes([days]), now=NOW + timedelta(days=days)) as taken:
            assert taken is not None
            first = taken.first_contact()
            assert first == NOW.replace(hour=0, minute=0, second=0, microsecond=0)


def test_what_tells_repetitions_ends_with_its_time(store: Store) -> None:
    take(store, b"a")
    new(store, b"b", ["one"])
    with store.telemetry.taking(ORG, b"c", now=NOW) as taken:
        assert taken is not None
        taken.keep_states(0, {b"s": POINT})
    store.telemetry.expire(NOW + REQUESTS_KEPT)
    assert not take(store, b"a")
    assert new(store, b"d", ["one"]) == set()
    after = NOW + max(REQUESTS_KEPT, EVENTS_KEPT) + timedelta(seconds=1)
    assert store.telemetry.expire(after) == 5
    assert new(store, b"e", ["one"]) == {"one"}
    with store.telemetry.taking(ORG, b"f", now=NOW) as taken:
        assert taken is not None
        assert set(taken.states(0, [b"s"])) == {b"s"}
    store.telemetry.expire(NOW + SERIES_KEPT + timedelta(seconds=1))
    with store.telemetry.taking(ORG, b"g", now=NOW) as taken:
        assert taken is not None
        assert taken.states(0, [b"s"]) == {}


def test_of_too_many_events_the_latest_are_known(store: Store) -> None:
    for number in range(4):
        new(store, bytes([number]), [str(number)], at=NOW + timedelta(seconds=number))
    store.telemetry.expire(NOW, most_events=2)
    assert new(store, b"again", map(str, range(4))) == {"0", "1"}


def test_an_origin_with_a_place_is_another_origin(store: Store) -> None:
    placed = replace(EVENTS, repository_id=5)
    with store.telemetry.taking(ORG, b"a", now=NOW) as taken:
        assert taken is not None
        taken.add([AddedUsage(EVENTS, [row(1)]), AddedUsage(placed, [row(2)])])
    assert sorted(output(store)) == [1, 2]
    assert len(store.usage.identities(ORG)) == 1
