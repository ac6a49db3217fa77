"""What RQ calls: it never raises, leaves signals as they were, and gives back what it must."""

import os
import signal
from collections.abc import Callable

import pytest

from ghapp.ending import NothingToDo
from ghapp.jobs.perform import GIVEN_BACK
from ghapp.store import Store, WorkEnd, WorkItem, WorkRequest, WorkState
from tests.jobs.doing import NOW, Doing
from workers.jobs import GIVE_BACK, perform

Comes = Callable[[object], Doing]


@pytest.fixture
def item(sqlite_store: Store) -> WorkItem:
    """Return an item that can be taken now."""
    request = WorkRequest(
        kind="audit", due_at=NOW, repository_id=42, pull_request=17, installation_id=5
    )
    sqlite_store.work.enqueue(request, now=NOW)
    (found,) = sqlite_store.work.overdue(NOW)
    return found


@pytest.fixture
def comes(monkeypatch: pytest.MonkeyPatch, sqlite_store: Store) -> Comes:
    """Let this process's services be such that an audit comes to what the test says."""

    def made(result: object) -> Doing:
        doing = Doing(sqlite_store, result)
        monkeypatch.setattr("workers.jobs.services", lambda: doing)
        return doing

    return made


def after(store: Store, item: WorkItem) -> WorkItem:
    found = store.work.one(item.id)
    assert found is not None
    return found


def test_it_does_the_item_with_that_number(
    comes: Comes, item: WorkItem, sqlite_store: Store
) -> None:
    doing = comes(NothingToDo("as the test says"))
    perform(item.id)
    assert [one.number for one in doing.asked] == [17]
    assert after(sqlite_store, item).outcome is WorkEnd.NOTHING_TO_DO


@pytest.mark.parametrize("given", ["worker-7", None])
def test_the_item_is_leased_in_the_name_that_rq_gave_its_worker(
    comes: Comes,
    item: WorkItem,
    sqlite_store: Store,
    monkeypatch: pytest.MonkeyPatch,
    given: str | None,
) -> None:
    if given is None:
        monkeypatch.delenv("RQ_WORKER_ID", raising=False)
    else:
        monkeypatch.setenv("RQ_WORKER_ID", given)
    holders = []

    def look() -> NothingToDo:
        holders.append(after(sqlite_store, item).leased_by)
        return NothingToDo("as the test says")

    comes(look)
    perform(item.id)
    assert holders == [given or "by hand"]


def test_a_number_that_is_no_item_is_nothing(comes: Comes) -> None:
    doing = comes(NothingToDo("never asked"))
    perform(4711)
    assert doing.asked == []


def test_nothing_that_breaks_reaches_rq(
    monkeypatch: pytest.MonkeyPatch, item: WorkItem, sqlite_store: Store
) -> None:
    def broken() -> None:
        raise RuntimeError("ghs_" + "a1B2" * 12)

    monkeypatch.setattr("workers.jobs.services", broken)
    before = signal.getsignal(GIVE_BACK)
    perform(item.id)
    assert signal.getsignal(GIVE_BACK) is before
    # Nobody has taken it, so the scheduler queues it again.
    assert after(sqlite_store, item) == item


def test_asked_to_give_back_it_does_so_at_once_and_the_try_does_not_count(
    comes: Comes, item: WorkItem, sqlite_store: Store
) -> None:
    def asked() -> NothingToDo:
        os.kill(os.getpid(), GIVE_BACK)
        signal.pause()  # the handler raises
        return NothingToDo("never said")

    comes(asked)
    before = signal.getsignal(GIVE_BACK)
    perform(item.id)
    given_back = after(sqlite_store, item)
    assert (given_back.state, given_back.attempts) == (WorkState.WAITING, 0)
    assert (given_back.why, given_back.due_at) == (GIVEN_BACK, NOW)
    assert signal.getsignal(GIVE_BACK) is before
