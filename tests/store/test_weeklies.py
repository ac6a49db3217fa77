"""Orders of weekly summaries: a week is sent by one process, and again only if it failed."""

from concurrent.futures import ThreadPoolExecutor

from ghapp.store import Installation, Store
from ghapp.store.weeklies import WeeklyOrder
from tests.store.records import DAY, NOW

ORDER = WeeklyOrder(installation_id=7, webhook=b"sealed", set_by="ann")


def test_an_order_holds_until_it_is_stopped(store: Store) -> None:
    assert store.weeklies.of(7) is None
    store.weeklies.order(ORDER, now=NOW)
    store.weeklies.order(WeeklyOrder(installation_id=3, mail="a@example.com", set_by="b"), now=NOW)
    assert store.weeklies.of(7) == ORDER
    assert [one.installation_id for one in store.weeklies.all()] == [3, 7]
    assert store.weeklies.stop(7)
    assert not store.weeklies.stop(7)
    assert store.weeklies.of(7) is None


def test_an_organization_that_left_for_sure_leaves_no_address(sqlite_store: Store) -> None:
    sqlite_store.installations.seen(Installation(id=7, account="acme"), now=NOW)
    sqlite_store.weeklies.order(ORDER, now=NOW)
    assert sqlite_store.weeklies.forget_uninstalled(NOW + DAY) == 0
    sqlite_store.installations.removed(7, now=NOW)
    assert sqlite_store.weeklies.forget_uninstalled(NOW) == 0
    assert sqlite_store.weeklies.forget_uninstalled(NOW + DAY) == 1
    assert sqlite_store.weeklies.all() == ()


def test_a_week_is_claimed_once(store: Store) -> None:
    assert not store.weeklies.claim(7, "2026-W21")
    store.weeklies.order(ORDER, now=NOW)
    with ThreadPoolExecutor(4) as threads:
        claimed = [*threads.map(lambda _: store.weeklies.claim(7, "2026-W21"), range(8))]
    assert sorted(claimed) == [False] * 7 + [True]
    assert not store.weeklies.claim(7, "2026-W20")
    assert store.weeklies.claim(7, "2026-W22")


def test_a_claim_that_was_given_back_is_tried_again(store: Store) -> None:
    store.weeklies.order(ORDER, now=NOW)
    store.weeklies.claim(7, "2026-W21")
    assert not store.weeklies.give_back(7, "2026-W20", None, "not ours")
    assert store.weeklies.give_back(7, "2026-W21", None, "404 \0")
    found = store.weeklies.of(7)
    assert found is not None
    assert (found.claimed_week, found.problem) == (None, "404 \ufffd")
    assert store.weeklies.claim(7, "2026-W21")


def test_a_new_order_keeps_the_weeks_and_forgets_the_problem(store: Store) -> None:
    store.weeklies.order(ORDER, now=NOW)
    store.weeklies.claim(7, "2026-W21")
    store.weeklies.sent(7, "not confirmed", now=NOW)
    store.weeklies.order(WeeklyOrder(installation_id=7, mail="a@b.c", set_by="bob"), now=NOW + DAY)
    found = store.weeklies.of(7)
    assert found is not None
    assert (found.webhook, found.mail, found.set_by) == (None, "a@b.c", "bob")
    assert (found.claimed_week, found.sent_at, found.problem) == ("2026-W21", NOW, None)
    assert not store.weeklies.claim(7, "2026-W21")


def test_an_order_tells_no_address() -> None:
    order = WeeklyOrder(installation_id=7, webhook=b"https", mail="ann@example.com", set_by="ann")
    assert repr(order) == "WeeklyOrder(installation_id=7)"
