"""From a request to its answer and its record, without a web server."""

import json
from datetime import timedelta

import pytest

from ghapp.demo.sandbox.dispatch import API_VERSIONS, WireAnswer
from ghapp.demo.sandbox.faults import Fault, FaultKind
from ghapp.demo.sandbox.state import UserToken, World
from tests.demo.sandbox.parts import Door, new_world


@pytest.fixture
def door() -> Door:
    return Door(new_world())


def person(world: World, login: str = "ada") -> dict[str, str]:
    """Return the header of a person's requests."""
    token = UserToken(f"ghu_{login}", world.account(login))
    world.user_tokens[token.value] = token
    return {"Authorization": f"Bearer {token.value}"}


def body(answer: WireAnswer) -> dict[str, str]:
    found: dict[str, str] = json.loads(answer.body)
    return found


def test_an_answer_is_recorded_as_it_was_sent(door: Door) -> None:
    answer = door.ask("GET", "/user", **person(door.world))
    assert (answer.status, body(answer)["login"]) == (200, "ada")
    (exchange,) = door.world.exchanges
    assert (exchange.template, exchange.status, exchange.body) == ("/user", 200, answer.body)
    assert exchange.headers.items() >= answer.headers.items()
    assert exchange.identity == f"user:{door.world.account('ada').id}"
    assert not exchange.wrote
    assert door.world.violations == []


def test_an_unknown_route_is_a_violation(door: Door) -> None:
    assert door.ask("GET", "/user/keys", **person(door.world)).status == 404
    assert [one.where for one in door.world.violations] == ["GET /user/keys"]
    assert [one.template for one in door.world.exchanges] == [None]


def test_who_does_not_say_who_asks_is_refused(door: Door) -> None:
    answer = door.ask("GET", "/user", User_Agent="", **person(door.world))
    assert answer.status == 403
    assert "User-Agent" in body(answer)["message"]


def test_an_api_version_that_is_none_is_refused(door: Door) -> None:
    login = person(door.world)
    for version in API_VERSIONS:
        assert door.ask("GET", "/user", X_GitHub_Api_Version=version, **login).status == 200
    assert door.ask("GET", "/user", X_GitHub_Api_Version="2020-01-01", **login).status == 400


def test_without_a_login_a_persons_route_says_so(door: Door) -> None:
    answer = door.ask("GET", "/user")
    assert (answer.status, body(answer)["message"]) == (401, "Requires authentication")


def test_every_answer_but_one_counts_against_the_budget(door: Door) -> None:
    login = person(door.world)
    left = [
        int(door.ask("GET", path, **login).headers["X-RateLimit-Remaining"])
        for path in ("/user", "/user", "/rate_limit", "/user")
    ]
    assert left[0] - left[1] == 1
    assert left[0] - left[3] == 2


def test_an_unchanged_answer_is_304_and_without_a_body(door: Door) -> None:
    login = person(door.world)
    first = door.ask("GET", "/user", **login)
    again = door.ask("GET", "/user", If_None_Match=first.headers["ETag"], **login)
    assert (again.status, again.body) == (304, b"")


def test_an_unknown_query_is_a_violation(door: Door) -> None:
    door.ask("GET", "/user", query="per_pgae=3", **person(door.world))
    assert [one.problem for one in door.world.violations] == ["unknown query parameter 'per_pgae'"]


def test_a_fault_strikes_before_the_route_and_is_recorded(door: Door) -> None:
    login = person(door.world)
    door.plan.add(Fault(FaultKind.SERVER_ERROR, route="/user", status=503))
    assert [door.ask("GET", "/user", **login).status for _ in range(2)] == [503, 200]
    assert [one.fault for one in door.world.exchanges] == ["server_error", None]


def test_an_answer_that_is_cut_off_is_recorded(door: Door) -> None:
    door.plan.add(Fault(FaultKind.CUT_OFF_AFTER, route="/user"))
    assert door.ask("GET", "/user", **person(door.world)).cut_off
    assert len(door.world.exchanges) == 1


def test_a_token_that_ended_is_refused(door: Door) -> None:
    login = person(door.world)
    token = next(iter(door.world.user_tokens.values()))
    token.expires_at = door.world.now() + timedelta(seconds=1)
    assert door.ask("GET", "/user", **login).status == 200
    door.world.clock.now += timedelta(seconds=1)  # type: ignore[attr-defined]
    assert body(door.ask("GET", "/user", **login))["message"] == "Bad credentials"
