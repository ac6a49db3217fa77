"""Audits: numbered, chained, never altered."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import text

from ghapp.attribution.model import AuditInputs, AuditState, Verdict
from ghapp.store import Installation, Repository, Store, WorkEnd, WorkKind
from tests.store.records import DAY, MINUTE, NOW, document, lease, request

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


# --- what should be better by now -----------------------------------------------------------------


def reached(store: Store, repository_id: int = 42, installation_id: int = 5) -> None:
    store.installations.seen(Installation(id=installation_id, account="acme"), now=NOW)
    name = f"shop{repository_id}"
    there = Repository(id=repository_id, owner="acme", name=name, installation_id=installation_id)
    store.installations.repository_seen(there, now=NOW)


def overdue(store: Store, now: datetime = NOW) -> list[int]:
    found = store.audits.overdue(now, seen_before=now - DAY)
    assert {repository for repository, _ in found} <= {42}
    return [number for _, number in found]


CUT = AuditInputs(diff="sha256:d", evidence="sha256:e", edits_considered=2, change_complete=False)


def test_what_is_provisional_after_its_window_and_what_was_cut_is_asked_for(store: Store) -> None:
    reached(store)
    save = store.audits.save
    save(42, 17, document(NOW - 3 * DAY), now=NOW)
    save(42, 18, document(NOW - DAY), now=NOW)
    save(42, 19, document(NOW - 3 * DAY), now=NOW)
    save(42, 19, document(NOW - 3 * DAY, state=AuditState.FINAL), now=NOW)
    save(42, 20, document(NOW - 5 * DAY, state=AuditState.FINAL, inputs=CUT), now=NOW)
    save(42, 21, document(NOW - 99 * DAY, state=AuditState.FINAL, inputs=CUT), now=NOW)
    assert sorted(overdue(store)) == [17, 20]
    assert sorted(overdue(store, NOW + 2 * DAY)) == [17, 18, 20]


@pytest.mark.parametrize("gone", ["installation", "suspended", "repository", "unknown"])
def test_what_no_installation_reaches_waits(store: Store, gone: str) -> None:
    known = store.installations
    if gone != "unknown":
        reached(store)
    store.audits.save(42, 17, document(NOW - 3 * DAY), now=NOW)
    if gone == "installation":
        known.removed(5, now=NOW)
    elif gone == "suspended":
        known.suspended(5, now=NOW)
    elif gone == "repository":
        known.repositories_removed((42,), now=NOW)
    assert overdue(store) == []


def test_what_is_under_way_or_was_just_tried_waits(store: Store) -> None:
    reached(store)
    store.audits.save(42, 17, document(NOW - 3 * DAY), now=NOW)
    store.work.enqueue(request(kind=WorkKind.OUTCOMES), now=NOW)
    assert overdue(store) == [17]
    store.work.enqueue(request(kind=WorkKind.FINALIZE, due_at=NOW - MINUTE), now=NOW)
    assert overdue(store) == []
    leased = lease(store)
    assert leased is not None
    assert leased.kind == WorkKind.FINALIZE
    store.work.finish(leased, WorkEnd.GONE, "gone", now=NOW)
    assert overdue(store) == []
    assert overdue(store, NOW + DAY + MINUTE) == [17]
