"""The table of keys: one in use, numbered, deleted some time after it was retired."""

from ghapp.store import Installation, Store, key_id
from tests.store.records import DAY, NOW


def test_a_key_is_added_only_where_none_is_in_use(store: Store) -> None:
    store.installations.seen(Installation(id=7, account="acme"), now=NOW)
    assert store.fingerprint_keys.present(8, b"one", now=NOW) is None
    assert store.fingerprint_keys.rotate(8, b"one", now=NOW) is None
    first = store.fingerprint_keys.present(7, b"one", now=NOW)
    assert first is not None
    assert (first.id, first.secret, first.retired_at) == (key_id(7, 1), b"one", None)
    assert store.fingerprint_keys.present(7, b"two", now=NOW) == first


def test_a_key_is_retired_by_the_next_and_numbers_do_not_come_again(store: Store) -> None:
    store.installations.seen(Installation(id=7, account="acme"), now=NOW)
    for days, secret in enumerate((b"one", b"two", b"three")):
        store.fingerprint_keys.rotate(7, secret, now=NOW + days * DAY)
    retired = [one.retired_at for one in store.fingerprint_keys.of(7)]
    assert retired == [NOW + DAY, NOW + 2 * DAY, None]
    assert store.fingerprint_keys.expire(NOW + 9 * DAY) == 2
    assert [one.id for one in store.fingerprint_keys.of(7)] == [key_id(7, 3)]
    assert store.fingerprint_keys.one(key_id(7, 1)) is None
    again = store.fingerprint_keys.rotate(7, b"four", now=NOW + 9 * DAY)
    assert again is not None
    assert again.id == key_id(7, 4)
