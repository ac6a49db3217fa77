"""Signatures: of each audit in its own transaction, by one key in use, or nothing is saved."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from ghapp.keys.evidence import KeyLost
from ghapp.keys.signing import RecordSigner
from ghapp.records.envelope import Envelope, opened
from ghapp.records.keys import PublicKey
from ghapp.records.statement import AuditRecord, ChainHead, read
from ghapp.store import SavedAudit, Store
from tests.store.records import DAY, NOW, document

ENCRYPTION = b"0" * 32


def _save(store: Store, number: int = 17, encryption: bytes = ENCRYPTION) -> SavedAudit:
    signer = RecordSigner(store, encryption)
    made = document(pull_request=number)
    return store.audits.save(42, number, made, now=NOW, witness=signer.witness)


def _statement(store: Store, envelope: bytes | None) -> AuditRecord | ChainHead | object:
    keys = {key.id: PublicKey(key.public) for key in store.records.all_keys()}
    assert envelope is not None
    payload, _ = opened(msgspec.json.decode(envelope, type=Envelope), keys)
    return read(payload).predicate


def test_an_audit_and_the_end_of_its_chain_are_signed(store: Store) -> None:
    first, second = _save(store), _save(store, 18)
    with store.database.read() as connection:
        signed = [*store.records.of_within(connection, 42)]
        head = store.records.head_within(connection, 42)
    records = [_statement(store, one.envelope) for one in signed]
    assert [one.link for one in records if isinstance(one, AuditRecord)] == [
        first.link,
        second.link,
    ]
    assert _statement(store, head) == ChainHead(
        repository_id=42, records=2, last=second.chain, signed_at=NOW
    )
    (key,) = store.records.all_keys()
    assert key.retired_at is None


def test_without_its_signature_an_audit_is_not_saved(store: Store) -> None:
    saved = _save(store)
    with pytest.raises(KeyLost, match="rotate-record-key"):
        _save(store, 18, encryption=b"1" * 32)
    assert store.audits.all_of(42) == (saved,)


def test_an_audit_that_was_saved_unsigned_stays_so(store: Store) -> None:
    unsigned = store.audits.save(42, 17, document(), now=NOW)
    assert _save(store) == unsigned
    signed = _save(store, 18)
    assert store.records.unsigned(42) == (unsigned,)
    assert store.records.unsigned(43) == ()
    signer = RecordSigner(store, ENCRYPTION)
    with store.database.write() as connection:
        signer.sign(connection, unsigned, document(), now=NOW + DAY)
        head = store.records.head_within(connection, 42)
    assert store.records.unsigned(42) == ()
    found = _statement(store, head)
    assert isinstance(found, ChainHead)
    assert (found.records, found.last) == (2, signed.chain)


def test_the_first_who_sign_at_once_make_one_key(store: Store) -> None:
    with ThreadPoolExecutor(4) as threads:
        [*threads.map(lambda number: _save(store, number), range(1, 9))]
    assert len(store.records.all_keys()) == 1
    assert store.records.unsigned(42) == ()


def test_a_new_key_takes_over_and_the_old_one_can_only_check(store: Store) -> None:
    _save(store)
    signer = RecordSigner(store, b"1" * 32)
    with store.database.write() as connection:
        made = signer.rotate(connection, now=NOW + DAY)
    _save(store, 18, encryption=b"1" * 32)
    old, new = store.records.all_keys()
    assert (old.retired_at, old.secret, new) == (NOW + DAY, None, made)
    with store.database.read() as connection:
        both = [*store.records.of_within(connection, 42)]
    assert [type(_statement(store, one.envelope)) for one in both] == [AuditRecord] * 2


def test_the_stored_key_is_encrypted(sqlite_store: Store) -> None:
    _save(sqlite_store)
    with sqlite_store.database.write() as connection:
        signing = RecordSigner(sqlite_store, ENCRYPTION).key(connection, now=NOW)
    (kept,) = sqlite_store.records.all_keys()
    assert kept.id == signing.public.id
    assert signing._key.private_bytes_raw() not in (kept.secret or b"")
