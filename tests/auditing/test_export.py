"""An exported bundle passes verification; records altered behind the app's back do not."""

import io
from pathlib import Path

import pytest
from sqlalchemy import text

from ghapp.attribution.policy import Policy
from ghapp.auditing.export import ExportSpan, UnsignedError, export
from ghapp.keys.evidence import KeyLost
from ghapp.keys.signing import RecordSigner
from ghapp.records.check import BundleCheck, check
from ghapp.store import Repository, Store
from tests.store.records import DAY, NOW, document

KEY = b"\x05" * 32
SHOP = Repository(id=42, owner="acme", name="shop")
EMPTY = Repository(id=43, owner="acme", name="empty")
OWN = Policy(id="acme-v1", rewrite_limit=0.1)


def save(store: Store, number: int, *, signer: RecordSigner | None = None, days: int = 0) -> None:
    policy = OWN if number % 2 else Policy()
    store.records.keep_policy(policy, now=NOW)
    at = NOW + days * DAY
    content = document(pull_request=number, merged_at=at, policy=policy.used())
    witness = (signer or RecordSigner(store, KEY)).witness
    store.audits.save(SHOP.id, number, content, now=at, witness=witness)


def exported(store: Store, tmp_path: Path, span: ExportSpan = ExportSpan()) -> BundleCheck:  # noqa: B008 - frozen
    path = tmp_path / "bundle.jsonl"
    with path.open("wb") as file:
        export(
            store,
            [EMPTY, SHOP],
            file,
            signer=RecordSigner(store, KEY),
            now=NOW + 9 * DAY,
            span=span,
        )
    return check(path)


def test_a_bundle_of_what_was_saved(store: Store, tmp_path: Path) -> None:
    for number in range(1, 6):
        save(store, number)
    done = exported(store, tmp_path)
    assert done.problems == ()
    assert (done.records, done.documents, done.signed_later) == (5, 5, 0)
    assert len(done.signed_by) == 1
    assert done.header is not None
    assert [one.name for one in done.header.repositories] == ["acme/shop", "acme/empty"]


def test_the_same_state_gives_the_same_bytes(sqlite_store: Store) -> None:
    save(sqlite_store, 1)
    made = []
    for _ in range(2):
        output = io.BytesIO()
        export(sqlite_store, [SHOP], output, signer=RecordSigner(sqlite_store, KEY), now=NOW)
        made.append(output.getvalue())
    assert made[0] == made[1]


def test_a_span_takes_documents_and_leaves_the_chain_whole(store: Store, tmp_path: Path) -> None:
    for number in range(1, 6):
        save(store, number, days=number)
    span = ExportSpan(since=NOW + 2 * DAY, until=NOW + 3 * DAY)
    done = exported(store, tmp_path, span)
    assert done.problems == ()
    assert (done.records, done.documents) == (5, 2)


def test_a_new_key_signs_and_the_old_one_checks(store: Store, tmp_path: Path) -> None:
    long_running = RecordSigner(store, KEY)
    save(store, 1, signer=long_running)
    with store.database.write() as connection:
        RecordSigner(store, KEY).rotate(connection, now=NOW + DAY)
    save(store, 2, signer=long_running)
    old, new = store.records.all_keys()
    assert (old.secret, old.retired_at, new.retired_at) == (None, NOW + DAY, None)
    done = exported(store, tmp_path)
    assert done.problems == ()
    assert done.signed_by == {old.id: 1, new.id: 3}


def test_processes_that_sign_at_once_share_the_first_key(store: Store) -> None:
    for number in (1, 2):
        save(store, number, signer=RecordSigner(store, KEY))
    assert len(store.records.all_keys()) == 1


def test_another_encryption_key_signs_nothing_and_keeps_nothing(store: Store) -> None:
    save(store, 1)
    with pytest.raises(KeyLost, match="rotate-record-key"):
        save(store, 2, signer=RecordSigner(store, b"\x06" * 32))
    assert store.audits.latest(SHOP.id, 2) is None


def test_records_from_before_are_signed_later_and_say_so(store: Store, tmp_path: Path) -> None:
    saved = store.audits.save(SHOP.id, 1, document(pull_request=1), now=NOW)
    with pytest.raises(UnsignedError, match="sign-records"):
        exported(store, tmp_path)
    save(store, 2)
    with pytest.raises(UnsignedError, match="record 1 of acme/shop"):
        exported(store, tmp_path)
    assert store.records.unsigned(SHOP.id) == (saved,)
    with store.database.write() as connection:
        content = document(pull_request=1)
        RecordSigner(store, KEY).sign(connection, saved, content, now=NOW + DAY)
    done = exported(store, tmp_path)
    assert done.problems == ()
    assert (done.records, done.signed_later) == (2, 1)


OF_FIRST = "SELECT document FROM audit WHERE position = 1"
ALTERED = {
    "record 3 of acme/shop": (
        "DELETE FROM record WHERE audit_id = 2",
        "DELETE FROM audit WHERE id = 2",
    ),
    "has 4 records": ("DELETE FROM record WHERE audit_id = 4", "DELETE FROM audit WHERE id = 4"),
    "record 2 of acme/shop": (f"UPDATE audit SET document = ({OF_FIRST}) WHERE id = 2",),  # noqa: S608 - a constant
    "line 7: it cannot be read": ("UPDATE audit SET document = X'00' WHERE id = 2",),
    "is in the place of record 2": (
        "UPDATE audit SET position = 9 WHERE id = 2",
        "UPDATE audit SET position = 2 WHERE id = 3",
        "UPDATE audit SET position = 3 WHERE id = 2",
    ),
}


@pytest.mark.parametrize("problem", ALTERED)
def test_what_was_altered_past_the_app_is_named(
    sqlite_store: Store, tmp_path: Path, problem: str
) -> None:
    for number in range(1, 5):
        save(sqlite_store, number)
    triggers = ("audit_no_update", "audit_no_delete", "record_no_delete")
    with sqlite_store.database.write() as connection:
        for statement in (*(f"DROP TRIGGER {name}" for name in triggers), *ALTERED[problem]):
            connection.execute(text(statement))
    first = exported(sqlite_store, tmp_path).problems[0]
    assert problem in f"line {first.line}: {first.problem}"


@pytest.mark.parametrize("change", ["UPDATE record SET key_id = 'x'", "DELETE FROM record"])
def test_the_database_refuses_to_alter_a_signature(store: Store, change: str) -> None:
    save(store, 1)

    def alter() -> None:
        with store.database.write() as connection:
            connection.execute(text(change))

    with pytest.raises(Exception, match="are never altered"):
        alter()
