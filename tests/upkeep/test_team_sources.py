"""Teams, read from the sandbox over HTTP; the store forgets what GitHub no longer lists."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ghapp.attribution.model import FileVerdict
from ghapp.github.answers import TemporaryFailure
from ghapp.store import Installation, Repository, Store
from ghapp.store.summaries.conditions import teams_of
from ghapp.summaries.counts import PullFacts
from ghapp.summaries.teams import TeamMember, TeamSource
from ghapp.upkeep.team_sources import TeamsFetched, TeamSources, fetch_teams
from tests.github.place import START, Place, assert_good_manners
from tests.store.records import document

ALL = ("ann", "bob", "cid", "dan", "eva", "fay", "gil")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    made.installation.permissions["members"] = "read"
    yield made
    made.close()
    assert_good_manners(made)


def fetch(place: Place, store: Store) -> TeamsFetched:
    """Fetch once; the store knows the installation."""
    installation = Installation(id=place.installation.id, account="Acme")
    store.installations.seen(installation, now=START)
    sources = TeamSources(auth=place.auth, github=lambda _: place.new_github(), store=store)
    return fetch_teams(installation, sources, now=START)


def said(store: Store, source: TeamSource = TeamSource.GITHUB) -> dict[str, str]:
    return {one.login: one.team for one in store.teams.of("acme").get(source, ())}


def test_a_person_is_in_the_smallest_team_that_can_be_told_apart(
    place: Place, sqlite_store: Store
) -> None:
    place.sandbox.set_team("acme", "Everyone", *ALL)
    place.sandbox.set_team("acme", "Web Pages", *ALL[:5])
    place.sandbox.set_team("acme", "On call", *ALL[:2])
    place.sandbox.set_team("acme", "The merger", *ALL[:6], privacy="secret")
    assert str(fetch(place, sqlite_store)) == "7 people in 2 teams, from github"
    web, rest = dict.fromkeys(ALL[:5], "Web Pages"), dict.fromkeys(ALL[5:], "Everyone")
    assert said(sqlite_store) == web | rest


def test_more_people_than_a_page_holds(place: Place, sqlite_store: Store) -> None:
    place.sandbox.set_team("acme", "Everyone", *(f"dev{number}" for number in range(230)))
    assert fetch(place, sqlite_store).people == 230
    assert len(place.sent("GET", "/members")) == 3


def test_a_renamed_team_and_who_left_it(place: Place, sqlite_store: Store) -> None:
    team = place.sandbox.set_team("acme", "Web", *ALL)
    fetch(place, sqlite_store)
    place.sandbox.remove_team("acme", team)
    place.sandbox.set_team("acme", "Shop", *ALL[1:])
    fetch(place, sqlite_store)
    assert said(sqlite_store) == dict.fromkeys(ALL[1:], "Shop")


def test_a_team_that_goes_while_it_is_read_changes_nothing(
    place: Place, sqlite_store: Store
) -> None:
    place.sandbox.set_team("acme", "Web", *ALL)
    fetch(place, sqlite_store)
    before = said(sqlite_store)
    place.play("not_found", "*/members")
    with pytest.raises(TemporaryFailure, match="renamed or deleted"):
        fetch(place, sqlite_store)
    assert said(sqlite_store) == before


def test_without_the_permission_it_is_named_and_nothing_is_kept(
    place: Place, sqlite_store: Store
) -> None:
    place.sandbox.set_team("acme", "Web", *ALL)
    fetch(place, sqlite_store)
    del place.installation.permissions["members"]
    assert "permission members=read is missing" in str(fetch(place, sqlite_store))
    assert said(sqlite_store) == {}


def test_a_person_s_account_has_no_teams(tmp_path: Path, sqlite_store: Store) -> None:
    place = Place(tmp_path)
    place.installation.permissions["members"] = "read"
    place.installation.account.kind = "User"
    assert fetch(place, sqlite_store).people == 0
    place.close()
    assert_good_manners(place)


def test_of_an_organization_one_source_holds_for_all(place: Place, store: Store) -> None:
    place.sandbox.set_team("acme", "Web", *ALL)
    fetch(place, store)
    store.installations.repository_seen(Repository(id=42, owner="acme", name="app"), now=START)

    def team_of(login: str) -> str | None:
        with store.database.read() as connection:
            return teams_of(connection, [42], None).of(login)

    assert (team_of("ann"), team_of("bob")) == ("Web", "Web")
    store.teams.replace("acme", TeamSource.CSV, [TeamMember("ann", "core")])
    assert (team_of("ann"), team_of("bob")) == ("core", None)
    store.teams.replace("acme", TeamSource.CSV, ())
    assert team_of("ann") == "Web"


# --- CODEOWNERS -----------------------------------------------------------------------------------


def merged(place: Place, store: Store, number: int, author: str | None, **lines: int) -> None:
    """Store an audit of a pull request with these effective lines below each directory."""
    known = Repository(
        id=place.repository.id, owner="acme", name="app", installation_id=place.installation.id
    )
    store.installations.repository_seen(known, now=START)
    files = tuple(
        FileVerdict(f"{directory}/a.py", None, count, count, 0, None, ())
        for directory, count in lines.items()
    )
    at = START - timedelta(days=number)
    made = document(at, pull_request=number, files=files)
    store.audits.save(known.id, number, made, now=START, about=PullFacts(author=author))


OWNERS = "* @acme/core\n/web/ @acme/web\n/docs/ @ann\n"


def test_a_person_counts_for_the_team_whose_code_he_writes(place: Place, store: Store) -> None:
    place.sandbox.commit(place.repository, {".github/CODEOWNERS": OWNERS, "CODEOWNERS": "* @a/b"})
    merged(place, store, 1, "Ann", web=5, shop=3)
    merged(place, store, 2, "ann", shop=1)
    merged(place, store, 3, "bob", web=5, shop=9)
    merged(place, store, 4, "cid", docs=9)
    merged(place, store, 5, "dependabot[bot]", web=9)
    merged(place, store, 6, None, web=9)
    merged(place, store, 91, "dan", web=9)
    assert fetch(place, store).source is TeamSource.CODEOWNERS
    assert said(store, TeamSource.CODEOWNERS) == {"ann": "web", "bob": "core"}
    place.sandbox.commit(place.repository, {".github/CODEOWNERS": "* @acme/all"})
    fetch(place, store)
    assert said(store, TeamSource.CODEOWNERS) == dict.fromkeys(("ann", "bob", "cid"), "all")


@pytest.mark.parametrize("path", ["CODEOWNERS", "docs/CODEOWNERS"])
def test_it_is_looked_for_where_github_does(place: Place, sqlite_store: Store, path: str) -> None:
    merged(place, sqlite_store, 1, "ann", web=5)
    assert fetch(place, sqlite_store).people == 0
    place.sandbox.commit(place.repository, {path: OWNERS})
    assert fetch(place, sqlite_store).people == 1


def test_without_the_permission_codeowners_still_work(place: Place, sqlite_store: Store) -> None:
    place.sandbox.commit(place.repository, {"CODEOWNERS": OWNERS})
    merged(place, sqlite_store, 1, "ann", web=5)
    del place.installation.permissions["members"]
    told = str(fetch(place, sqlite_store))
    assert told.startswith("1 people in 1 teams, from codeowners; ")
    assert "permission members=read is missing" in told


def test_they_are_not_asked_for_where_another_source_holds(
    place: Place, sqlite_store: Store
) -> None:
    place.sandbox.commit(place.repository, {"CODEOWNERS": OWNERS})
    merged(place, sqlite_store, 1, "ann", web=5)
    fetch(place, sqlite_store)
    place.sandbox.set_team("acme", "Web", *ALL)
    before = len(place.sent("GET", "/contents/{path}"))
    fetch(place, sqlite_store)
    assert said(sqlite_store, TeamSource.CODEOWNERS) == {}
    place.sandbox.world.teams.clear()
    sqlite_store.teams.replace("acme", TeamSource.CSV, [TeamMember("ann", "core")])
    fetch(place, sqlite_store)
    assert len(place.sent("GET", "/contents/{path}")) == before


def test_a_repository_that_is_gone_is_passed_over(place: Place, sqlite_store: Store) -> None:
    merged(place, sqlite_store, 1, "ann", web=5)
    place.repository.deleted = True
    assert fetch(place, sqlite_store).people == 0
