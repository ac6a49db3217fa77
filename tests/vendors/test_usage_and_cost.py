"""Usage & Cost: fractional cents to the micro-dollar, every kind of actor, days that are whole."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import TokenDay
from ghapp.usage.sources import IdentityKind
from ghapp.vendors.refusals import NotThereYet, RequestRefused, WrongAnswer
from ghapp.vendors.usage_and_cost import COST
from tests.vendors.published import anthropic_problems
from tests.vendors.reading import asking_of, read
from tests.vendors.stand_in import Asked, Enterprise, Reply, served

SAMPLE = {
    "amount": "88.4125",
    "list_amount": "98.2361",
    "currency": "USD",
    "requests": 214,
}
DAY = date(2026, 11, 28)


@pytest.fixture
def told() -> Iterator[Enterprise]:
    with served(Enterprise()) as found:
        yield found


def answering(told: Enterprise, rows: list[dict[str, Any]], **more: Any) -> None:
    """Let the costs be these rows, and no tokens be told."""

    def route(asked: Asked) -> Reply:
        assert asked.headers["anthropic-beta"]
        return Reply({"data": rows if asked.path == COST else [], "has_more": False, **more})

    told.route = route  # type: ignore[method-assign]


def cost(told: Enterprise, actor: Any = None, **changed: Any) -> dict[str, Any]:
    item = told._item(DAY, "ada", "claude_code", cost=SAMPLE | changed)
    item["group"]["actor"] = actor
    return item


def test_the_stand_in_answers_as_published(told: Enterprise) -> None:
    told.say(DAY, ada=5, nobody=3, key1=2)
    told.page_size = 10
    seen: dict[str, list[Any]] = {"cost": [], "usage": []}
    whole = told.route

    def kept(asked: Asked) -> Reply:
        reply = whole(asked)
        seen[asked.path.rpartition("/")[2]] += reply.body["data"]
        return reply

    told.route = kept  # type: ignore[method-assign]
    read(told, "usage_and_cost", DAY)
    for name, rows in seen.items():
        assert len(rows) >= 3
        assert anthropic_problems(name, json.loads(json.dumps(rows))) == []
    assert anthropic_problems("cost", [{"cost": {}}]) != []


def test_cents_become_micro_dollars(told: Enterprise) -> None:
    answering(told, [cost(told)])
    (one,) = read(told, "usage_and_cost", DAY).amounts
    assert (one.billed, one.list_price, one.currency) == (884_125, 982_361, "USD")
    assert (one.agent, one.product, one.model) == ("claude-code", "claude_code", "claude-sonnet-5")


def test_less_than_a_micro_dollar_is_rounded_and_another_currency_is_named(
    told: Enterprise,
) -> None:
    answering(told, [cost(told, amount="0.00016", list_amount="1e2", currency="EUR")])
    (one,) = read(told, "usage_and_cost", DAY).amounts
    assert (one.billed, one.list_price, one.currency) == (2, 1_000_000, "EUR")


@pytest.mark.parametrize(
    "amount", ["NaN", "sNaN", "Infinity", "-1", "1e30", "1e999999", "cents", None, []]
)
def test_what_is_no_amount_of_money_is_refused(told: Enterprise, amount: Any) -> None:
    answering(told, [cost(told, amount=amount)])
    with pytest.raises(WrongAnswer, match="amount"):
        read(told, "usage_and_cost", DAY)


@pytest.mark.parametrize(
    ("actor", "kind", "value"),
    [
        ({"type": "user_actor", "user_id": "user_1", "email_address": "a@b.c"}, "email", "a@b.c"),
        ({"type": "user_actor", "user_id": "u1", "email_address": None}, "account_uuid", "u1"),
        ({"type": "api_actor", "api_key_id": "apikey_1"}, "api_key", "apikey_1"),
        ({"type": "service_account_actor", "service_account_id": "svac_1"}, "api_key", "svac_1"),
        ({"type": "federated_actor", "provider": {}, "subject": "arn"}, "api_key", "arn"),
    ],
)  # fmt: skip
def test_who_it_is_of(told: Enterprise, actor: Any, kind: str, value: str) -> None:
    answering(told, [cost(told, actor)])
    (one,) = read(told, "usage_and_cost", DAY).amounts
    assert one.identity is not None
    assert (one.identity.kind, one.identity.value) == (IdentityKind(kind), value)


def test_several_that_cannot_be_shown_are_each_counted(told: Enterprise) -> None:
    first, second = cost(told), cost(told, amount="1")
    subjectless = cost(told, {"type": "federated_actor", "provider": {}, "subject": None})
    answering(told, [first, second, subjectless, first])
    found = read(told, "usage_and_cost", DAY).amounts
    assert [one.billed for one in found] == [884_125, 10_000, 884_125]
    assert [one.identity for one in found] == [None, None, None]


def test_tokens_are_those_of_claude_code_and_split_by_cache(told: Enterprise) -> None:
    told.say(DAY, ada=5, nobody=3)
    (one,) = read(told, "usage_and_cost", DAY).people
    (row,) = one.rows
    assert isinstance(row, TokenDay)
    assert row.tokens == TokenCounts(
        input=10, output=5, cache_read=1000, cache_write_5m=40, cache_write_1h=10
    )
    assert (row.answers, row.model, row.agent) == (3, "claude-sonnet-5", "claude-code")


def test_a_day_that_was_refreshed_too_early_is_not_there(told: Enterprise) -> None:
    answering(told, [cost(told)], data_refreshed_at="2026-11-28T23:59:59Z")
    with pytest.raises(NotThereYet, match="not whole"):
        read(told, "usage_and_cost", DAY)


def test_a_time_without_a_zone_is_refused(told: Enterprise) -> None:
    answering(told, [cost(told)], data_refreshed_at="2026-11-29T03:10:00")
    with pytest.raises(WrongAnswer, match="data_refreshed_at"):
        read(told, "usage_and_cost", DAY)


def test_a_row_of_another_day_is_refused(told: Enterprise) -> None:
    answering(told, [cost(told) | {"starting_at": "1970-01-01T00:00:00Z"}])
    with pytest.raises(WrongAnswer, match="another day"):
        read(told, "usage_and_cost", DAY)


def test_there_is_more_but_no_next_page(told: Enterprise) -> None:
    answering(told, [cost(told)], has_more=True, next_page=None)
    with pytest.raises(WrongAnswer, match="no next page"):
        read(told, "usage_and_cost", DAY)


def test_the_stand_in_refuses_a_wrong_beta_header_and_long_spans(told: Enterprise) -> None:
    query = {
        "starting_at": "2026-10-01T00:00:00Z",
        "ending_at": "2026-10-02T00:00:00Z",
        "time_bucket_width": "1d",
        "group_by[]": ("actor", "model", "product"),
        "limit": 1,
    }
    beta = {"anthropic-beta": "analytics-usage-cost-2026-08-24"}
    with asking_of(told) as asking:
        assert asking.json("GET", COST, dict, query=query, headers=beta)
        for wrong, headers in (
            ({}, {}),
            ({}, {"anthropic-beta": "another"}),
            ({"ending_at": "2026-11-30T00:00:00Z"}, beta),
            ({"starting_at": "2025-12-31T00:00:00Z", "ending_at": "2026-01-01T00:00:00Z"}, beta),
            ({"limit": 1001}, beta),
        ):
            with pytest.raises(RequestRefused, match="status 400"):
                asking.json("GET", COST, dict, query={**query, **wrong}, headers=headers)
