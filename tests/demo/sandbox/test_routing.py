"""Which route a request has, and lists page by page."""

import pytest

from ghapp.demo.sandbox.routes import ALL
from ghapp.demo.sandbox.routing import Router, listed, paged
from ghapp.demo.sandbox.state import World
from tests.demo.sandbox.parts import call, new_world, route

REPO = "/repos/{owner}/{repo}"


def found(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    known = Router(ALL).find(method, path)
    return None if known is None else (known[0].template, known[1])


@pytest.mark.parametrize(
    ("path", "template", "params"),
    [
        ("/repos/acme/app/pulls/7", f"{REPO}/pulls/{{pull_number}}", {"pull_number": "7"}),
        ("/repos/acme/app/commits/a/b", f"{REPO}/commits/{{ref}}", {"ref": "a/b"}),
        ("/repos/acme/app/commits/a/b/check-runs", f"{REPO}/commits/{{ref}}/check-runs", {}),
        (
            "/repos/acme/app/contents/d%2Fe/%23.py",
            f"{REPO}/contents/{{path}}",
            {"path": "d/e/#.py"},
        ),
        (
            "/repos/acme/app/compare/a...b/c",
            f"{REPO}/compare/{{basehead}}",
            {"basehead": "a...b/c"},
        ),
        ("/repos/acme/app/labels/a%20b%2Fc", f"{REPO}/labels/{{name}}", {"name": "a b/c"}),
        ("/repositories/700001/pulls/7", f"{REPO}/pulls/{{pull_number}}", {"pull_number": "7"}),
        ("/repositories/700001", REPO, {"repository_id": "700001"}),
    ],
)
def test_the_route_of_a_path(path: str, template: str, params: dict[str, str]) -> None:
    known = found("GET", path)
    assert known is not None
    assert known[0] == template
    assert known[1].items() >= params.items()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/repos/acme/app/pulls/7"),
        ("GET", "/repos/acme/app/pulls/7/"),
        ("GET", "/repos/acme"),
        ("GET", "/Repos/acme/app"),
        ("GET", "/repos/acme/app/labels/a/b"),
        ("GET", "/outside/repos/acme/app"),
    ],
)
def test_other_paths_have_none(method: str, path: str) -> None:
    assert found(method, path) is None


# --- pages ----------------------------------------------------------------------------------------


@pytest.fixture
def world() -> World:
    return new_world()


def test_a_page_and_the_way_to_the_others(world: World) -> None:
    request = call(world, query={"per_page": "2", "page": "2", "state": "all"})
    page, headers = paged(request, list(range(5)))
    assert page == [2, 3]
    start = "http://127.0.0.1:1/api/v3/things?per_page=2&state=all&page="
    assert headers["Link"] == ", ".join(
        f'<{start}{number}>; rel="{rel}"'
        for rel, number in (("prev", 1), ("next", 3), ("last", 3), ("first", 1))
    )


def test_what_fits_on_a_page_has_no_links(world: World) -> None:
    assert paged(call(world), list(range(30))) == (list(range(30)), {})
    assert paged(call(world), []) == ([], {})


@pytest.mark.parametrize("query", [{"page": "9"}, {"page": "9", "per_page": "1"}])
def test_a_page_behind_the_last_is_empty(world: World, query: dict[str, str]) -> None:
    page, headers = paged(call(world, query=query), list(range(5)))
    assert page == []
    assert 'rel="next"' not in headers["Link"]


@pytest.mark.parametrize("value", ["0", "-1", "x", ""])
def test_a_size_that_is_none_is_the_usual_one(world: World, value: str) -> None:
    page, _ = paged(call(world, query={"per_page": value}), list(range(40)))
    assert len(page) == 30


def test_more_than_a_hundred_is_a_violation(world: World) -> None:
    page, _ = paged(call(world, query={"per_page": "101"}), list(range(200)))
    assert len(page) == 100
    assert [one.problem for one in world.violations] == ["per_page=101 is above 100"]


def test_a_list_may_be_in_an_object_with_its_count(world: World) -> None:
    request = call(world, query={"per_page": "2"}, of=route())
    plain = listed(request, [1, 2, 3], lambda one: {"id": one})
    assert plain.body == [{"id": 1}, {"id": 2}]
    named = listed(request, [1, 2, 3], lambda one: {"id": one}, "things")
    assert named.body == {"total_count": 3, "things": plain.body}
