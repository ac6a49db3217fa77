"""Other names of repositories: noted, replaced, found in any case."""

from msgspec.structs import replace

from ghapp.store import NameReason, Repository, Store
from ghapp.store.repository_names import AskedCount, AskedName
from tests.store.records import DAY, NOW


def test_a_name_means_what_was_heard_last(store: Store) -> None:
    names = store.repository_names
    names.note("Ann/Shop", NameReason.FORK, now=NOW, repository_id=42)
    found = names.of(["ANN/shop", "ann/never"])
    assert {name: (one.repository_id, one.why) for name, one in found.items()} == {
        "ann/shop": (42, NameReason.FORK),
    }
    names.note("ann/shop", NameReason.FORMER, now=NOW + DAY, repository_id=43)
    again = names.of(["ann/shop"])["ann/shop"]
    assert (again.repository_id, again.why, again.seen_at) == (43, NameReason.FORMER, NOW + DAY)
    assert names.of([]) == {}


def test_what_was_asked_is_kept_for_each_installation_counted_and_forgotten(store: Store) -> None:
    names = store.repository_names
    asked = AskedName(
        installation_id=1, full_name="Ann/None", repository_id=None, user_id=11, asked_at=NOW
    )
    names.asked(asked)
    names.asked(replace(asked, full_name="ann/two", user_id=12))
    names.asked(replace(asked, installation_id=2, repository_id=42))
    before = NOW - DAY
    mine, theirs = (names.answer(number, "ANN/none", before) for number in (1, 2))
    assert mine is not None
    assert theirs is not None
    assert (mine.repository_id, theirs.repository_id) == (None, 42)
    assert names.count_asked(1, 11, before) == AskedCount(by_person=1, by_installation=2)
    assert names.count_asked(1, 11, NOW) == AskedCount(by_person=0, by_installation=0)
    assert names.answer(1, "ann/none", NOW) is None
    assert names.expire(NOW + DAY) == 3
    assert names.answer(1, "ann/none", before) is None


def test_a_name_means_a_repository_of_the_installation_only(store: Store) -> None:
    for number, installation, name, seen_at in (
        (42, 1, "shop", NOW),
        (43, 2, "site", NOW),
        (44, 1, "moved", NOW),
        (45, 2, "moved", NOW + DAY),
        (46, 1, "gone", NOW),
    ):
        seen = Repository(id=number, owner="acme", name=name, installation_id=installation)
        store.installations.repository_seen(seen, now=seen_at)
    store.installations.repositories_removed([46], now=NOW)
    for alias, number in (("ann/shop", 42), ("ann/site", 43), ("acme/shop", 44), ("ann/gone", 46)):
        store.repository_names.note(alias, NameReason.FORK, now=NOW, repository_id=number)
    names = [
        "ACME/shop",
        "acme/site",
        "acme/moved",
        "acme/gone",
        "ann/shop",
        "ann/site",
        "ann/gone",
    ]
    meant = store.repository_names.meant
    assert meant(1, names) == {"acme/shop": 42, "ann/shop": 42}
    assert meant(2, names) == {"acme/site": 43, "ann/site": 43, "acme/moved": 45}
    assert meant(1, []) == {}
