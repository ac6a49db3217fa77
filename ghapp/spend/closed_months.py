"""Which prices a day's usage has: a closed month keeps those that it was closed with."""

from collections.abc import Mapping
from datetime import date, timedelta

from ghapp.attribution.model import Struct

CLOSES_AFTER = timedelta(days=30)
"""From a month's last day until it closes. Claude Code keeps transcripts for 30 days by default, so
nothing more comes from machines; windows of pull requests are closed two days after a merge, and
vendors have revised their days long before."""


class PriceVersions(Struct, frozen=True):
    """Where prices are from."""

    prices: str
    """Version of the price table."""
    rate_card: str | None = None
    """Version of the rate card; ``None``: there is none."""

    @property
    def shown(self) -> str:
        """Both, as people read them."""
        return self.prices if self.rate_card is None else f"{self.prices}, {self.rate_card}"


class ClosedMonth(Struct, frozen=True):
    """A month whose prices no longer change by themselves. Late usage gets the same ones."""

    month: date
    """Its first day."""
    versions: PriceVersions
    closed_on: date
    before: PriceVersions | None = None
    """Prices that it was closed with, if somebody asked to price it again."""
    repriced_on: date | None = None

    @property
    def is_repriced(self) -> bool:
        """Whether its costs are not those that were reported when it was closed."""
        return self.before is not None


def month_of(day: date) -> date:
    """Return the first day of a day's month."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    return month_of(month + timedelta(days=31))


def closes_on(month: date) -> date:
    """Return the day on which a month closes.

    >>> closes_on(date(2026, 5, 1))
    datetime.date(2026, 6, 30)
    """
    return next_month(month_of(month)) - timedelta(days=1) + CLOSES_AFTER


def closed(month: date, versions: PriceVersions, today: date) -> ClosedMonth | None:
    """Return a month closed with the prices of today; ``None``: it is too early."""
    if today < closes_on(month):
        return None
    return ClosedMonth(month=month_of(month), versions=versions, closed_on=today)


def repriced(one: ClosedMonth, versions: PriceVersions, today: date) -> ClosedMonth:
    """Return a closed month with other prices, as somebody asked; the first ones stay named."""
    before = one.before or one.versions
    if versions == before:
        return ClosedMonth(month=one.month, versions=before, closed_on=one.closed_on)
    return ClosedMonth(
        month=one.month,
        versions=versions,
        closed_on=one.closed_on,
        before=before,
        repriced_on=today,
    )


def versions_for(
    day: date, months: Mapping[date, ClosedMonth], current: PriceVersions
) -> PriceVersions:
    """Return the prices of a day: those of its month if that is closed, else the current ones."""
    found = months.get(month_of(day))
    return found.versions if found else current
