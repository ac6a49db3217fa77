"""Teams are read from the sandbox over HTTP, and what GitHub does not say any more is forgotten."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ghapp.github.answers import Refused, Temporary
from ghapp.store import Installation, Repository, Store
from ghapp.store.selecting import teams_of
from ghapp.team_sources import Fetched, fetch_teams
from ghapp.teams import Member, TeamSource
from tests.github.place import START, Place, assert_good_manners

ALL = ("ann", "bob", "cid", "dan", "eva", "fay", "gil")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    made.installation.permissions["members"] = "read"
    yield made
    assert_good_manners(made)
    made.close()


def fetch(place: Place, store: Store) -> Fetched:
    """Fetch once, the app being known to be installed."""
    installation = Installation(id=place.installation.id, account="Acme")
    store.installations.seen(installation, now=START)
    return fetch_teams(installation, place.auth, store)


def said(store: Store, source: TeamSource = TeamSource.GITHUB) -> dict[str, str]:
    return {one.login: one.team for one in store.teams.of("acme").get(source, ())}


def test_a_person_is_in_the_smallest_team_that_can_be_told_apart(
    place: Place, store: Store
) -> None:
    place.sandbox.set_team("acme", "Everyone", *ALL)
    place.sandbox.set_team("acme", "Web Pages", *ALL[:5])
    place.sandbox.set_team("acme", "On call", *ALL[:2])
    place.sandbox.set_team("acme", "The merger", *ALL[:6], privacy="secret")
    assert str(fetch(place, store)) == "7 people in 2 teams, from github"
    web, rest = dict.fromkeys(ALL[:5], "Web Pages"), dict.fromkeys(ALL[5:], "Everyone")
    assert said(store) == web | rest


def test_more_people_than_a_page_holds(place: Place, store: Store) -> None:
    place.sandbox.set_team("acme", "Everyone", *(f"dev{number}" for number in range(230)))
    assert fetch(place, store).people == 230
    assert len(place.sent("GET", "/members")) == 3


def test_a_renamed_team_and_who_left_it(place: Place, store: Store) -> None:
    team = place.sandbox.set_team("acme", "Web", *ALL)
    fetch(place, store)
    place.sandbox.remove_team("acme", team)
    place.sandbox.set_team("acme", "Shop", *ALL[1:])
    fetch(place, store)
    assert said(store) == dict.fromkeys(ALL[1:], "Shop")


def test_a_team_that_goes_while_it_is_read_changes_nothing(place: Place, store: Store) -> None:
    place.sandbox.set_team("acme", "Web", *ALL)
    fetch(place, store)
    before = said(store)
    place.play("not_found", "*/members")
    with pytest.raises(Temporary, match="renamed or deleted"):
        fetch(place, store)
    assert said(store) == before


def test_without_the_permission_it_is_named_and_nothing_is_kept(place: Place, store: Store) -> None:
    place.sandbox.set_team("acme", "Web", *ALL)
    fetch(place, store)
    del place.installation.permissions["members"]
    with pytest.raises(Refused, match="permission members=read is missing") as caught:
        fetch(place, store)
    assert caught.value.permission == "members=read"
    assert said(store) == {}


def test_a_person_s_account_has_no_teams(tmp_path: Path, sqlite_store: Store) -> None:
    place = Place(tmp_path)
    place.installation.permissions["members"] = "read"
    place.installation.account.kind = "User"
    assert fetch(place, sqlite_store).people == 0
    assert_good_manners(place)
    place.close()


def test_of_an_organization_one_source_holds_for_all(place: Place, store: Store) -> None:
    place.sandbox.set_team("acme", "Web", *ALL)
    fetch(place, store)
    store.installations.repository_seen(Repository(id=42, owner="acme", name="app"), now=START)

    def team_of(login: str) -> str | None:
        with store.database.read() as connection:
            return teams_of(connection, [42], None).of(login)

    assert (team_of("ann"), team_of("bob")) == ("Web", "Web")
    store.teams.replace("acme", TeamSource.CSV, [Member("ann", "core")])
    assert (team_of("ann"), team_of("bob")) == ("core", None)
    store.teams.replace("acme", TeamSource.CSV, ())
    assert team_of("ann") == "Web"
