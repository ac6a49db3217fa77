"""The last valid policy file of a repository, which no older one replaces."""

from ghapp.store import Store
from tests.store.records import DAY, NOW


def test_an_older_file_changes_nothing(store: Store) -> None:
    assert store.policy_files.last_good(42) is None
    for days, text in ((1, "second"), (0, "first"), (1, "second again"), (2, "third \0")):
        store.policy_files.keep(42, text, as_of=NOW + days * DAY)
        if days == 0:
            assert store.policy_files.last_good(42) == "second"
        elif days == 1:
            assert store.policy_files.last_good(42) == text
    assert store.policy_files.last_good(42) == "third \ufffd"
    assert store.policy_files.last_good(43) is None
