"""One request inside the stand-in: its body, what it accepts, and who acts."""

from datetime import timedelta

import pytest

from ghapp.demo.sandbox.call import ErrorAnswer, HubRoute, existing
from ghapp.demo.sandbox.state import World
from tests.demo.sandbox.parts import call, new_world, route


@pytest.fixture
def world() -> World:
    return new_world()


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"\xff", 400), (b"[]", 422), (b'"text"', 422)]
)
def test_a_body_that_is_no_object_is_refused(world: World, body: bytes, status: int) -> None:
    with pytest.raises(ErrorAnswer) as refused:
        call(world, body=body).json()
    assert refused.value.status == status


def test_without_a_body_there_are_no_members(world: World) -> None:
    assert call(world).json() == {}


def test_members_that_the_route_does_not_know_are_violations_once(world: World) -> None:
    request = call(world, body=b'{"a": 1, "c": 2, "b": 3}', of=route("POST", members="a"))
    for _ in range(2):
        assert request.json() == {"a": 1, "b": 3, "c": 2}
    assert [(one.where, one.problem) for one in world.violations] == [
        ("POST /things", "unknown member 'b' in the request body"),
        ("POST /things", "unknown member 'c' in the request body"),
    ]


@pytest.mark.parametrize(
    ("accept", "word", "wanted"),
    [
        ("application/vnd.github.diff", "diff", True),
        ("application/vnd.github.v3.diff", "diff", True),
        ("application/vnd.github.raw+json", "raw", True),
        ("application/json, application/vnd.github.raw", "raw", True),
        ("application/vnd.github+json", "raw", False),
        ("application/vnd.github.differ", "diff", False),
        ("", "diff", False),
    ],
)
def test_the_media_type_that_a_caller_wants(
    world: World, accept: str, word: str, *, wanted: bool
) -> None:
    assert call(world, headers={"Accept": accept}).accepts(word) is wanted


def test_the_api_version_is_the_callers_or_the_oldest(world: World) -> None:
    assert call(world).api_version() == "2022-11-28"
    newer = call(world, headers={"x-github-api-version": "2026-03-10"})
    assert newer.api_version() == "2026-03-10"


def test_a_number_of_the_path_is_one(world: World) -> None:
    request = call(world)
    request.params = {"pull_number": "7", "name": "seven"}
    assert request.number("pull_number") == 7
    with pytest.raises(ErrorAnswer, match="Not Found"):
        request.number("name")


def test_what_is_missing_is_not_found(world: World) -> None:
    assert existing(0) == 0
    with pytest.raises(ErrorAnswer) as missing:
        existing(None)
    assert missing.value.status == 404
    with pytest.raises(ErrorAnswer):
        _ = call(world).repo


def test_who_acts_is_the_person_or_else_the_apps_bot(world: World) -> None:
    request = call(world)
    with pytest.raises(ErrorAnswer, match="authenticate as an app"):
        _ = request.actor
    request.user = world.account("ada")
    assert request.actor.login == "ada"


def test_a_stale_replica_hides_only_what_is_newer(world: World) -> None:
    request, now = call(world), world.now()
    assert not request.hides(now)
    request.as_of = now
    assert request.hides(now + timedelta(seconds=1))
    assert not request.hides(now)
    assert not request.hides(None)


def test_one_of_several_permissions_is_enough() -> None:
    needs = ("pull_requests:read", "contents:write")
    needed = HubRoute("GET", "/x", route().handler, needs, "user", frozenset(), frozenset())
    assert needed.accepted_permissions == "pull_requests=read; contents=write"
