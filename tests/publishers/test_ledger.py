"""What is remembered of the publishers between audits, and what is not stored twice."""

from datetime import UTC, datetime, timedelta

import pytest

from ghapp.publishers.ledger import memories, record
from ghapp.publishers.publisher import PublisherReport, WriteResult
from ghapp.publishers.registry import PUBLISHERS
from ghapp.store import SavedAudit, Store
from tests.github.place import Place
from tests.store.records import document

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
WRITTEN = PublisherReport(
    name="comment",
    outcome=WriteResult.WRITTEN,
    external_id="12",
    url="https://example.test/12",
    confirmed=True,
)
UNCHANGED = PublisherReport(name="comment", outcome=WriteResult.UNCHANGED, external_id="12")


@pytest.fixture
def saved(sqlite_store: Store) -> SavedAudit:
    return sqlite_store.audits.save(42, 17, document(NOW), now=NOW)


def results(store: Store, saved: SavedAudit) -> list[str]:
    return [one.outcome for one in store.publications.of(saved)]


def test_nothing_is_remembered_of_a_new_pull_request(
    sqlite_store: Store, saved: SavedAudit, place: Place
) -> None:
    found = memories(saved, place.github, sqlite_store)
    assert set(found) == set(PUBLISHERS)
    assert {(one.external_id, one.noted_at) for one in found.values()} == {(None, None)}


def test_an_id_and_a_note_are_remembered_for_the_next_audit(
    sqlite_store: Store, saved: SavedAudit, place: Place
) -> None:
    memories(saved, place.github, sqlite_store)["comment"].note()
    record([WRITTEN], saved, sqlite_store, NOW)
    next_audit = sqlite_store.audits.save(42, 17, document(NOW + timedelta(days=1)), now=NOW)
    found = memories(next_audit, place.github, sqlite_store)
    assert (found["comment"].external_id, found["comment"].noted_at) == ("12", place.clock())
    assert (found["label"].external_id, found["label"].noted_at) == (None, None)


def test_what_was_done_is_stored_with_its_reading_back(
    sqlite_store: Store, saved: SavedAudit
) -> None:
    refused = PublisherReport(name="label", outcome=WriteResult.NOT_WRITTEN, detail="no permission")
    different = PublisherReport(name="check_run", outcome=WriteResult.WRITTEN, confirmed=False)
    record([WRITTEN, refused, different], saved, sqlite_store, NOW)
    comment, label, check_run = sqlite_store.publications.of(saved)
    assert (comment.url, comment.read_back_at, comment.read_back_ok) == (WRITTEN.url, NOW, True)
    assert (label.detail, label.read_back_at, label.read_back_ok) == ("no permission", None, None)
    assert (check_run.read_back_at, check_run.read_back_ok) == (NOW, False)


def test_an_audit_that_nothing_changed_is_stored_once(
    sqlite_store: Store, saved: SavedAudit
) -> None:
    for one in (WRITTEN, UNCHANGED, UNCHANGED):
        record([one], saved, sqlite_store, NOW)
    assert results(sqlite_store, saved) == ["written"]
    next_audit = sqlite_store.audits.save(42, 17, document(NOW + timedelta(days=1)), now=NOW)
    for _ in range(2):
        record([UNCHANGED], next_audit, sqlite_store, NOW)
    assert results(sqlite_store, next_audit) == ["unchanged"]


def test_what_stands_after_a_write_that_failed_is_stored(
    sqlite_store: Store, saved: SavedAudit
) -> None:
    failed = PublisherReport(name="comment", outcome=WriteResult.NOT_WRITTEN, external_id="12")
    record([failed], saved, sqlite_store, NOW)
    record([UNCHANGED], saved, sqlite_store, NOW)
    assert results(sqlite_store, saved) == ["not_written", "unchanged"]


def test_another_id_is_stored(sqlite_store: Store, saved: SavedAudit) -> None:
    other = PublisherReport(name="comment", outcome=WriteResult.UNCHANGED, external_id="13")
    for one in (UNCHANGED, other):
        record([one], saved, sqlite_store, NOW)
    found = sqlite_store.publications.last(42, 17, "comment")
    assert found is not None
    assert found.external_id == "13"
