"""Work items: enqueued once, leased once, leased again when a worker is lost."""

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from ghapp.store import (
    EnqueueResult,
    Installation,
    Lane,
    Store,
    WorkBacklog,
    WorkEnd,
    WorkItem,
    WorkKind,
    WorkRequest,
    WorkState,
)
from tests.store import processes
from tests.store.records import DAY, LEASE, MINUTE, NOW, lease, request


def leased(store: Store, lane: Lane = Lane.LIVE, *, after: timedelta = timedelta()) -> WorkItem:
    item = lease(store, lane, now=NOW + after)
    assert item is not None
    return item


# --- enqueuing ------------------------------------------------------------------------------------


def test_the_same_work_is_deduplicated_while_it_waits(store: Store) -> None:
    assert store.work.enqueue(request(due_at=NOW + DAY), now=NOW) is EnqueueResult.NEW
    assert store.work.enqueue(request(due_at=NOW + MINUTE), now=NOW) is EnqueueResult.DEDUPLICATED
    assert store.work.enqueue(request(due_at=NOW + DAY), now=NOW) is EnqueueResult.DEDUPLICATED
    (item,) = store.work.of(42, 17)
    assert (item.due_at, item.times_asked) == (NOW + MINUTE, 3)


def test_thousands_of_past_audits_do_not_crowd_out_live_work(store: Store) -> None:
    past = [request(number, lane=Lane.REPLAY, due_at=NOW - DAY) for number in range(1, 12)]
    store.work.enqueue_all([*past, request(99)], now=NOW)
    told = store.work.overdue(NOW, limit=10)
    assert [item.pull_request for item in told if item.lane is Lane.LIVE] == [99]
    assert len(told) == 11


def test_the_more_urgent_lane_holds(store: Store) -> None:
    for lane in (Lane.REPLAY, Lane.LIVE, Lane.RERUN):
        store.work.enqueue(request(lane=lane), now=NOW)
    assert leased(store).lane is Lane.LIVE


def test_an_installation_that_was_not_known_is_filled_in(store: Store) -> None:
    store.work.enqueue(request(), now=NOW)
    store.work.enqueue(request(installation_id=7), now=NOW)
    store.work.enqueue(request(), now=NOW)
    assert leased(store).installation_id == 7


def test_requests_differ_by_kind_repository_pull_request_and_installation(store: Store) -> None:
    requests = [
        request(17),
        request(18),
        request(17, repository_id=43),
        request(17, kind=WorkKind.FINALIZE),
        WorkRequest(kind=WorkKind.SWEEP, due_at=NOW),
        WorkRequest(kind=WorkKind.RECONCILE, due_at=NOW, installation_id=1),
        WorkRequest(kind=WorkKind.RECONCILE, due_at=NOW, installation_id=2),
        WorkRequest(kind=WorkKind.RECONCILE, due_at=NOW, repository_id=42),
    ]
    assert set(store.work.enqueue_all(requests, now=NOW)) == {EnqueueResult.NEW}
    assert set(store.work.enqueue_all(requests, now=NOW)) == {EnqueueResult.DEDUPLICATED}


def test_work_requested_while_it_is_leased_is_done_again(store: Store) -> None:
    store.work.enqueue(request(), now=NOW)
    item = leased(store)
    assert store.work.enqueue(request(due_at=NOW + MINUTE), now=NOW) is EnqueueResult.AGAIN
    assert store.work.finish(item, WorkEnd.DONE, now=NOW)
    again = leased(store, after=MINUTE)
    assert (again.id, again.attempts, again.taken) == (item.id, 1, 2)
    assert store.work.finish(again, WorkEnd.DONE, now=NOW)
    assert store.work.overdue(NOW + DAY) == ()


def test_work_requested_after_it_ended_is_a_new_item(store: Store) -> None:
    store.work.enqueue(request(), now=NOW)
    store.work.finish(leased(store), WorkEnd.NOTHING_TO_DO, "open", now=NOW)
    assert store.work.enqueue(request(), now=NOW) is EnqueueResult.NEW
    first, second = store.work.of(42, 17)
    assert (first.state, first.outcome, first.why) == (
        WorkState.DONE,
        WorkEnd.NOTHING_TO_DO,
        "open",
    )
    assert second.state is WorkState.WAITING


# --- working --------------------------------------------------------------------------------------


def test_the_longest_due_is_leased_first_and_nothing_before_its_time(store: Store) -> None:
    for number, minutes in ((1, 2), (2, 1), (3, 3)):
        store.work.enqueue(request(number, due_at=NOW + minutes * MINUTE), now=NOW)
    assert lease(store) is None
    assert [leased(store, after=2 * MINUTE).pull_request for _ in range(2)] == [2, 1]
    assert lease(store, now=NOW + 2 * MINUTE) is None
    assert lease(store, Lane.RERUN, now=NOW + DAY) is None


