"""What an audit rests on and was erased since: how much and when, never whose."""

from ghapp.store import ErasedBy, ErasureScope, Store
from ghapp.store.erasures import ErasedSince
from tests.store.records import DAY, MINUTE, NOW, document, edit


def _erase(store: Store, login: str, minutes: int) -> None:
    scope = ErasureScope(login=login)
    store.evidence.erase(scope, ErasedBy.DEVELOPER, now=NOW + minutes * MINUTE)


def test_only_what_was_erased_after_an_audit_counts_for_it(store: Store) -> None:
    people = ("early", "ann", "bob", "old")
    for name in people:
        at = NOW - 60 * DAY if name == "old" else NOW - DAY
        edits = [edit(f"{name} {number}", actor=name, at=at) for number in range(2)]
        for repository_id in (42, 43):
            store.evidence.add(repository_id, edits, now=NOW)
    _erase(store, "early", -1)
    saved = store.audits.save(42, 17, document(), now=NOW)
    assert store.erasures.since(saved) is None
    for minutes, name in enumerate(("ann", "bob", "old"), 1):
        _erase(store, name, minutes)
    assert store.erasures.since(saved) == ErasedSince(edits=4, last_at=NOW + 2 * MINUTE)
    elsewhere = store.audits.save(44, 17, document(), now=NOW)
    assert store.erasures.since(elsewhere) is None


def test_an_erasure_does_not_tell_whose_it_was(store: Store) -> None:
    store.evidence.add(42, [edit("a", actor="ann")], now=NOW)
    _erase(store, "ann", 1)
    (noted,) = store.erasures.of(42, NOW, NOW)
    assert "ann" not in repr(noted)
