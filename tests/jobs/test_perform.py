"""How endings reach the work table, and what becomes of an item whose worker died."""

import errno
from collections.abc import Callable
from datetime import timedelta

import pytest
import redis

from ghapp.ending import Ending, NothingToDo, NotPermitted, OutOfReach, TryLater
from ghapp.github.answers import GoneReason
from ghapp.jobs.perform import (
    GIVEN_BACK,
    LEASE,
    LONGEST_WAIT,
    MOST_TRIES,
    WorkerStopping,
    perform,
)
from ghapp.store import (
    DatabaseUnavailable,
    Installation,
    Lane,
    Repository,
    Store,
    WorkEnd,
    WorkItem,
    WorkRequest,
    WorkState,
)
from tests.jobs.doing import NOW, Doing

Enqueued = Callable[..., WorkItem]


@pytest.fixture
def enqueued(store: Store) -> Enqueued:
    """Make something due and return the item."""

    def made(kind: str = "audit", **more: int | None) -> WorkItem:
        numbers = {"installation_id": 5, "repository_id": 42, "pull_request": 17, **more}
        due = WorkRequest(kind=kind, due_at=NOW, lane=Lane.LIVE, **numbers)  # type: ignore[arg-type]
        store.work.enqueue(due, now=NOW)
        return store.work.overdue(NOW)[0]

    return made


def done(store: Store, item: WorkItem, result: Ending | BaseException) -> WorkItem:
    """Perform an item and return it as it then stands."""
    assert perform(item.id, Doing(store, result), worker="test")  # type: ignore[arg-type]
    found = store.work.one(item.id)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (NothingToDo(why="not merged"), WorkEnd.NOTHING_TO_DO),
        (
            NotPermitted(permission="checks=write", why="checks=write is missing"),
            WorkEnd.REFUSED,
        ),
        (OutOfReach(why="uninstalled"), WorkEnd.GONE),
    ],
    ids=["nothing_to_do", "refused", "gone"],
)
def test_an_end_is_an_end(
    store: Store, enqueued: Enqueued, result: Ending, outcome: WorkEnd
) -> None:
    item = done(store, enqueued(), result)
    assert (item.state, item.outcome) == (WorkState.DONE, outcome)
    assert item.why


def test_a_rate_limit_parks_the_whole_installation_and_is_no_try(
    store: Store, enqueued: Enqueued
) -> None:
    store.installations.seen(Installation(id=5, account="acme"), now=NOW)
    until = NOW + timedelta(minutes=7)
    later = TryLater(at=until, why="limit", counts=False, whole_installation=True)
    item = done(store, enqueued(), later)
    assert (item.state, item.due_at, item.attempts) == (WorkState.WAITING, until, 0)
    installed = store.installations.installation(5)
    assert installed is not None
    assert installed.parked_until == until
    assert store.work.overdue(NOW + timedelta(minutes=1)) == ()


@pytest.mark.parametrize(
    "result",
    [
        TryLater(at=NOW, why="502", counts=True),
        DatabaseUnavailable("away"),
        OSError(errno.ENOSPC, "the disk is full"),
        redis.ConnectionError("away"),
    ],
    ids=["github", "database", "disk", "redis"],
)
def test_what_passes_is_tried_again_until_it_has_passed(
    store: Store, enqueued: Enqueued, result: Ending | Exception
) -> None:
    item, doing = enqueued(), Doing(store, result)
    while doing.now < NOW + timedelta(days=10):
        assert perform(item.id, doing, worker="test")  # type: ignore[arg-type]
        item = store.work.one(item.id) or item
        assert item.state is WorkState.WAITING
        assert timedelta(0) < item.due_at - doing.now <= LONGEST_WAIT
        doing.now = item.due_at
    assert MOST_TRIES < len(doing.asked) < 30
    doing.result = NothingToDo("it is over")
    perform(item.id, doing, worker="test")  # type: ignore[arg-type]
    assert (store.work.one(item.id) or item).outcome is WorkEnd.NOTHING_TO_DO


