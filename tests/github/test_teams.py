"""An organization's teams: which are left out, and what goes wrong while they are read."""

from urllib.parse import quote

import pytest

from ghapp.github.answers import PermissionRefused, TemporaryFailure
from ghapp.github.teams import visible_teams
from tests.github.place import Place


@pytest.fixture
def staffed(place: Place) -> Place:
    """Give a place whose installation may read members, and two teams."""
    place.installation.permissions["members"] = "read"
    place.sandbox.set_team("acme", "Web Pages", "ann", "bob")
    place.sandbox.set_team("acme", "Core", "cid")
    return place


def teams(place: Place, organization: str = "acme") -> dict[str, tuple[str, ...]]:
    return visible_teams(place.auth, place.installation.id, organization)


def test_each_team_has_its_people(staffed: Place) -> None:
    assert teams(staffed) == {"Web Pages": ("ann", "bob"), "Core": ("cid",)}


def test_a_secret_team_is_left_out_and_its_people_are_not_asked_for(staffed: Place) -> None:
    staffed.sandbox.set_team("acme", "The merger", "dan", privacy="secret")
    assert set(teams(staffed)) == {"Web Pages", "Core"}
    asked = {one.params["team_slug"] for one in staffed.sent("GET", "/members")}
    assert asked == {"web-pages", "core"}


def test_all_pages_of_a_team_are_read(staffed: Place) -> None:
    people = tuple(f"dev{number}" for number in range(101))
    staffed.sandbox.set_team("acme", "Core", *people)
    assert teams(staffed)["Core"] == people


def test_an_account_without_teams_has_none(staffed: Place) -> None:
    staffed.installation.account.kind = "User"
    assert teams(staffed) == {}


def test_a_strange_name_does_not_leave_its_place_in_the_address(staffed: Place) -> None:
    name = "../../user?x=#"
    assert teams(staffed, name) == {}
    assert staffed.sandbox.exchanges[-1].path.endswith(f"/orgs/{quote(name, safe='')}/teams")


def test_without_the_permission_it_is_named(staffed: Place) -> None:
    del staffed.installation.permissions["members"]
    with pytest.raises(PermissionRefused) as refused:
        teams(staffed)
    assert refused.value.permission == "members=read"


def test_a_team_that_goes_meanwhile_is_for_later(staffed: Place) -> None:
    staffed.play("not_found", "*/members", after=1)
    with pytest.raises(TemporaryFailure, match="renamed or deleted"):
        teams(staffed)
