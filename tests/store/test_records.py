"""Envelopes, heads, keys and policies of records, as they are kept."""

from sqlalchemy import select

from ghapp.attribution.policy import CLAUDE_CODE_V1, Policy
from ghapp.records.chain import digest_of
from ghapp.store import RecordKey, Store
from ghapp.store.records import AT_ONCE
from ghapp.store.schema import audit
from tests.store.records import DAY, NOW, document


def _key(name: str, days: int) -> RecordKey:
    return RecordKey(id=name, public=b"p" * 32, made_at=NOW + days * DAY, secret=b"sealed")


def test_one_key_is_in_use_and_a_retired_one_has_no_secret(store: Store) -> None:
    with store.database.write() as connection:
        assert store.records.current_within(connection) is None
        for number, name in enumerate(("b", "a")):
            store.records.lock_keys(connection)
            store.records.take_over_within(connection, _key(name, number))
        assert store.records.current_within(connection) == _key("a", 1)
    old, new = store.records.all_keys()
    assert (old.id, old.secret, old.retired_at) == ("b", None, NOW + DAY)
    assert (new.id, new.secret, new.retired_at) == ("a", b"sealed", None)


def test_a_head_only_moves_on(store: Store) -> None:
    with store.database.write() as connection:
        assert store.records.head_within(connection, 42) is None
        for position, envelope in ((2, b"two"), (1, b"one"), (2, b"again")):
            store.records.move_head_within(connection, 42, position, envelope)
        assert store.records.head_within(connection, 42) == b"two"
        store.records.move_head_within(connection, 42, 3, b"three")
        assert store.records.head_within(connection, 42) == b"three"
        assert store.records.head_within(connection, 43) is None


def test_audits_come_in_the_order_of_their_chain_however_many(sqlite_store: Store) -> None:
    made = document()
    with sqlite_store.database.write() as connection:
        sqlite_store.records.take_over_within(connection, _key("a", 0))
    for repository_id in (42, 43):
        saved = sqlite_store.audits.save(repository_id, 17, made, now=NOW)
        with sqlite_store.database.write() as connection:
            sqlite_store.records.keep_within(connection, saved, "a", b"envelope")
    of_shop = select(audit).where(audit.c.repository_id == 42)
    with sqlite_store.database.write() as connection:
        row = dict(connection.execute(of_shop).mappings().one())
        numbers = range(2, AT_ONCE + 2)
        rows = [row | {"id": 1000 + one, "number": one, "position": one} for one in numbers]
        connection.execute(sqlite_store.database.insert(audit), rows)
        found = [*sqlite_store.records.of_within(connection, 42)]
    assert [one.audit.position for one in found] == [*range(1, AT_ONCE + 2)]
    assert [one.envelope for one in found[:2]] == [b"envelope", None]
    assert {one.document for one in found} == {made}


def test_a_damaged_document_is_nobodys(sqlite_store: Store) -> None:
    saved = sqlite_store.audits.save(42, 17, document(), now=NOW)
    with sqlite_store.database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        connection.exec_driver_sql("UPDATE audit SET document = ?", (b"broken",))
        (found,) = sqlite_store.records.of_within(connection, 42)
    assert found.document == b""
    assert digest_of(found.document) != saved.digest


def test_a_policy_is_found_by_its_digest_as_it_was_used(store: Store) -> None:
    own = Policy(id="acme-v1", rewrite_limit=0.1)
    for used in (own, CLAUDE_CODE_V1, own):
        store.records.keep_policy(used, now=NOW)
    asked = [own.digest, own.digest, "sha256:unheard-of"]
    found = store.records.policies(asked)
    assert [*found] == [own.digest]
    assert digest_of(found[own.digest]) == own.digest
    assert store.records.policies([]) == {}
