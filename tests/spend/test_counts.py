"""Nobody's own money is shown, nor what tells it: laws over random people and periods."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ghapp.spend.cost import TokenCost
from ghapp.spend.counts import (
    NO_COST_CENTER,
    PersonCost,
    ShippedCost,
    charged_back,
    divided,
    periods,
)
from ghapp.usage.counts import OTHERS

DAY = date(2026, 5, 1)
costs = st.builds(
    lambda amount: TokenCost(amount=amount, priced_tokens=amount), st.integers(0, 1_000_000)
)
people = st.dictionaries(
    st.integers(1, 12), st.builds(PersonCost, matched=costs, unmatched=costs), max_size=12
)


def is_of_many(found: dict[int, PersonCost], name: str) -> bool:
    """Return whether a part of costs is nobody's, or may be shown, in the plainest way."""
    parts = [getattr(one, name) for one in found.values()]
    amounts = [one.amount for one in parts if one != TokenCost()]
    return not amounts or (len(amounts) >= 5 and max(amounts) * 100 <= 80 * sum(amounts))


@given(people)
def test_what_is_shown_and_what_follows_from_it_is_of_many(found: dict[int, PersonCost]) -> None:
    told = divided(found)
    assert told.people == len(found)
    if told.cost is not None:
        assert is_of_many(found, "whole")
    if told.unallocated is not None:
        assert told.cost is not None
        assert is_of_many(found, "unmatched")
        assert is_of_many(found, "matched"), "the rest is told by the total"


@given(st.lists(people, min_size=1, max_size=5))
def test_a_hidden_period_is_not_told_by_the_rest(found: list[dict[int, PersonCost]]) -> None:
    days = [DAY + timedelta(days=number) for number in range(len(found))]
    points = periods(dict(zip(days, found, strict=True)), days)
    assert [point.start for point in points] == days
    hidden = [
        one
        for one, point in zip(found, points, strict=True)
        if point.spent.cost is None and any(cost.whole != TokenCost() for cost in one.values())
    ]
    together: dict[int, PersonCost] = {}
    for one in hidden:
        for person, cost in one.items():
            together[person] = together.get(person, PersonCost()) + cost
    is_anything_shown = any(point.spent.cost and point.spent.people for point in points)
    if hidden and is_anything_shown:
        assert divided(together).cost is not None


@given(
    st.lists(people, min_size=1, max_size=4),
    st.dictionaries(st.integers(1, 12), st.sampled_from(["a", "b", "c"])),
)
def test_a_month_is_charged_back_whole_and_nobody_s_own_money_with_it(
    found: list[dict[int, PersonCost]], centers: dict[int, str]
) -> None:
    months = {DAY.replace(month=number): one for number, one in enumerate(found, 1)}
    rows = charged_back(months, dict.fromkeys(months, centers))
    told = {point.start: point.spent for point in periods(months, sorted(months))}
    for month, whole in months.items():
        own = [row for row in rows if row.month == month]
        spending = {who: one.whole for who, one in whole.items() if one.whole != TokenCost()}
        assert sum(row.people for row in own) == len(spending)
        amounts = [row.cost for row in own]
        if told[month].cost is None:
            assert amounts == [None] or not own
        elif None not in amounts:
            assert sum((one for one in amounts if one), TokenCost()) == told[month].cost
        for row in own:
            if row.cost is None or row.cost_center == OTHERS:
                continue
            theirs = {
                who: PersonCost(one)
                for who, one in spending.items()
                if centers.get(who, NO_COST_CENTER) == row.cost_center
            }
            assert is_of_many(theirs, "matched")
            assert row.cost == divided(theirs).cost


def test_nobody_knows_what_a_line_costs_of_no_known_amount() -> None:
    nothing = ShippedCost(
        pulls=3,
        costed=0,
        amount=None,
        attributed=None,
        looked_up=None,
        standing=None,
        amount_of_looked_up=None,
    )
    assert (nothing.by_pull, nothing.by_line, nothing.by_standing_line) == (None, None, None)