def test_a_named_item_is_leased_once_and_only_when_due(store: Store) -> None:
    store.work.enqueue(request(due_at=NOW + MINUTE), now=NOW)
    (item,) = store.work.of(42, 17)
    assert store.work.lease(item.id, NOW, "a", LEASE) is None
    held = store.work.lease(item.id, NOW + MINUTE, "a", LEASE)
    assert held is not None
    assert (held.leased_by, held.lease_until) == ("a", NOW + MINUTE + LEASE)
    assert store.work.lease(item.id, NOW + MINUTE, "b", LEASE) is None


def test_a_pull_request_is_worked_on_by_one_worker_at_a_time(store: Store) -> None:
    store.work.enqueue(request(17), now=NOW)
    store.work.enqueue(request(17, kind=WorkKind.FINALIZE, lane=Lane.RERUN), now=NOW)
    store.work.enqueue(request(18, kind=WorkKind.FINALIZE, lane=Lane.RERUN), now=NOW)
    first = leased(store)
    assert leased(store, Lane.RERUN).pull_request == 18
    assert lease(store, Lane.RERUN) is None
    store.work.finish(first, WorkEnd.DONE, now=NOW)
    assert leased(store, Lane.RERUN).pull_request == 17


def test_items_of_one_repository_without_a_pull_request_do_not_bar_each_other(
    store: Store,
) -> None:
    store.work.enqueue(request(None, kind=WorkKind.RECONCILE), now=NOW)
    store.work.enqueue(request(None, kind=WorkKind.SWEEP), now=NOW)
    assert {leased(store).kind for _ in range(2)} == {WorkKind.RECONCILE, WorkKind.SWEEP}


def test_an_expired_lease_lets_another_worker_lease_the_item(store: Store) -> None:
    store.work.enqueue(request(), now=NOW)
    lost = leased(store)
    assert store.work.overdue(NOW + LEASE - MINUTE) == ()
    assert [one.id for one in store.work.overdue(NOW + LEASE)] == [lost.id]
    second = leased(store, after=LEASE)
    assert (second.id, second.attempts) == (lost.id, 2)
    assert not store.work.finish(lost, WorkEnd.DONE, now=NOW)
    assert not store.work.extend(lost, NOW, LEASE)
    assert not store.work.later(lost, NOW, "late")
    assert store.work.one(lost.id) == second


def test_an_extended_lease_lasts_longer(store: Store) -> None:
    store.work.enqueue(request(), now=NOW)
    item = leased(store)
    assert store.work.extend(item, NOW + MINUTE, LEASE)
    assert lease(store, now=NOW + LEASE) is None
    assert store.work.finish(item, WorkEnd.DONE, now=NOW)


def test_a_failure_counts_and_a_limit_does_not(store: Store) -> None:
    store.work.enqueue(request(), now=NOW)
    assert store.work.failed(leased(store), NOW + MINUTE, "502")
    second = leased(store, after=MINUTE)
    assert (second.attempts, second.why) == (2, "502")
    assert store.work.later(second, NOW + 2 * MINUTE, "rate limit")
    assert lease(store, now=NOW + MINUTE) is None
    assert leased(store, after=2 * MINUTE).attempts == 2


def test_a_dead_letter_waits_for_a_person(store: Store) -> None:
    store.work.enqueue(request(), now=NOW)
    item = leased(store)
    assert store.work.give_up(item, "given up")
    assert store.work.enqueue(request(), now=NOW) is EnqueueResult.DEAD_LETTER
    assert lease(store, now=NOW + DAY) is None
    assert [one.why for one in store.work.dead_letters()] == ["given up"]
    assert store.work.retry(item.id, now=NOW)
    assert not store.work.retry(item.id, now=NOW)
    assert leased(store).attempts == 1


def test_a_parked_installation_is_skipped(store: Store) -> None:
    for number in (1, 2):
        store.installations.seen(Installation(id=number, account="acme"), now=NOW)
        store.work.enqueue(request(number, installation_id=number), now=NOW)
    assert store.installations.park(1, NOW + MINUTE, "secondary limit")
    assert [one.installation_id for one in store.work.overdue(NOW)] == [2]
    assert leased(store).installation_id == 2
    assert lease(store) is None
    assert leased(store, after=MINUTE).installation_id == 1


def test_the_backlog_names_the_oldest_of_each_installation(store: Store) -> None:
    store.work.enqueue(request(1, installation_id=7, due_at=NOW), now=NOW)
    store.work.enqueue(request(2, installation_id=7, due_at=NOW + MINUTE), now=NOW)
    store.work.enqueue(request(3, due_at=NOW + MINUTE, lane=Lane.RERUN), now=NOW)
    assert store.work.backlog(NOW + MINUTE) == (
        WorkBacklog(installation_id=7, lane=Lane.LIVE, waiting=2, oldest=NOW),
        WorkBacklog(installation_id=None, lane=Lane.RERUN, waiting=1, oldest=NOW + MINUTE),
    )


