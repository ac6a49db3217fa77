"""Other names of repositories: noted, replaced, found in any case."""

from ghapp.store import Store, WhyNamed
from tests.store.records import DAY, NOW


def test_a_name_means_what_was_heard_last(store: Store) -> None:
    names = store.repository_names
    names.note("Ann/Shop", WhyNamed.FORK, now=NOW, repository_id=42)
    names.note("ann/gone", WhyNamed.UNKNOWN, now=NOW)
    found = names.of(["ANN/shop", "ann/gone", "ann/never"])
    assert {name: (one.repository_id, one.why) for name, one in found.items()} == {
        "ann/shop": (42, WhyNamed.FORK),
        "ann/gone": (None, WhyNamed.UNKNOWN),
    }
    names.note("ann/shop", WhyNamed.FORMER, now=NOW + DAY, repository_id=43)
    again = names.of(["ann/shop"])["ann/shop"]
    assert (again.repository_id, again.why, again.seen_at) == (43, WhyNamed.FORMER, NOW + DAY)
    assert names.of([]) == {}
