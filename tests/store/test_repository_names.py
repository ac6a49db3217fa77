"""Other names of repositories: noted, replaced, found in any case."""

from ghapp.store import NameReason, Store
from tests.store.records import DAY, NOW


def test_a_name_means_what_was_heard_last(store: Store) -> None:
    names = store.repository_names
    names.note("Ann/Shop", NameReason.FORK, now=NOW, repository_id=42)
    names.note("ann/gone", NameReason.UNKNOWN, now=NOW)
    found = names.of(["ANN/shop", "ann/gone", "ann/never"])
    assert {name: (one.repository_id, one.why) for name, one in found.items()} == {
        "ann/shop": (42, NameReason.FORK),
        "ann/gone": (None, NameReason.UNKNOWN),
    }
    names.note("ann/shop", NameReason.FORMER, now=NOW + DAY, repository_id=43)
    again = names.of(["ann/shop"])["ann/shop"]
    assert (again.repository_id, again.why, again.seen_at) == (43, NameReason.FORMER, NOW + DAY)
    assert names.of([]) == {}
