"""The inbox: a delivery is accepted once, together with its work, both or neither."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy import text

from ghapp.store import (
    DatabaseUnavailable,
    DeliveryEnd,
    Store,
    StoreError,
    WorkState,
)
from tests.store.records import DAY, MINUTE, NOW, deliveries, delivery, request


def test_an_accepted_delivery_is_stored_with_its_work(store: Store) -> None:
    accepted = delivery(body=b'{"number": 17}', repository_id=42, pull_request=17)
    assert store.deliveries.accept(accepted, request())
    assert store.deliveries.one("guid-1") == accepted
    (item,) = store.work.of(42, 17)
    assert (item.state, item.due_at, item.created_at) == (WorkState.WAITING, NOW, NOW)


def test_a_redelivery_enqueues_nothing(store: Store) -> None:
    assert store.deliveries.accept(delivery(), request(17))
    assert not store.deliveries.accept(delivery(received_at=NOW + MINUTE), request(18))
    assert store.work.of(42, 18) == ()
    kept = store.deliveries.one("guid-1")
    assert kept == msgspec.structs.replace(delivery(), attempts=2)


def test_of_many_at_once_one_is_accepted(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        accepted = list(
            threads.map(lambda _: store.deliveries.accept(delivery(), request()), range(16))
        )
    assert accepted.count(True) == 1
    (item,) = store.work.of(42, 17)
    assert item.times_asked == 1


def test_without_the_work_item_the_delivery_is_not_kept(store: Store) -> None:
    with store.database.write() as connection:
        connection.execute(text("DROP TABLE work_item"))
    with pytest.raises(Exception, match="work_item"):
        store.deliveries.accept(delivery(), request())
    assert store.deliveries.one("guid-1") is None


def test_a_settled_delivery_says_what_became_of_it(store: Store) -> None:
    store.deliveries.accept(delivery())
    assert store.deliveries.unsettled(NOW + MINUTE) == (delivery(),)
    assert store.deliveries.settle("guid-1", DeliveryEnd.IGNORED, "a\0b", now=NOW + MINUTE)
    assert not store.deliveries.settle("guid-2", DeliveryEnd.IGNORED, now=NOW)
    assert store.deliveries.unsettled(NOW + DAY) == ()
    kept = store.deliveries.one("guid-1")
    assert kept is not None
    assert (kept.outcome, kept.detail, kept.settled_at) == (
        DeliveryEnd.IGNORED,
        "a\ufffdb",
        NOW + MINUTE,
    )


def test_known_guids_are_told_from_others(store: Store) -> None:
    store.deliveries.accept(delivery())
    many = [f"guid-{number}" for number in range(2000)]
    assert store.deliveries.known(many) == {"guid-1"}


def test_only_settled_deliveries_expire(store: Store) -> None:
    store.deliveries.accept(delivery("open"))
    store.deliveries.accept(delivery("settled"))
    store.deliveries.accept(delivery("young", received_at=NOW + DAY))
    for guid in ("settled", "young"):
        store.deliveries.settle(guid, DeliveryEnd.DONE, now=NOW)
    assert store.deliveries.expire(NOW + DAY) == 1
    assert {one.guid for one in deliveries(store)} == {"open", "young"}


def test_a_database_that_is_away_is_said_as_such() -> None:
    store = Store.unmigrated("postgresql://ghapp@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseUnavailable):
        store.deliveries.accept(delivery(), request())
    assert issubclass(DatabaseUnavailable, StoreError)
