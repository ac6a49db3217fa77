"""Keys as they are used: one in use, older ones for comparing, none readable from the database."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ghapp.keys.evidence import EvidenceKeys, KeyLost
from ghapp.store import Installation, Store
from tests.store.records import DAY, NOW

ENCRYPTION = b"0" * 32


@pytest.fixture
def keys(store: Store) -> EvidenceKeys:
    store.installations.seen(Installation(id=7, account="acme"), now=NOW)
    return EvidenceKeys(store, ENCRYPTION)


def test_the_first_key_stays_in_use(store: Store, keys: EvidenceKeys) -> None:
    first = keys.present(7, now=NOW)
    assert first.id == "7-1"
    assert len(first.secret) == 32
    assert keys.present(7, now=NOW + DAY) == first
    (kept,) = store.fingerprint_keys.of(7)
    assert first.secret not in kept.secret
    assert repr(first.secret) not in repr(first)


def test_all_who_ask_at_once_get_the_same_key(store: Store, keys: EvidenceKeys) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: keys.present(7, now=NOW), range(8)))
    assert len({key.secret for key in found}) == 1
    assert len(store.fingerprint_keys.of(7)) == 1


def test_a_replaced_key_is_kept_until_its_evidence_is_gone(
    store: Store, keys: EvidenceKeys
) -> None:
    first = keys.present(7, now=NOW)
    second = keys.rotate(7, now=NOW + DAY)
    assert (second.id, keys.present(7, now=NOW + DAY)) == ("7-2", second)
    assert second.secret != first.secret
    assert keys.named("7-1") == first
    assert store.fingerprint_keys.expire(NOW + DAY) == 0
    assert store.fingerprint_keys.expire(NOW + 2 * DAY) == 1
    assert keys.named("7-1") is None
    assert keys.rotate(7, now=NOW + 2 * DAY).id == "7-3"


def test_an_unknown_installation_has_no_key(keys: EvidenceKeys) -> None:
    with pytest.raises(LookupError, match="installation 8"):
        keys.present(8, now=NOW)
    with pytest.raises(LookupError, match="installation 8"):
        keys.rotate(8, now=NOW)


def test_another_encryption_key_opens_none(store: Store, keys: EvidenceKeys) -> None:
    keys.present(7, now=NOW)
    with pytest.raises(KeyLost, match="GHAPP_ENCRYPTION_KEY"):
        EvidenceKeys(store, b"1" * 32).present(7, now=NOW)
