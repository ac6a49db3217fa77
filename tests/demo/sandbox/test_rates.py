"""GitHub's limits: the budget of an hour, and what may be written in a minute."""

from datetime import timedelta

import pytest

from ghapp.demo.sandbox.call import ErrorAnswer
from ghapp.demo.sandbox.limits import HubLimits
from ghapp.demo.sandbox.rates import RateCounter, rate_headers
from ghapp.demo.sandbox.state import World
from tests.demo.sandbox.parts import new_world


def pass_by(world: World, **span: float) -> None:
    world.clock.now += timedelta(**span)  # type: ignore[attr-defined]


@pytest.fixture
def world() -> World:
    return new_world(HubLimits(requests_an_hour=3, content_writes_a_minute=2))


def test_a_budget_is_one_callers_and_lasts_an_hour(world: World) -> None:
    rates = RateCounter(world)
    for _ in range(3):
        rates.count("installation:7")
    with pytest.raises(ErrorAnswer, match="exceeded for installation ID 7") as refused:
        rates.count("installation:7")
    assert refused.value.status == 403
    rates.count("installation:8")
    pass_by(world, minutes=59, seconds=59)
    assert rates.state("installation:7")["remaining"] == 0
    pass_by(world, seconds=1)
    assert rates.state("installation:7")["remaining"] == 3


def test_the_hour_begins_with_the_first_request(world: World) -> None:
    rates, begin = RateCounter(world), int(world.now().timestamp())
    rates.count("app:1")
    pass_by(world, minutes=30)
    assert rates.state("app:1") == {"limit": 3, "remaining": 2, "used": 1, "reset": begin + 3600}


def test_a_test_can_use_it_up(world: World) -> None:
    rates = RateCounter(world)
    rates.spend("app:1", 100)
    state = rates.state("app:1")
    assert (state["used"], state["remaining"]) == (3, 0)


def test_what_may_be_written_in_a_minute_and_how_long_to_wait(world: World) -> None:
    rates = RateCounter(world)
    rates.count_write("installation:7")
    pass_by(world, seconds=20)
    rates.count_write("installation:7")
    with pytest.raises(ErrorAnswer, match="secondary rate limit") as refused:
        rates.count_write("installation:7")
    assert (refused.value.status, refused.value.headers) == (403, {"Retry-After": "40"})
    rates.count_write("installation:8")
    pass_by(world, seconds=40)
    rates.count_write("installation:7")


def test_what_may_be_written_in_an_hour() -> None:
    world = new_world(HubLimits(content_writes_a_minute=2, content_writes_an_hour=3))
    rates = RateCounter(world)
    for _ in range(3):
        rates.count_write("installation:7")
        pass_by(world, minutes=1)
    with pytest.raises(ErrorAnswer, match="secondary rate limit") as refused:
        rates.count_write("installation:7")
    assert refused.value.headers == {"Retry-After": "3420"}


def test_without_a_limit_writes_are_not_counted() -> None:
    rates = RateCounter(new_world())
    for _ in range(200):
        rates.count_write("installation:7")


def test_the_headers_are_githubs() -> None:
    state = {"limit": 3, "remaining": 2, "used": 1, "reset": 9}
    assert rate_headers(state) == {
        "X-RateLimit-Limit": "3",
        "X-RateLimit-Remaining": "2",
        "X-RateLimit-Used": "1",
        "X-RateLimit-Reset": "9",
        "X-RateLimit-Resource": "core",
    }
