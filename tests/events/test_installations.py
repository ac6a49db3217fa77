"""What is known of installations and repositories, by events and by the roll call."""

from datetime import timedelta
from typing import Any

import pytest

from ghapp.events.installations import (
    call_roll,
    follow_installation,
    follow_repositories,
    follow_repository,
)
from ghapp.events.reconcile import CATCH_UP, cursor_of
from ghapp.github.webhooks import (
    EventRepository,
    InstallationEvent,
    InstallationRepositories,
    RepositoryEvent,
)
from ghapp.store import Installation, Repository, Store
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


# --- events ---------------------------------------------------------------------------------------


def test_a_new_installation_brings_its_repositories(sqlite_store: Store) -> None:
    assert set(follow_installation(installation("created", APP, SHOP), sqlite_store, NOW)) == {
        42,
        43,
    }
    assert (known(sqlite_store).account, known(sqlite_store).permissions) == (
        "acme",
        {"checks": "write"},
    )
    assert names(sqlite_store) == ["acme/app", "acme/shop"]


def test_a_suspension_and_its_end(sqlite_store: Store) -> None:
    follow_installation(installation("created", APP), sqlite_store, NOW)
    assert list(follow_installation(installation("suspend"), sqlite_store, NOW)) == []
    assert known(sqlite_store).suspended_at == NOW
    assert list(follow_installation(installation("unsuspend"), sqlite_store, LATER)) == [42]
    assert known(sqlite_store).is_active


def test_new_permissions_may_bring_what_was_missed(sqlite_store: Store) -> None:
    follow_installation(installation("created", APP), sqlite_store, NOW)
    granted = installation("new_permissions_accepted")
    assert list(follow_installation(granted, sqlite_store, NOW)) == [42]


def test_what_is_uninstalled_is_gone(sqlite_store: Store) -> None:
    follow_installation(installation("created", APP), sqlite_store, NOW)
    assert list(follow_installation(installation("deleted"), sqlite_store, LATER)) == []
    assert (known(sqlite_store).removed_at, names(sqlite_store)) == (LATER, [])


def test_an_event_of_no_installation_changes_nothing(sqlite_store: Store) -> None:
    event = installation("created", APP, installation_id=None)
    assert list(follow_installation(event, sqlite_store, NOW)) == []
    assert sqlite_store.installations.all() == ()


def test_repositories_come_and_go(sqlite_store: Store) -> None:
    follow_installation(installation("created", APP), sqlite_store, NOW)
    event = InstallationRepositories(
        **{**COMMON, "action": "added", "repository": None}, added=(SHOP,), removed=(APP,)
    )
    assert list(follow_repositories(event, sqlite_store, NOW)) == [43]
    assert names(sqlite_store) == ["acme/shop"]


@pytest.mark.parametrize(
    ("action", "back", "listed"),
    [
        ("renamed", [], ["acme/app"]),
        ("archived", [], ["acme/app"]),
        ("unarchived", [42], ["acme/app"]),
        ("transferred", [42], ["acme/app"]),
        ("deleted", [], []),
    ],
)
def test_a_repository_is_as_its_event_says(
    sqlite_store: Store, action: str, back: list[int], listed: list[str]
) -> None:
    sqlite_store.installations.seen(Installation(id=5, account="acme"), now=NOW)
    old = Repository(id=42, owner="old", name="name", installation_id=5)
    sqlite_store.installations.repository_seen(old, now=NOW)
    event = RepositoryEvent(**{**COMMON, "action": action})
    assert list(follow_repository(event, sqlite_store, LATER)) == back
    assert names(sqlite_store) == listed


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


def test_an_installation_that_goes_meanwhile_stops_no_other(place: Place, known: Store) -> None:
    other = place.sandbox.install(place.app.app, "zeta")
    place.sandbox.add_repository("zeta", "one")
    place.play("suspend", "*/access_tokens", "POST", times=1)
    assert call(place, known) == 2
    assert [one.full_name for one in known.installations.repositories(other.id)] == ["zeta/one"]
    assert len(known.installations.repositories(place.installation.id)) == 1
