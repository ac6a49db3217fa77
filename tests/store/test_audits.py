"""Audits: numbered, chained, never altered."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from ghapp.attribution.model import AuditState, Verdict
from ghapp.store import Store
from tests.store.records import DAY, NOW, document

FINAL = document(state=AuditState.FINAL)


def test_a_saved_audit_has_its_columns_and_its_bytes(store: Store) -> None:
    saved = store.audits.save(42, 17, document(), now=NOW)
    assert (saved.number, saved.position, saved.previous) == (1, 1, None)
    assert (saved.verdict, saved.effective, saved.share) == (Verdict.ASSISTED, 3, 0.6667)
    assert (saved.window_from, saved.window_to) == (NOW - 21 * DAY, NOW + 2 * DAY)
    assert store.audits.document(saved.id) == document()
    assert store.audits.document(saved.id + 1) is None
    assert store.audits.latest(42, 17) == saved
    assert store.audits.latest(42, 18) is None


def test_the_same_bytes_again_add_nothing(store: Store) -> None:
    saved = store.audits.save(42, 17, document(), now=NOW)
    assert store.audits.save(42, 17, document(), now=NOW + DAY) == saved
    assert store.audits.all_of(42) == (saved,)


def test_the_bytes_of_an_earlier_audit_are_a_new_one(store: Store) -> None:
    numbers = [
        store.audits.save(42, 17, one, now=NOW).number for one in (document(), FINAL, document())
    ]
    assert numbers == [1, 2, 3]
    assert store.audits.numbered(42, 17, 2) == store.audits.all_of(42, 17)[1]
    assert store.audits.numbered(42, 17, 4) is None


def test_each_audit_of_a_repository_names_the_one_before(store: Store) -> None:
    first = store.audits.save(42, 17, document(), now=NOW)
    second = store.audits.save(42, 18, document(), now=NOW)
    elsewhere = store.audits.save(43, 17, document(), now=NOW)
    assert second.previous == first.chain
    assert (second.number, second.position) == (1, 2)
    assert elsewhere.previous is None
    assert first.chain == first.link.chain
    assert store.audits.first_break(42) is None
    assert store.audits.first_break(44) is None


def test_many_at_once_make_one_chain(store: Store) -> None:
    def save(number: int) -> int:
        return store.audits.save(42, number, document(pull_request=number), now=NOW).position

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(save, range(16))) == list(range(1, 17))
    assert store.audits.first_break(42) is None


@pytest.mark.parametrize("change", ["UPDATE audit SET attributed = 3", "DELETE FROM audit"])
def test_the_database_refuses_to_alter_an_audit(store: Store, change: str) -> None:
    saved = store.audits.save(42, 17, document(), now=NOW)

    def alter() -> None:
        with store.database.write() as connection:
            connection.execute(text(change))

    with pytest.raises(Exception, match="audits are never altered"):
        alter()
    assert store.audits.latest(42, 17) == saved


def test_an_audit_that_was_altered_past_the_database_is_noticed(sqlite_store: Store) -> None:
    for number in (1, 2, 3):
        sqlite_store.audits.save(42, number, document(pull_request=number), now=NOW)
    with sqlite_store.database.write() as connection:
        connection.execute(text("DROP TRIGGER audit_no_update"))
        connection.execute(text("UPDATE audit SET created_at = created_at + 1 WHERE position = 2"))
    assert sqlite_store.audits.first_break(42) == 2


@pytest.mark.parametrize("broken", [b"", b"{}", document()[:-1]])
def test_what_is_no_audit_document_is_refused(store: Store, broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        store.audits.save(42, 17, broken, now=NOW)


def test_the_audits_in_force_are_the_latest_of_each_pull_request(store: Store) -> None:
    store.audits.save(42, 17, document(), now=NOW)
    final = store.audits.save(42, 17, FINAL, now=NOW)
    other = store.audits.save(42, 18, document(merged_at=NOW + DAY), now=NOW)
    store.audits.save(42, 19, document(merged_at=NOW + 9 * DAY), now=NOW)
    assert store.audits.in_force(42, NOW, NOW + DAY) == (final, other)


@pytest.mark.parametrize(
    ("days", "reached"), [(-21, True), (2, True), (-22, False), (3, False), (0, True)]
)
def test_an_edit_reaches_the_audits_whose_window_holds_it(
    store: Store, days: int, *, reached: bool
) -> None:
    saved = store.audits.save(42, 17, document(), now=NOW)
    with store.database.read() as connection:
        times = [NOW - 90 * DAY, NOW + days * DAY, NOW + 90 * DAY]
        found = store.audits.reached_within(connection, 42, times)
        assert store.audits.reached_within(connection, 42, []) == ()
    assert found == ((saved,) if reached else ())
