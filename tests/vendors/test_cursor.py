"""Cursor: cents as numbers, events once, decisions of people, and no completions."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import DecisionDay, TokenDay
from ghapp.vendors.cursor import DAILY, EVENTS
from ghapp.vendors.refusals import RequestRefused, WrongAnswer
from tests.vendors.reading import asking_of, read
from tests.vendors.stand_in import Asked, Cursor, Reply, served

DAY = date(2026, 11, 28)
AT = 1_795_867_200_000
"""Noon of that day, in milliseconds."""


def event(**changed: Any) -> dict[str, Any]:
    """Return an event as documented, with some members changed."""
    return {
        "timestamp": str(AT),
        "userEmail": "ada@example.com",
        "model": "claude-sonnet-5",
        "kind": "Usage-based",
        "isChargeable": True,
        "tokenUsage": {
            "inputTokens": 126,
            "outputTokens": 450,
            "cacheWriteTokens": 6112,
            "cacheReadTokens": 11964,
            "totalCents": 2.31,
        },
        "chargedCents": 2.77,
    } | changed


def daily(**changed: Any) -> dict[str, Any]:
    return {"date": AT - 43_200_000, "email": "ada@example.com"} | changed


def told(
    events: list[Any], people: list[Any] | None = None, more: Mapping[str, Any] | None = None
) -> Any:
    def route(asked: Asked) -> Reply:
        if asked.path == DAILY:
            return Reply({"data": people or []})
        body = {"usageEvents": events, "totalUsageEventsCount": len(events)}
        return Reply({**body, "pagination": {"hasNextPage": False}, **(more or {})})

    with served(Cursor()) as stand_in:
        stand_in.route = route  # type: ignore[method-assign]
        return read(stand_in, "admin", DAY)


def test_an_event_is_tokens_and_money() -> None:
    found = told([event()])
    (person,) = found.people
    (row,) = person.rows
    assert isinstance(row, TokenDay)
    assert (row.tokens, row.answers) == (
        TokenCounts(input=126, output=450, cache_read=11964, cache_write_unsplit=6112),
        1,
    )
    (money,) = found.amounts
    assert (money.billed, money.list_price, money.product) == (27_700, 23_100, "Usage-based")


def test_cents_are_added_before_they_are_rounded() -> None:
    parts = [
        event(timestamp=str(AT + number), chargedCents=0.00004, tokenUsage={"totalCents": 0})
        for number in range(5)
    ]
    (money,) = told(parts).amounts
    assert (money.billed, money.list_price) == (2, 0)


def test_what_the_subscription_holds_bills_nothing() -> None:
    (money,) = told([event(isChargeable=False)]).amounts
    assert (money.billed, money.list_price) == (0, 23_100)


def test_what_is_not_told_is_unknown() -> None:
    (money,) = told([event(chargedCents=None, tokenUsage=None)]).amounts
    assert (money.billed, money.list_price) == (None, None)


def test_what_is_of_nobody_is_money_of_nobody() -> None:
    found = told([event(userEmail=None)])
    assert found.people == ()
    assert [one.identity for one in found.amounts] == [None]


def test_a_person_is_one_however_the_address_is_written() -> None:
    found = told([event(), event(userEmail="Ada@Example.com")], [daily(email="ADA@example.com")])
    assert [one.identity.value for one in found.people] == ["ada@example.com"]
    assert [one.billed for one in found.amounts] == [55_400]


def test_equal_events_are_one_and_days_beside_are_left_out() -> None:
    found = told([event(), event(), event(timestamp=AT + 1), event(timestamp=AT - 86_400_000)])
    (person,) = found.people
    assert len(person.rows) == 2


def test_people_decide_and_ask_and_do_not_complete() -> None:
    found = told(
        [],
        [
            daily(totalAccepts=73, totalRejects=14, totalTabsAccepted=289),
            daily(email="bob@example.com", agentRequests=1),
            daily(email="cleo@example.com", totalTabsAccepted=5),
            daily(email=None, totalAccepts=1),
        ],
    )
    rows = {person.identity.value: person.rows for person in found.people}
    assert [(one.decision, one.edits) for one in rows["ada@example.com"]] == [
        ("accepted", 73),
        ("refused", 14),
    ]
    (active,) = rows["bob@example.com"]
    assert isinstance(active, TokenDay)
    assert active.tokens == TokenCounts()
    assert set(rows) == {"ada@example.com", "bob@example.com"}
    assert all(
        one.decided_by is None for one in rows["ada@example.com"] if isinstance(one, DecisionDay)
    )


@pytest.mark.parametrize(
    ("events", "people", "named"),
    [
        ([event(timestamp="soon")], [], "timestamp"),
        ([event(timestamp="9" * 200)], [], "another day"),
        ([event(timestamp=-(2**63))], [], "another day"),
        ([event(chargedCents="NaN")], [], "cents"),
        ([event(chargedCents="sNaN")], [], "cents"),
        ([event(chargedCents=-1)], [], "cents"),
        ([event(chargedCents=1e300)], [], "cents"),
        ([event(tokenUsage={"outputTokens": -1})], [], "outputTokens"),
        ([event(tokenUsage={"outputTokens": 1.5})], [], "outputTokens"),
        ([], [daily(date=0)], "another day"),
        ([], [daily(totalAccepts="many")], "totalAccepts"),
    ],
)
def test_what_cannot_be_is_refused(events: list[Any], people: list[Any], named: str) -> None:
    with pytest.raises(WrongAnswer, match=named):
        told(events, people)


def test_fewer_events_than_announced_are_half_an_answer() -> None:
    with pytest.raises(WrongAnswer, match="2 events were announced and 1 came"):
        told([event()], more={"totalUsageEventsCount": 2})


def test_the_stand_in_refuses_long_spans() -> None:
    with served(Cursor()) as stand_in, asking_of(stand_in) as asking:
        body = {"startDate": 0, "endDate": 31 * 86_400_000, "page": 1, "pageSize": 10}
        with pytest.raises(RequestRefused, match="status 400"):
            asking.json("POST", EVENTS, dict, body=body)
