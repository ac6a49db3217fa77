"""The ledger of what was written to GitHub: each writing, its read-back, and notes before it."""

from ghapp.attribution.model import AuditState
from ghapp.store import Publication, Repository, Store
from tests.store.records import DAY, MINUTE, NOW, document


def test_the_ledger_keeps_what_was_done_in_order(store: Store) -> None:
    saved = store.audits.save(42, 17, document(), now=NOW)
    written = Publication(
        publisher="comment",
        outcome="written",
        asked_at=NOW,
        external_id="99",
        url="https://github.com/acme/shop/pull/17#issuecomment-99",
        read_back_at=NOW + MINUTE,
        read_back_ok=True,
    )
    unchanged = Publication(publisher="comment", outcome="unchanged", asked_at=NOW + DAY)
    for one in (written, unchanged):
        store.publications.record(saved, one)
    assert store.publications.of(saved) == (written, unchanged)
    assert store.publications.last(42, 17, "comment") == unchanged
    assert store.publications.last(42, 17, "comment", "written") == written
    assert store.publications.last(42, 17, "label") is None
    assert store.publications.not_confirmed(NOW) == ()


def test_a_note_is_no_doing_and_is_found_by_itself(store: Store) -> None:
    saved = store.audits.save(42, 17, document(), now=NOW)
    assert store.publications.noted_at(42, 17, "comment") is None
    store.publications.note(saved, "comment", at=NOW)
    store.publications.note(saved, "comment", at=NOW + MINUTE)
    assert store.publications.noted_at(42, 17, "comment") == NOW + MINUTE
    assert store.publications.noted_at(42, 18, "comment") is None
    assert store.publications.noted_at(42, 17, "check_run") is None
    assert store.publications.of(saved) == ()
    assert store.publications.of_pull_request(42, 17) == {}
    assert store.publications.last(42, 17, "comment") is None
    assert store.publications.not_confirmed(NOW) == ()


def test_what_was_not_confirmed_is_listed(store: Store) -> None:
    saved = store.audits.save(42, 17, document(), now=NOW)
    refused = Publication(
        publisher="label", outcome="not_written", asked_at=NOW, detail="permission issues: write"
    )
    lost = Publication(
        publisher="check_run", outcome="written", asked_at=NOW, read_back_at=NOW, read_back_ok=False
    )
    for one in (refused, lost):
        store.publications.record(saved, one)
    listed = store.publications.not_confirmed(NOW)
    assert [(one.publisher, one.detail) for one in listed] == [
        (lost.publisher, None),
        (refused.publisher, refused.detail),
    ]
    assert {(one.repository_id, one.pull_request, one.repository) for one in listed} == {
        (42, 17, None)
    }
    assert store.publications.not_confirmed(NOW + MINUTE) == ()


def test_writings_are_found_by_the_audit_they_are_for(store: Store) -> None:
    first = store.audits.save(42, 17, document(), now=NOW)
    second = store.audits.save(42, 17, document(state=AuditState.FINAL), now=NOW)
    elsewhere = store.audits.save(42, 18, document(pull_request=18), now=NOW)
    written = Publication(publisher="label", outcome="written", asked_at=NOW)
    for audit in (second, first, second, elsewhere):
        store.publications.record(audit, written)
    assert store.publications.of_pull_request(42, 17) == {
        first.id: (written,),
        second.id: (written, written),
    }
    assert store.publications.of_pull_request(43, 17) == {}


def test_what_github_answered_is_kept_harmless(store: Store) -> None:
    saved = store.audits.save(42, 17, document(), now=NOW)
    answer = Publication(
        publisher="comment", outcome="not_written", asked_at=NOW, detail="nul \0, half \ud800"
    )
    store.publications.record(saved, answer)
    store.installations.repository_seen(Repository(id=42, owner="acme", name="shop"), now=NOW)
    (listed,) = store.publications.not_confirmed(NOW)
    assert (listed.detail, listed.repository) == ("nul \ufffd, half ?", "acme/shop")
    assert store.publications.not_confirmed(NOW, limit=0) == ()


def test_what_is_left_out_is_listed_until_it_is_written(store: Store) -> None:
    known = Repository(id=42, owner="acme", name="shop", installation_id=7)
    store.installations.repository_seen(known, now=NOW)
    ledger = store.publications
    for number in (17, 18):
        saved = store.audits.save(42, number, document(pull_request=number), now=NOW)
        for name in ("comment", "check_run"):
            out = Publication(publisher=name, outcome="left_out", asked_at=NOW + number * MINUTE)
            ledger.record(saved, out)
    assert [(one.installation_id, one.publisher, one.pulls) for one in ledger.left_out(NOW)] == [
        (7, "check_run", 2),
        (7, "comment", 2),
    ]
    assert {one.since for one in ledger.left_out(NOW)} == {NOW + 17 * MINUTE}
    assert ledger.pulls_left_out(7, NOW, 9) == ((42, 18), (42, 17))
    assert ledger.pulls_left_out(7, NOW, 1) == ((42, 18),)
    assert ledger.pulls_left_out(8, NOW, 9) == ()
    for name in ("comment", "check_run"):
        ledger.note(saved, name, at=NOW)
        written = Publication(publisher=name, outcome="written", asked_at=NOW + DAY)
        ledger.record(saved, written)
    assert [(one.publisher, one.pulls) for one in ledger.left_out(NOW)] == [
        ("check_run", 1),
        ("comment", 1),
    ]
    assert ledger.pulls_left_out(7, NOW, 9) == ((42, 17),)
    assert ledger.left_out(NOW + DAY) == ()
