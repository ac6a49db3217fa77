"""Periods of days that people ask for by name, and the one before each. It counts nothing."""

import re
from datetime import date, timedelta

from ghapp.attribution.model import Struct
from ghapp.summaries.selection import EARLIEST, LATEST, TimeGrain, year_before

ONE_DAY = timedelta(days=1)
_QUARTER = re.compile(r"(20\d\d)-Q([1-4])")


class DayPeriod(Struct, frozen=True):
    """Some days (UTC), both ends included."""

    since: date
    until: date

    @property
    def days(self) -> int:
        """How many they are."""
        return (self.until - self.since).days + 1


def presets(today: date) -> tuple[tuple[str, DayPeriod], ...]:
    """Return the periods that pages offer, each with its name; none ends after today.

    >>> dict(presets(date(2026, 5, 20)))["Last quarter"]
    DayPeriod(since=datetime.date(2026, 1, 1), until=datetime.date(2026, 3, 31))
    """
    quarter, month = _quarter_start(today), today.replace(day=1)
    return (
        ("This week", DayPeriod(TimeGrain.WEEK.start(today), today)),
        ("Last 30 days", DayPeriod(today - timedelta(days=29), today)),
        ("Last month", DayPeriod(months_before(month, 1), month - ONE_DAY)),
        ("This quarter", DayPeriod(quarter, today)),
        ("Last quarter", quarter_before(today)),
        ("12 months", DayPeriod(year_before(today), today)),
    )


def period_before(period: DayPeriod) -> DayPeriod | None:
    """Return the period that one is compared with; ``None``: it cannot be selected.

    Days from the first of a quarter have the whole quarter before them, but a month the month
    before; other whole months have as many before them. Days from a Monday have the whole week
    before, and any other days as many days.

    >>> period_before(DayPeriod(date(2026, 4, 1), date(2026, 5, 20)))
    DayPeriod(since=datetime.date(2026, 1, 1), until=datetime.date(2026, 3, 31))
    >>> period_before(DayPeriod(date(2026, 5, 19), date(2026, 5, 20)))
    DayPeriod(since=datetime.date(2026, 5, 17), until=datetime.date(2026, 5, 18))
    """
    since, until = period.since, period.until
    last = since - ONE_DAY
    whole = since.day == 1 == (until + ONE_DAY).day
    months = 12 * (until.year - since.year) + until.month - since.month + 1
    if since == _quarter_start(until) and not (whole and months == 1):
        first = months_before(since, 3)
    elif whole:
        first = months_before(since, months)
    elif since == TimeGrain.WEEK.start(until):
        first = since - timedelta(days=7)
    else:
        days = since.toordinal() - (until - since).days - 1
        first = date.fromordinal(max(days, 1))
    return DayPeriod(first, last) if first >= EARLIEST else None


def quarter_before(today: date) -> DayPeriod:
    """Return the last quarter that is over."""
    start = _quarter_start(today)
    return DayPeriod(months_before(start, 3), start - ONE_DAY)


def quarter_name(day: date) -> str:
    """Return the quarter that contains a day: ``2026-Q3``."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


def quarter_of(name: str) -> DayPeriod:
    """Return the days of a quarter; raises `ValueError`, with a sentence for a person.

    >>> quarter_of("2026-Q3")
    DayPeriod(since=datetime.date(2026, 7, 1), until=datetime.date(2026, 9, 30))
    """
    match = _QUARTER.fullmatch(name)
    if match is None:
        raise ValueError(f"quarter is {name!r}; give one from 2000 to {LATEST.year}: 2026-Q3")
    first = date(int(match[1]), 3 * int(match[2]) - 2, 1)
    return DayPeriod(first, months_before(first, -3) - ONE_DAY)


def _quarter_start(day: date) -> date:
    return day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)


def months_before(first: date, months: int) -> date:
    """Return the first day of the month that is so many months earlier."""
    number = 12 * first.year + first.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)