def test_a_worker_lost_after_many_tries_is_no_reason_to_give_up(
    store: Store, enqueued: Enqueued
) -> None:
    item, doing = enqueued(), Doing(store, TryLater(at=NOW, why="502", counts=True))
    for _ in range(MOST_TRIES + 2):
        assert perform(item.id, doing, worker="test")  # type: ignore[arg-type]
        doing.now = (store.work.one(item.id) or item).due_at
    assert store.work.lease(item.id, doing.now, "dies", LEASE)
    doing.now, doing.result = doing.now + LEASE, NothingToDo("it is over")
    assert perform(item.id, doing, worker="test")  # type: ignore[arg-type]
    assert (store.work.one(item.id) or item).outcome is WorkEnd.NOTHING_TO_DO


def test_faults_of_ours_wait_longer_each_time_and_become_dead_letters(
    store: Store, enqueued: Enqueued
) -> None:
    item, doing = enqueued(), Doing(store, RuntimeError("a fault of ours"))
    waits = []
    for _ in range(MOST_TRIES - 1):
        assert perform(item.id, doing, worker="test")  # type: ignore[arg-type]
        item = store.work.one(item.id) or item
        assert item.state is WorkState.WAITING
        waits.append(item.due_at - doing.now)
        doing.now = item.due_at
    assert waits == sorted(waits)
    assert waits[0] <= timedelta(seconds=10)
    perform(item.id, doing, worker="test")  # type: ignore[arg-type]
    parked = store.work.one(item.id)
    assert parked is not None
    assert parked.state is WorkState.DEAD_LETTER
    assert f"{MOST_TRIES} tries" in str(parked.why)


def test_what_another_worker_holds_is_left_alone(store: Store, enqueued: Enqueued) -> None:
    item = enqueued()
    assert store.work.lease(item.id, NOW, "other", LEASE)
    doing = Doing(store, NothingToDo(why=""))
    assert not perform(item.id, doing, worker="test")  # type: ignore[arg-type]
    assert doing.asked == []


def test_what_a_dead_worker_held_is_done_after_its_lease(store: Store, enqueued: Enqueued) -> None:
    item = enqueued()
    assert store.work.lease(item.id, NOW, "dead", LEASE)
    doing = Doing(store, NothingToDo(why=""), now=NOW + LEASE)
    assert perform(item.id, doing, worker="test")  # type: ignore[arg-type]
    assert len(doing.asked) == 1


def test_what_kills_its_worker_each_time_becomes_a_dead_letter(
    store: Store, enqueued: Enqueued
) -> None:
    item, doing = enqueued(), Doing(store, NothingToDo(why=""))
    for _ in range(MOST_TRIES):
        assert store.work.lease(item.id, doing.now, "dies", LEASE)
        doing.now += LEASE
    assert perform(item.id, doing, worker="test")  # type: ignore[arg-type]
    parked = store.work.one(item.id)
    assert parked is not None
    assert (parked.state, doing.asked) == (WorkState.DEAD_LETTER, [])
    assert "its worker was lost" in str(parked.why)


def test_what_a_stopping_worker_holds_is_due_again_at_once(
    store: Store, enqueued: Enqueued
) -> None:
    found = done(store, enqueued(), WorkerStopping())
    assert (found.state, found.attempts, found.due_at) == (WorkState.WAITING, 0, NOW)
    assert (found.leased_by, found.why) == (None, GIVEN_BACK)


def test_a_secret_in_an_error_is_not_kept(store: Store, enqueued: Enqueued) -> None:
    token = "ghs_" + "a1B2" * 12
    item = done(store, enqueued(), RuntimeError(f"refused {token}"))
    assert token not in str(item.why)


