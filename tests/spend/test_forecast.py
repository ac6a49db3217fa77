"""A month's forecast: from the same weekdays of whole weeks."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ghapp.spend.closed_months import next_month
from ghapp.spend.forecast import LEAST_WEEKS, MonthForecast, forecast

MONTH = date(2026, 11, 1)
START = date(2026, 9, 7)
"""A Monday, eight weeks before the first Monday of the month."""

amounts = st.dictionaries(st.dates(START, date(2026, 11, 30)), st.integers(0, 10**9), max_size=60)
through = st.dates(date(2026, 10, 31), date(2026, 11, 30))


def every_day(amount: int, *, weekend: int | None = None) -> dict[date, int]:
    days = [START + timedelta(days=n) for n in range(85)]
    return {day: amount if day.weekday() < 5 or weekend is None else weekend for day in days}


def asked(told: dict[date, int], last: date, known_from: date = START) -> MonthForecast | None:
    until = {day: amount for day, amount in told.items() if day <= last}
    return forecast(until, MONTH, known_from=known_from, through=last)


@given(through)
def test_days_that_cost_the_same_are_foretold_exactly(last: date) -> None:
    found = asked(every_day(7, weekend=0), last)
    assert found
    assert found.amount == found.at_least == found.at_most == 21 * 7


@given(amounts, through)
def test_a_forecast_lies_in_its_interval_and_above_what_is_spent(
    told: dict[date, int], last: date
) -> None:
    found = asked(told, last)
    spent = sum(amount for day, amount in told.items() if MONTH <= day <= last)
    assert found
    assert spent <= found.at_least <= found.amount <= found.at_most
    if last == date(2026, 11, 30):
        assert found.at_least == found.at_most == spent


@given(amounts, through, st.integers(1, 9))
def test_it_is_what_the_same_weekdays_cost(told: dict[date, int], last: date, factor: int) -> None:
    one, more = asked(told, last), asked({k: n * factor for k, n in told.items()}, last)
    assert one
    assert more
    assert abs(more.amount - one.amount * factor) <= factor
    assert more.at_most == one.at_most * factor


def test_a_weekday_is_worth_its_own_weeks() -> None:
    # Through Friday the 27th: a Saturday, a Sunday and a Monday are left.
    told = every_day(0) | {date(2026, 11, 23): 80, date(2026, 11, 14): 8}
    found = asked(told, date(2026, 11, 27))
    assert found == MonthForecast(amount=88 + 11, at_least=88, at_most=88 + 80, weeks=8)


def test_too_few_days_foretell_nothing() -> None:
    last = date(2026, 11, 15)
    known_from = last - timedelta(days=7 * LEAST_WEEKS - 1)
    assert asked(every_day(1), last, known_from) is not None
    assert asked(every_day(1), last, known_from + timedelta(days=1)) is None


def test_a_month_that_has_not_begun_is_foretold_whole() -> None:
    found = asked(every_day(1), date(2026, 10, 31))
    assert found
    assert found.amount == (next_month(MONTH) - MONTH).days
