"""The valid policy files of a repository, each since when."""

from datetime import timedelta

from ghapp.store import Store
from tests.store.records import DAY, NOW


def test_each_instant_has_the_latest_file_of_its_time(store: Store) -> None:
    files = store.policy_files
    assert files.last_good(42, NOW) is None
    for days, text in ((1, "second"), (0, "first"), (2, "third \0")):
        files.keep(42, text, as_of=NOW + days * DAY)
    assert files.last_good(42, NOW - timedelta(seconds=1)) is None
    assert files.last_good(42, NOW) == "first"
    assert files.last_good(42, NOW + 1.5 * DAY) == "second"
    assert files.last_good(42, NOW + 9 * DAY) == "third \ufffd"
    assert files.last_good(43, NOW + 9 * DAY) is None


def test_two_readings_of_one_instant_keep_the_first(store: Store) -> None:
    for text in ("as read", "as read again"):
        store.policy_files.keep(42, text, as_of=NOW)
    assert store.policy_files.last_good(42, NOW) == "as read"
