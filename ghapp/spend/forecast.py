"""What this month will cost, from the days before, with an interval. Nothing is drawn by chance."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

from ghapp.attribution.model import Struct
from ghapp.spend.closed_months import month_of, next_month
from ghapp.spend.money import divided

WEEKS = 8
LEAST_WEEKS = 4
"""Fewer whole weeks say too little."""
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)


class MonthForecast(Struct, frozen=True):
    """A month's cost when it is over, in micro-dollars."""

    amount: int
    at_least: int
    at_most: int
    weeks: int
    """Whole weeks that it is made from."""


def forecast(
    amounts: Mapping[date, int], month: date, *, known_from: date, through: date
) -> MonthForecast | None:
    """Return the forecast of a month; ``None``: fewer than `LEAST_WEEKS` whole weeks are known.

    The days that are left cost what the same weekdays cost in each of the last eight whole weeks:
    the forecast is the mean of these weeks, the interval goes from the cheapest to the dearest.
    ``amounts``: micro-dollars by day, nothing for a day without usage, from ``known_from`` to
    ``through``, both included.
    """
    first, end = month_of(month), next_month(month_of(month))
    spent = sum(amount for day, amount in amounts.items() if first <= day <= min(through, end))
    left = Counter(day.weekday() for day in _days(max(first, through + _DAY), end))
    ends = [through - n * _WEEK for n in range(WEEKS)]
    weeks = [
        list(_days(day - _WEEK + _DAY, day + _DAY))
        for day in ends
        if day - known_from >= _WEEK - _DAY
    ]
    if len(weeks) < LEAST_WEEKS:
        return None
    rests = [sum(amounts.get(day, 0) * left[day.weekday()] for day in days) for days in weeks]
    return MonthForecast(
        amount=spent + divided(sum(rests), len(rests)),
        at_least=spent + min(rests),
        at_most=spent + max(rests),
        weeks=len(rests),
    )


def _days(first: date, end: date) -> list[date]:
    """Return the days from the first up to, and without, the end."""
    return [first + n * _DAY for n in range((end - first).days)]