def test_recurring_work_has_its_next_item_and_the_last_end(store: Store) -> None:
    teams = request(None, kind=WorkKind.TEAMS, repository_id=None, installation_id=7)
    for outcome in (WorkEnd.REFUSED, WorkEnd.DONE):
        store.work.enqueue(teams, now=NOW)
        store.work.finish(leased(store), outcome, f"so {outcome}", now=NOW)
    again = request(
        None, kind=WorkKind.TEAMS, repository_id=None, installation_id=7, due_at=NOW + DAY
    )
    store.work.enqueue(again, now=NOW)
    store.work.enqueue(request(17), now=NOW)
    store.work.enqueue(
        request(None, kind=WorkKind.SWEEP, repository_id=None, due_at=NOW + DAY), now=NOW
    )
    sweep, found = store.work.recurring([WorkKind.SWEEP, WorkKind.TEAMS], since=NOW - DAY)
    assert (sweep.kind, sweep.installation_id, sweep.ended) == (WorkKind.SWEEP, None, None)
    assert (found.kind, found.installation_id) == (WorkKind.TEAMS, 7)
    assert found.ended is not None
    assert found.ended.why == "so done"
    assert found.open is not None
    assert found.open.due_at == NOW + DAY
    (_, later) = store.work.recurring([WorkKind.SWEEP, WorkKind.TEAMS], since=NOW + MINUTE)
    assert later.ended is None


def test_only_what_ended_expires(store: Store) -> None:
    store.work.enqueue(request(1), now=NOW)
    store.work.enqueue(request(2, due_at=NOW + MINUTE), now=NOW)
    store.work.finish(leased(store), WorkEnd.DONE, now=NOW)
    assert store.work.expire(NOW) == 0
    assert store.work.expire(NOW + DAY) == 1
    assert store.work.of(42, 1) == ()
    assert len(store.work.of(42, 2)) == 1


# --- many at once ---------------------------------------------------------------------------------

ITEMS = 32


def test_eight_workers_in_four_processes_lease_each_item_once(store: Store) -> None:
    kinds = itertools.cycle([WorkKind.AUDIT, WorkKind.FINALIZE])
    requests = [request(number // 2, kind=next(kinds)) for number in range(ITEMS)]
    store.work.enqueue_all(requests, now=NOW)
    url = store.database.url.render_as_string(hide_password=False)
    barrier, results = processes.SERVER.Barrier(4), processes.SERVER.Queue()
    work = processes.lease_all_with_two_workers
    four = [processes.start(work, url, barrier, results) for _ in range(4)]
    # What they found is little enough to wait in the queue until they ended.
    assert [processes.end_of(process) for process in four] == [0, 0, 0, 0]
    of_each = [results.get(timeout=processes.PATIENCE) for _ in four]
    # A worker ends when other workers block all remaining items, so some may be left over.
    found = [*itertools.chain.from_iterable(of_each), *processes.lease_all(store, "last")]
    assert sorted(found) == sorted({*found})
    assert len(found) == ITEMS


def test_requests_from_many_threads_are_deduplicated(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        met = Counter(threads.map(lambda _: store.work.enqueue(request(), now=NOW), range(24)))
    assert met == {EnqueueResult.NEW: 1, EnqueueResult.DEDUPLICATED: 23}
    (item,) = store.work.of(42, 17)
    assert item.times_asked == 24


def test_the_same_requests_in_opposite_orders_never_deadlock(store: Store) -> None:
    # On PostgreSQL each request locks its row until the end of the transaction.
    requests = [request(number) for number in range(40)]
    there, back = tuple(requests), tuple(reversed(requests))
    with ThreadPoolExecutor(4) as threads:
        met = list(
            threads.map(lambda order: store.work.enqueue_all(order, now=NOW), (there, back) * 20)
        )
    assert {len(one) for one in met} == {40}
    assert [item.times_asked for item in store.work.overdue(NOW)] == [40] * 40


def test_results_are_in_the_order_of_the_requests(store: Store) -> None:
    store.work.enqueue(request(9), now=NOW)
    met = store.work.enqueue_all([request(9), request(10), request(1)], now=NOW)
    assert met == (EnqueueResult.DEDUPLICATED, EnqueueResult.NEW, EnqueueResult.NEW)


@pytest.mark.parametrize("kind", ["unheard_of"])
def test_the_table_takes_kinds_that_this_version_does_not_know(store: Store, kind: str) -> None:
    store.work.enqueue(request(kind=kind), now=NOW)
    assert leased(store).kind == kind
