"""The access log: kept in order, asked by repository and person, forgotten after its time."""

from ghapp.store import AccessDoor, AccessEntry, Store
from tests.store.records import DAY, NOW

PAGE = AccessEntry(
    who="login:ann", door=AccessDoor.PAGE, what="audit", repository_id=42, pull_request=17
)
EXPORT = AccessEntry(who="token:ci", door=AccessDoor.API, what="export", repository_id=43)
BUNDLE = AccessEntry(
    who="system:root", door=AccessDoor.COMMAND_LINE, what="bundle", detail="since \0 ever"
)


def test_accesses_are_kept_the_latest_first(store: Store) -> None:
    for days, access in enumerate((PAGE, EXPORT, BUNDLE, PAGE)):
        store.access_log.note(access, now=NOW + days * DAY)
    found = store.access_log.of()
    assert [one.who for one in found] == ["login:ann", "system:root", "token:ci", "login:ann"]
    assert found[1].detail == "since \ufffd ever"
    assert found[0].at == NOW + 3 * DAY
    assert [one.id for one in store.access_log.of(42)] == [found[0].id, found[3].id]
    assert store.access_log.of(who="token:ci") == (found[2],)
    assert store.access_log.of(before=found[2].id) == (found[3],)
    assert store.access_log.of(limit=2) == found[:2]


def test_accesses_are_forgotten_after_their_time(store: Store) -> None:
    for days in range(3):
        store.access_log.note(PAGE, now=NOW + days * DAY)
    assert store.access_log.expire(NOW + 2 * DAY) == 2
    assert len(store.access_log.of(42)) == 1
