"""What is known of installations and repositories, by events and by the roll call."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ghapp.events.installations import (
    call_roll,
    close_installation,
    close_repositories,
    close_repository,
    confirm_installation,
    confirm_repository,
)
from ghapp.events.reconcile import CATCH_UP, cursor_of
from ghapp.github.webhooks import (
    EventRepository,
    InstallationEvent,
    InstallationRepositories,
    RepositoryEvent,
)
from ghapp.store import Installation, Repository, Store, WorkEnd, WorkKind, WorkRequest
from tests.events.heard import COMMON, NOW
from tests.github.place import Place

APP = EventRepository(id=42, full_name="acme/app")
SHOP = EventRepository(id=43, full_name="acme/shop")
LATER = NOW + timedelta(days=1)


def installation(action: str, *repositories: EventRepository, **changed: Any) -> InstallationEvent:
    members = {**COMMON, "action": action, "repository": None, **changed}
    return InstallationEvent(
        **members, account="acme", permissions={"checks": "write"}, repositories=repositories
    )


def known(store: Store, number: int = 5) -> Installation:
    found = store.installations.installation(number)
    assert found is not None
    return found


def names(store: Store, number: int = 5) -> list[str]:
    return sorted(one.full_name for one in store.installations.repositories(number))


# --- what events close ----------------------------------------------------------------------------


def seen(store: Store, *repositories: EventRepository, number: int = 5) -> None:
    """Let the store know an installation with public repositories."""
    store.installations.seen(Installation(id=number, account="acme"), now=NOW)
    for one in repositories:
        owner, _, name = one.full_name.partition("/")
        there = Repository(id=one.id, owner=owner, name=name, installation_id=number, private=False)
        store.installations.repository_seen(there, now=NOW)


@pytest.mark.parametrize(
    ("action", "closed"), [("suspend", True), ("deleted", True), ("created", False)]
)
def test_an_end_is_believed_at_once(sqlite_store: Store, action: str, *, closed: bool) -> None:
    seen(sqlite_store, APP)
    close_installation(installation(action), sqlite_store, LATER)
    assert known(sqlite_store).is_active is not closed


@pytest.mark.parametrize("action", ["created", "unsuspend", "new_permissions_accepted"])
def test_a_return_waits_for_github(sqlite_store: Store, action: str) -> None:
    seen(sqlite_store, APP)
    sqlite_store.installations.suspended(5, now=NOW)
    close_installation(installation(action, APP), sqlite_store, LATER)
    assert not known(sqlite_store).is_active


def test_an_event_of_no_installation_changes_nothing(sqlite_store: Store) -> None:
    seen(sqlite_store, APP)
    close_installation(installation("deleted", installation_id=None), sqlite_store, NOW)
    assert known(sqlite_store).is_active


def removed(*repositories: EventRepository, of: int = 5) -> InstallationRepositories:
    members = {**COMMON, "action": "removed", "repository": None, "installation_id": of}
    return InstallationRepositories(**members, added=(SHOP,), removed=repositories)


def test_repositories_that_go_are_gone_and_those_that_come_wait(sqlite_store: Store) -> None:
    seen(sqlite_store, APP)
    close_repositories(removed(APP), sqlite_store, NOW)
    assert names(sqlite_store) == []


def test_an_old_installation_takes_nothing_from_the_new_one(sqlite_store: Store) -> None:
    seen(sqlite_store, APP, number=6)
    close_repositories(removed(APP, of=5), sqlite_store, NOW)
    assert names(sqlite_store, 6) == ["acme/app"]


@pytest.mark.parametrize(
    ("action", "private", "is_private", "listed"),
    [
        ("privatized", True, True, ["acme/app"]),
        ("publicized", False, False, ["acme/app"]),
        ("renamed", True, True, ["acme/app"]),
        ("deleted", False, False, []),
    ],
)
def test_what_a_repository_s_event_closes_is_closed(
    sqlite_store: Store, action: str, *, private: bool, is_private: bool, listed: list[str]
) -> None:
    seen(sqlite_store, APP)
    about = msgspec.structs.replace(APP, full_name="acme/other", private=private)
    event = RepositoryEvent(**{**COMMON, "action": action, "repository": about})
    close_repository(event, sqlite_store, LATER)
    found = sqlite_store.installations.repository(42)
    assert found is not None
    assert (found.private, names(sqlite_store)) == (is_private, listed)


def test_a_late_event_opens_nothing(sqlite_store: Store) -> None:
    seen(sqlite_store, APP)
    sqlite_store.installations.made_private(42, now=NOW)
    about = msgspec.structs.replace(APP, private=False)
    event = RepositoryEvent(**{**COMMON, "action": "publicized", "repository": about})
    close_repository(event, sqlite_store, LATER)
    found = sqlite_store.installations.repository(42)
    assert found is not None
    assert found.private


# --- what GitHub answers --------------------------------------------------------------------------


def confirm(place: Place, store: Store) -> bool:
    numbers = place.installation.id, place.repository.id
    return confirm_repository(*numbers, place.auth, store, place.clock())


def stored(place: Place, store: Store) -> Repository:
    found = store.installations.repository(place.repository.id)
    assert found is not None
    return found


def test_github_says_whether_a_repository_is_open(place: Place, known: Store) -> None:
    place.repository.private = False
    assert not confirm(place, known)
    assert not stored(place, known).private
    place.repository.private = True
    confirm(place, known)
    assert stored(place, known).private


def test_a_repository_that_was_taken_for_gone_is_back(place: Place, known: Store) -> None:
    known.installations.repositories_removed((place.repository.id,), now=place.clock())
    assert confirm(place, known)
    assert stored(place, known).removed_at is None
    assert not confirm(place, known)


def test_a_repository_out_of_reach_is_closed(place: Place, known: Store) -> None:
    place.sandbox.transfer_repository(place.repository, "elsewhere")
    assert not confirm(place, known)
    assert stored(place, known).removed_at == place.clock()


@pytest.mark.parametrize("what", ["suspend", "uninstall"])
def test_an_installation_that_ended_is_stored_as_ended(
    place: Place, known: Store, what: str
) -> None:
    getattr(place.sandbox, what)(place.installation)
    assert not confirm(place, known)
    assert confirm_installation(place.installation.id, place.auth, known, place.clock()) == ()
    assert [one.id for one in known.installations.all() if one.is_active] == []


def test_an_installation_that_was_taken_for_gone_is_back_with_its_repositories(
    place: Place, known: Store
) -> None:
    known.installations.removed(place.installation.id, now=place.clock())
    back = confirm_installation(place.installation.id, place.auth, known, place.clock())
    assert back == (place.repository.id,)
    assert known.installations.find("acme/app") is not None


# --- the roll call --------------------------------------------------------------------------------


def call(place: Place, store: Store) -> int:
    return call_roll(place.auth, store, place.clock())


def test_a_roll_call_finds_what_no_event_told_of(place: Place, sqlite_store: Store) -> None:
    place.sandbox.add_repository("acme", "open", private=False)
    assert call(place, sqlite_store) == 1
    assert known(sqlite_store, place.installation.id).account == "acme"
    listed = sqlite_store.installations.repositories(place.installation.id)
    assert {(one.full_name, one.private) for one in listed} == {
        ("acme/app", True),
        ("acme/open", False),
    }


def test_a_roll_call_misses_what_is_gone(place: Place, known: Store) -> None:
    gone = Installation(id=9, account="other")
    known.installations.seen(gone, now=NOW)
    place.sandbox.delete_repository(place.repository)
    call(place, known)
    former = known.installations.installation(9)
    assert former is not None
    assert former.removed_at == place.clock()
    assert known.installations.repositories(place.installation.id) == ()


def test_a_roll_call_sees_a_suspension_and_asks_for_no_repository(
    place: Place, known: Store
) -> None:
    place.sandbox.suspend(place.installation)
    call(place, known)
    found = known.installations.installation(place.installation.id)
    assert found is not None
    assert found.suspended_at == place.clock()
    assert place.sent("POST", "/access_tokens") == []
    assert len(known.installations.repositories(place.installation.id)) == 1


def test_after_a_suspension_that_no_event_ended_the_missed_time_is_covered(
    place: Place, known: Store
) -> None:
    bookmark, now = cursor_of(place.repository.id), place.clock()
    known.cursors.move(bookmark, now.isoformat(), now=now)
    call(place, known)
    assert known.cursors.read(bookmark) == now.isoformat()
    known.installations.suspended(place.installation.id, now=now)
    call(place, known)
    assert known.cursors.read(bookmark) == (now - CATCH_UP).isoformat()


@pytest.mark.parametrize("before", [{}, {"checks": "read"}])
def test_permissions_that_changed_bring_what_was_refused(
    place: Place, known: Store, before: dict[str, str]
) -> None:
    number, now = place.installation.id, place.clock()
    heard = Installation(id=number, account="acme", permissions=before)
    known.installations.seen(heard, now=now)
    pull = (number, place.repository.id, 17)
    request = WorkRequest.for_pull(WorkKind.AUDIT, *pull, at=now, why="merged")
    known.work.enqueue(request, now=now)
    (item,) = known.work.open()
    leased = known.work.lease(item.id, now, "worker", timedelta(seconds=30))
    assert leased is not None
    known.work.finish(leased, WorkEnd.REFUSED, "checks=write", now=now)
    for _ in range(2):
        call(place, known)
        assert [one.name for one in known.work.open()] == ([item.name] if before else [])


def test_an_installation_that_goes_meanwhile_stops_no_other(place: Place, known: Store) -> None:
    other = place.sandbox.install(place.app.app, "zeta")
    place.sandbox.add_repository("zeta", "one")
    place.play("suspend", "*/access_tokens", "POST", times=1)
    assert call(place, known) == 2
    assert [one.full_name for one in known.installations.repositories(other.id)] == ["zeta/one"]
    assert len(known.installations.repositories(place.installation.id)) == 1
