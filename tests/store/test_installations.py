"""Installations and repositories: known by number, whatever they are called."""

import msgspec
import pytest

from ghapp.store import Installation, Repository, Store
from tests.store.records import DAY, MINUTE, NOW

ACME = Installation(
    id=7,
    account="acme",
    account_id=70,
    account_type="Organization",
    permissions={"checks": "write", "contents": "read"},
)
SHOP = Repository(id=42, owner="acme", name="Shop", installation_id=7)


def test_what_an_event_does_not_say_stays_as_it_was(store: Store) -> None:
    store.installations.seen(ACME, now=NOW)
    renamed = store.installations.seen(Installation(id=7, account="acme2"), now=NOW + DAY)
    assert renamed == msgspec.structs.replace(ACME, account="acme2", seen_at=NOW + DAY)
    assert store.installations.installation(7) == renamed
    assert store.installations.installation(8) is None


def test_suspended_and_removed_installations_are_not_active(store: Store) -> None:
    store.installations.seen(ACME, now=NOW)
    assert store.installations.suspended(7, now=NOW)
    suspended = store.installations.seen(ACME, now=NOW)
    assert not suspended.is_active
    assert not store.installations.unsuspended(7, now=NOW - MINUTE)
    assert store.installations.unsuspended(7, now=NOW)
    assert store.installations.seen(ACME, now=NOW).is_active
    store.installations.repository_seen(SHOP, now=NOW)
    assert store.installations.removed(7, now=NOW)
    assert store.installations.all() == ()
    assert store.installations.find("acme/shop") is None
    assert store.installations.seen(ACME, now=NOW).is_active


def test_an_answer_older_than_what_closed_opens_nothing(store: Store) -> None:
    known, later = store.installations, NOW + MINUTE
    open_now = msgspec.structs.replace(SHOP, private=False)
    known.seen(ACME, now=NOW)
    known.repository_seen(open_now, now=NOW)
    known.made_private(SHOP.id, now=later)
    known.repository_seen(open_now, now=NOW)
    assert (known.repository(SHOP.id) or SHOP).private
    known.repositories_removed((SHOP.id,), now=later)
    known.repository_seen(open_now, now=NOW)
    assert (known.repository(SHOP.id) or SHOP).removed_at == later
    known.removed(7, now=later)
    assert not known.seen(ACME, now=NOW).is_active
    # An answer to a later question counts.
    known.repository_seen(open_now, now=later)
    found = known.repository(SHOP.id) or SHOP
    assert (found.private, found.removed_at) == (False, None)
    assert known.seen(ACME, now=later).is_active


def test_an_installation_loses_only_what_it_reaches(store: Store) -> None:
    store.installations.repository_seen(SHOP, now=NOW)
    assert store.installations.repositories_removed((SHOP.id,), now=NOW, of=99) == 0
    assert store.installations.repositories_removed((SHOP.id,), now=NOW, of=7) == 1


def test_nothing_can_be_noted_of_an_unknown_installation(store: Store) -> None:
    known = store.installations
    assert not known.suspended(7, now=NOW)
    assert not known.removed(7, now=NOW)
    assert not known.park(7, NOW, "limit")


def test_the_longer_limit_stays(store: Store) -> None:
    store.installations.seen(ACME, now=NOW)
    assert store.installations.park(7, NOW + DAY, "primary limit")
    assert not store.installations.park(7, NOW + MINUTE, "secondary limit")
    kept = store.installations.seen(ACME, now=NOW)
    assert (kept.parked_until, kept.parked_why) == (NOW + DAY, "primary limit")


@pytest.mark.parametrize("name", ["acme/Shop", "ACME/SHOP", "acme/shop"])
def test_a_repository_is_found_by_name_in_any_case(store: Store, name: str) -> None:
    kept = store.installations.repository_seen(SHOP, now=NOW)
    assert store.installations.find(name) == kept == store.installations.repository(42)


def test_a_renamed_and_transferred_repository_keeps_its_number(store: Store) -> None:
    store.installations.repository_seen(SHOP, now=NOW)
    moved = Repository(id=42, owner="umbrella", name="store", installation_id=8, archived=True)
    store.installations.repository_seen(moved, now=NOW + MINUTE)
    assert store.installations.find("acme/shop") is None
    found = store.installations.find("umbrella/store")
    assert found == msgspec.structs.replace(moved, seen_at=NOW + MINUTE)


def test_a_name_that_passed_on_means_the_new_owner_of_it(store: Store) -> None:
    store.installations.repository_seen(SHOP, now=NOW)
    heir = msgspec.structs.replace(SHOP, id=43)
    store.installations.repository_seen(heir, now=NOW + MINUTE)
    found = store.installations.find("acme/shop")
    assert found is not None
    assert found.id == 43


def test_evidence_of_a_repository_does_not_take_its_installation_away(store: Store) -> None:
    store.installations.repository_seen(SHOP, now=NOW)
    store.installations.repository_seen(
        Repository(id=42, owner="acme", name="shop"), now=NOW + MINUTE
    )
    kept = store.installations.repository(42)
    assert kept is not None
    assert kept.installation_id == 7


def test_removed_repositories_are_known_by_number_only(store: Store) -> None:
    others = [msgspec.structs.replace(SHOP, id=number, name=f"r{number}") for number in (1, 2)]
    assert store.installations.repositories_seen([SHOP, *others], now=NOW) == 3
    assert store.installations.repositories_removed([1, 2, 3], now=NOW) == 2
    assert [one.id for one in store.installations.repositories(7)] == [42]
    assert store.installations.repositories(8) == ()
    gone = store.installations.repository(1)
    assert gone is not None
    assert gone.removed_at == NOW
    assert store.installations.find("acme/r1") is None


def test_a_repositorys_former_names_are_kept(store: Store) -> None:
    store.installations.repository_seen(SHOP, now=NOW)
    renamed = msgspec.structs.replace(SHOP, name="Store")
    store.installations.repository_seen(renamed, now=NOW + DAY)
    store.installations.repository_seen(renamed, now=NOW + 2 * DAY)
    (former,) = store.repository_names.of(["acme/shop", "acme/store"]).values()
    assert (former.full_name, former.repository_id) == ("acme/shop", 42)
    assert former.seen_at == NOW + DAY