def test_where_the_app_is_no_more_github_is_not_asked(store: Store, enqueued: Enqueued) -> None:
    store.installations.seen(Installation(id=5, account="acme"), now=NOW)
    store.installations.removed(5, now=NOW)
    doing = Doing(store, NothingToDo(why=""))
    item = enqueued()
    perform(item.id, doing, worker="test")  # type: ignore[arg-type]
    found = store.work.one(item.id)
    assert doing.asked == []
    assert found is not None
    assert found.outcome is WorkEnd.GONE


@pytest.mark.parametrize(
    ("why", "is_active", "is_known"),
    [
        (GoneReason.SUSPENDED, False, True),
        (GoneReason.UNINSTALLED, False, True),
        (GoneReason.LOCKED, True, True),
    ],
)
def test_what_github_says_is_remembered_where_its_event_was_missed(
    store: Store, enqueued: Enqueued, why: GoneReason, *, is_active: bool, is_known: bool
) -> None:
    store.installations.seen(Installation(id=5, account="acme"), now=NOW)
    item = done(store, enqueued(), OutOfReach(why=f"token: {why}", reason=why))
    assert (item.outcome, item.why) == (WorkEnd.GONE, f"token: {why}")
    known = store.installations.installation(5)
    assert (known is not None) is is_known
    assert known is not None
    assert known.is_active is is_active


@pytest.mark.parametrize("why", [GoneReason.SUSPENDED, GoneReason.UNINSTALLED])
def test_what_github_says_is_remembered_of_the_installation_that_asked(
    store: Store, enqueued: Enqueued, why: GoneReason
) -> None:
    moved_to(store, 6)
    done(store, enqueued(), OutOfReach(why=f"token: {why}", reason=why))
    assert [one.id for one in store.installations.all() if one.is_active] == [5]


def test_who_was_reached_gets_the_blame_although_the_repository_has_moved_since(
    store: Store, enqueued: Enqueued
) -> None:
    store.installations.seen(Installation(id=5, account="acme"), now=NOW)
    item, doing = enqueued(), Doing(store, None)

    def moves() -> Ending:
        moved_to(store, 6)
        return OutOfReach(why="uninstalled", reason=GoneReason.UNINSTALLED)

    doing.result = moves
    assert perform(item.id, doing, worker="test")  # type: ignore[arg-type]
    assert [one.id for one in store.installations.all() if one.is_active] == [6]


def test_a_rate_limit_parks_the_installation_that_asked(store: Store, enqueued: Enqueued) -> None:
    moved_to(store, 6)
    until = NOW + timedelta(minutes=7)
    doing = Doing(store, TryLater(at=until, why="limit", counts=False, whole_installation=True))
    perform(enqueued().id, doing, worker="test")  # type: ignore[arg-type]
    assert doing.pace.parked == [6]
    parked = {one.id: one.parked_until for one in store.installations.all()}
    assert parked == {5: None, 6: until}


def moved_to(store: Store, installation_id: int) -> None:
    """Let the repository belong to another installation than the one it was enqueued for."""
    for number in (5, installation_id):
        store.installations.seen(Installation(id=number, account=f"a{number}"), now=NOW)
    repository = Repository(id=42, owner="a", name="app", installation_id=installation_id)
    store.installations.repository_seen(repository, now=NOW)


def test_a_recurring_item_never_becomes_a_dead_letter(store: Store, enqueued: Enqueued) -> None:
    item = enqueued("sweep", repository_id=None, pull_request=None, installation_id=None)
    doing = Doing(store, NothingToDo(why=""))
    for _ in range(MOST_TRIES + 2):
        # It has no app to ask with here, so it fails each time.
        assert perform(item.id, doing, worker="test")  # type: ignore[arg-type]
        item = store.work.one(item.id) or item
        doing.now = item.due_at
    assert item.state is WorkState.WAITING


def test_an_unknown_kind_is_no_endless_loop(store: Store, enqueued: Enqueued) -> None:
    item = done(store, enqueued("from_a_later_version"), RuntimeError("never asked"))
    assert item.outcome is WorkEnd.NOTHING_TO_DO
