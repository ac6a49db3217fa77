"""Outcomes beside usage: how each measure is named and in which unit. It draws no conclusion."""

from ghapp.attribution.model import Struct
from ghapp.summaries.counts import Comparison, Measured, Outcomes
from ghapp.web.pages.drawings import comparison, figure_words


class Unit(Struct, frozen=True):
    """How a measure is said."""

    title: str
    unit: str
    scale: float = 1
    """What a value is multiplied by before it is shown."""


UNITS = {
    Measured.HOURS_TO_MERGE: Unit(title="First commit to merge, median", unit=" h"),
    Measured.HOURS_TO_REVIEW: Unit(title="Opening to first review, median", unit=" h"),
    Measured.REVIEW_ROUNDS: Unit(title="Review rounds, median", unit=""),
    Measured.REVIEW_COMMENTS: Unit(title="Review comments, median", unit=""),
    Measured.CHANGED_LINES: Unit(title="Changed lines, median", unit=""),
    Measured.REVERTED: Unit(title="Reverted within 30 days", unit="%", scale=100),
    Measured.FIXED_UP: Unit(title="Followed by a fix-up within 30 days", unit="%", scale=100),
    Measured.SURVIVED_30: Unit(title="Lines that still stand after 30 days", unit="%", scale=100),
    Measured.SURVIVED_90: Unit(title="Lines that still stand after 90 days", unit="%", scale=100),
}


class Row(Struct, frozen=True):
    """One measure of both groups, as a page shows it."""

    measured: str
    title: str
    svg: str
    """Empty: there is nothing to draw."""
    assisted: str
    assisted_count: int
    others: str
    others_count: int


def compared(outcomes: Outcomes) -> list[Row]:
    """Return every measure as a page shows it, in the order of the question."""
    return [_row(one, UNITS[one.measured]) for one in outcomes.comparisons]


def _row(one: Comparison, unit: Unit) -> Row:
    return Row(
        measured=one.measured.value,
        title=unit.title,
        svg=comparison(one, unit.unit, unit.scale),
        assisted=figure_words(one.assisted, unit.unit, unit.scale),
        assisted_count=one.assisted.count,
        others=figure_words(one.others, unit.unit, unit.scale),
        others_count=one.others.count,
    )
