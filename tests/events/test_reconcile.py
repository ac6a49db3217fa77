"""Merged pull requests that no event told of: found in GitHub's list, and enqueued once."""

from datetime import datetime, timedelta

import pytest

from ghapp.demo.sandbox import HubPull
from ghapp.events.reconcile import (
    CATCH_UP,
    FIRST_LOOK,
    OVERLAP,
    cursor_of,
    look_back,
    reconcile,
    reconcile_request,
)
from ghapp.github.answers import TemporaryFailure
from ghapp.store import MERGED, Lane, Store, WorkEnd, WorkKind, WorkRequest
from tests.github.place import START, Place
from tests.store.records import LEASE, document


def merge(place: Place, at: datetime) -> HubPull:
    """Merge a pull request at a time."""
    place.clock.now = at - timedelta(minutes=1)
    return place.merged({f"{at:%d%H%M}.py": "x = 1\n"})


def look(place: Place, store: Store, now: datetime) -> list[int]:
    """Look at GitHub's list now; return the numbers of what is enqueued since."""
    place.clock.now = now
    before = {item.name for item in store.work.open()}
    found = reconcile(place.github, store, now)
    new = [item for item in store.work.open() if item.name not in before]
    assert found == len(new)
    assert {(item.kind, item.lane) for item in new} <= {(WorkKind.AUDIT, Lane.LIVE)}
    return sorted(item.pull_request or 0 for item in new)


def end(store: Store, place: Place, number: int, outcome: WorkEnd) -> None:
    """Let an audit of a pull request end."""
    ids = (place.installation.id, place.repository.id, number)
    request = WorkRequest.for_pull(WorkKind.AUDIT, *ids, at=START, why="merged")
    store.work.enqueue(request, now=START)
    (item,) = [one for one in store.work.of(place.repository.id, number) if one.outcome is None]
    leased = store.work.lease(item.id, START, "worker", LEASE)
    assert leased is not None
    store.work.finish(leased, outcome, "because", now=START)


def test_the_first_look_goes_back_a_day(place: Place, known: Store) -> None:
    now = START + timedelta(days=3)
    merge(place, now - FIRST_LOOK - timedelta(minutes=1))
    recent = merge(place, now - FIRST_LOOK + timedelta(minutes=1))
    assert look(place, known, now) == [recent.number]


def test_each_look_begins_a_little_before_the_last_one(place: Place, known: Store) -> None:
    now = START + timedelta(days=3)
    look(place, known, now)
    merge(place, now - OVERLAP - timedelta(minutes=1))
    late = merge(place, now - OVERLAP + timedelta(minutes=1))
    assert look(place, known, now + timedelta(hours=2)) == [late.number]
    assert known.cursors.read(cursor_of(place.repository.id)) == place.clock.now.isoformat()


@pytest.mark.parametrize(
    ("outcome", "again"),
    [
        (WorkEnd.DONE, False),
        # These wait until somebody gives access or a permission.
        (WorkEnd.PARTIAL, False),
        (WorkEnd.REFUSED, False),
        (WorkEnd.GONE, True),
        (WorkEnd.NOTHING_TO_DO, True),
    ],
)
def test_only_a_good_end_is_one(place: Place, known: Store, outcome: WorkEnd, again: bool) -> None:  # noqa: FBT001 - a column of the table
    pull = merge(place, START + timedelta(hours=1))
    end(known, place, pull.number, outcome)
    assert look(place, known, START + timedelta(hours=2)) == ([pull.number] if again else [])


@pytest.mark.parametrize("outcome", WorkEnd)
def test_looking_back_brings_what_had_no_good_end(store: Store, outcome: WorkEnd) -> None:
    long_ago = START - timedelta(days=20)
    for kind, number in ((WorkKind.AUDIT, 17), (WorkKind.COMMAND, 18)):
        request = WorkRequest.for_pull(kind, 5, 42, number, at=long_ago, why="x", about=MERGED)
        store.work.enqueue(request, now=long_ago)
    for item in store.work.open():
        leased = store.work.lease(item.id, long_ago, "worker", LEASE)
        assert leased is not None
        store.work.finish(leased, outcome, "because", now=long_ago)
    later = WorkRequest.for_pull(WorkKind.FINALIZE, 5, 42, 17, at=START, why="window")
    store.work.enqueue(later, now=long_ago)
    look_back(42, store, START)
    enqueued = [item for item in store.work.open() if item.kind == WorkKind.AUDIT]
    wanted = outcome in {WorkEnd.PARTIAL, WorkEnd.REFUSED, WorkEnd.GONE}
    assert [(one.pull_request, one.about) for one in enqueued] == ([(17, MERGED)] * wanted)


def test_what_ended_well_since_is_left_alone(store: Store) -> None:
    for minutes, outcome in enumerate((WorkEnd.GONE, WorkEnd.DONE)):
        at = START + timedelta(minutes=minutes)
        request = WorkRequest.for_pull(WorkKind.AUDIT, 5, 42, 17, at=at, why="x")
        store.work.enqueue(request, now=at)
        leased = store.work.lease(store.work.open()[0].id, at, "worker", LEASE)
        assert leased is not None
        store.work.finish(leased, outcome, "because", now=at)
    look_back(42, store, START + timedelta(days=1))
    assert store.work.open() == ()


def test_what_is_under_way_is_left_alone_but_the_end_of_a_window_is_no_audit(
    place: Place, known: Store
) -> None:
    under_way, waiting = (merge(place, START + timedelta(hours=hour)) for hour in (1, 2))
    for pull, kind in ((under_way, WorkKind.AUDIT), (waiting, WorkKind.FINALIZE)):
        ids = (place.installation.id, place.repository.id, pull.number)
        known.work.enqueue(WorkRequest.for_pull(kind, *ids, at=START, why="test"), now=START)
    assert look(place, known, START + timedelta(hours=3)) == [waiting.number]


def test_an_audit_without_its_work_is_a_good_end(place: Place, known: Store) -> None:
    """Finished work expires; audits stay."""
    pull = merge(place, START + timedelta(hours=1))
    known.audits.save(place.repository.id, pull.number, document(START), now=START)
    assert look(place, known, START + timedelta(hours=2)) == []


def test_what_cannot_be_read_leaves_the_bookmark(place: Place, known: Store) -> None:
    look(place, known, START + timedelta(days=1))
    before = known.cursors.read(cursor_of(place.repository.id))
    place.play("bad_gateway_before", "*/pulls", times=None)
    with pytest.raises(TemporaryFailure):
        reconcile(place.github, known, START + timedelta(days=2))
    assert known.cursors.read(cursor_of(place.repository.id)) == before


def test_a_look_back_only_goes_back(sqlite_store: Store) -> None:
    def bookmark() -> str | None:
        return sqlite_store.cursors.read(cursor_of(42))

    look_back(42, sqlite_store, START)
    assert bookmark() is None
    old = (START - CATCH_UP - timedelta(days=1)).isoformat()
    sqlite_store.cursors.move(cursor_of(42), old, now=START)
    look_back(42, sqlite_store, START)
    assert bookmark() == old
    sqlite_store.cursors.move(cursor_of(42), START.isoformat(), now=START)
    look_back(42, sqlite_store, START)
    assert bookmark() == (START - CATCH_UP).isoformat()


def test_a_request_names_the_repository() -> None:
    request = reconcile_request(42, 5, START, "back")
    assert (request.name, request.installation_id, request.why) == ("reconcile:42:-", 5, "back")
