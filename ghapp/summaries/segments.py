"""By which facts about people numbers are told apart, and in which days. It reads nothing.

docs/adoption.md says what is told of each, and why only in whole months.
"""

from datetime import date
from enum import StrEnum

from ghapp.attribution.model import Struct
from ghapp.summaries.periods import ONE_DAY, DayPeriod
from ghapp.summaries.selection import TimeGrain


class SegmentKind(StrEnum):
    """What people have in common; each person has one of each, or none that is known."""

    TEAM = "team"
    ROLE = "role"
    TENURE = "tenure"
    """How long since the first day that the table of people tells: a `TenureBand`."""
    LOCATION = "location"
    COST_CENTER = "cost_center"


class TenureBand(StrEnum):
    """Days since somebody began, in bands."""

    MONTHS_0_3 = "under 3 months"
    MONTHS_3_12 = "3 to 12 months"
    YEARS_1_2 = "1 to 2 years"
    YEARS_2_5 = "2 to 5 years"
    YEARS_5 = "5 years or more"


_ENDS = ((91, TenureBand.MONTHS_0_3), (365, TenureBand.MONTHS_3_12), (731, TenureBand.YEARS_1_2))
FIVE_YEARS = 1826


def tenure_band(days: int) -> TenureBand:
    """Return the band of somebody who began that many days ago.

    >>> tenure_band(90).value, tenure_band(365).value, tenure_band(1826).value
    ('under 3 months', '1 to 2 years', '5 years or more')
    """
    for end, band in _ENDS:
        if days < end:
            return band
    return TenureBand.YEARS_2_5 if days < FIVE_YEARS else TenureBand.YEARS_5


class PeopleSegment(Struct, frozen=True):
    """The people of one team, role, band, place or cost center."""

    kind: SegmentKind
    name: str


def whole_months(since: date, until: date) -> DayPeriod | None:
    """Return the whole months within these days; ``None``: there is none.

    >>> whole_months(date(2026, 1, 2), date(2026, 3, 31))
    DayPeriod(since=datetime.date(2026, 2, 1), until=datetime.date(2026, 3, 31))
    """
    month = TimeGrain.MONTH
    first = since if month.start(since) == since else month.next(month.start(since))
    last = month.start(until + ONE_DAY) - ONE_DAY
    return DayPeriod(first, last) if first <= last else None
