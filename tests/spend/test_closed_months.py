"""A closed month keeps its prices."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ghapp.spend.closed_months import (
    ClosedMonth,
    PriceVersions,
    closed,
    closes_on,
    month_of,
    next_month,
    repriced,
    versions_for,
)

OLD, NEW, NEWEST = PriceVersions("1"), PriceVersions("2", "card"), PriceVersions("3")
MAY = date(2026, 5, 1)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_month_closes_thirty_days_after_its_last_day(day: date) -> None:
    month = month_of(day)
    last = closes_on(day) - timedelta(days=30)
    assert month_of(last) == month
    assert last + timedelta(days=1) == next_month(month)
    assert closed(day, OLD, closes_on(day) - timedelta(days=1)) is None
    one = closed(day, OLD, closes_on(day))
    assert one == ClosedMonth(month=month, versions=OLD, closed_on=closes_on(day))


def test_a_closed_month_keeps_its_prices_and_others_have_the_current_ones() -> None:
    months = {MAY: ClosedMonth(month=MAY, versions=OLD, closed_on=date(2026, 6, 30))}
    assert versions_for(date(2026, 5, 31), months, NEW) == OLD
    assert versions_for(date(2026, 6, 1), months, NEW) == NEW


def test_a_month_that_was_priced_again_says_so() -> None:
    one = ClosedMonth(month=MAY, versions=OLD, closed_on=date(2026, 6, 30))
    two = repriced(one, NEW, date(2026, 7, 4))
    assert not one.is_repriced
    assert two.is_repriced
    assert (two.before, two.repriced_on) == (OLD, date(2026, 7, 4))
    assert versions_for(MAY, {MAY: two}, NEWEST) == NEW
    assert repriced(two, NEWEST, date(2026, 7, 5)).before == OLD
    assert repriced(two, OLD, date(2026, 7, 5)) == one
