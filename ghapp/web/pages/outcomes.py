"""Outcomes of assisted pull requests beside the others, and how a repository delivers: as shown."""

from ghapp.attribution.model import Struct
from ghapp.reports.figures import PERCENT, POINTS, difference_words, figure_words
from ghapp.summaries.counts import OutcomeComparison, OutcomeMeasure, OutcomeSummary
from ghapp.summaries.dora import DoraFigures
from ghapp.summaries.intervals import difference
from ghapp.web.pages.drawings import comparison


class MeasureUnit(Struct, frozen=True):
    """How a page writes a measure."""

    title: str
    unit: str
    scale: float = 1
    """Factor that a value is multiplied by before it is shown."""


UNITS = {
    OutcomeMeasure.HOURS_TO_MERGE: MeasureUnit(title="First commit to merge, median", unit=" h"),
    OutcomeMeasure.HOURS_TO_REVIEW: MeasureUnit(title="Opening to first review, median", unit=" h"),
    OutcomeMeasure.REVIEW_ROUNDS: MeasureUnit(title="Review rounds, median", unit=""),
    OutcomeMeasure.REVIEW_COMMENTS: MeasureUnit(title="Review comments, median", unit=""),
    OutcomeMeasure.CHANGED_LINES: MeasureUnit(title="Changed lines, median", unit=""),
    OutcomeMeasure.REVERTED: MeasureUnit(title="Reverted within 30 days", unit="%", scale=100),
    OutcomeMeasure.FIXED_UP: MeasureUnit(
        title="Followed by a fix-up within 30 days", unit="%", scale=100
    ),
    OutcomeMeasure.SURVIVED_30: MeasureUnit(
        title="Lines still there after 30 days", unit="%", scale=100
    ),
    OutcomeMeasure.SURVIVED_90: MeasureUnit(
        title="Lines still there after 90 days", unit="%", scale=100
    ),
}


class MeasureRow(Struct, frozen=True):
    """One measure for both groups, as a page shows it."""

    measured: str
    title: str
    svg: str
    """Empty: there is nothing to draw."""
    assisted: str
    assisted_count: int
    others: str
    others_count: int
    difference: str
    """Assisted less others: whether it can be told from chance."""


def compared(outcomes: OutcomeSummary) -> list[MeasureRow]:
    """Return every measure as a page shows it, in the order of the comparisons."""
    return [_row(one, UNITS[one.measured]) for one in outcomes.comparisons]


class DeliveryRow(Struct, frozen=True):
    """One of the DORA metrics, as a page shows it."""

    title: str
    value: str
    """With its interval; a dash: not known."""
    count: int
    of: str
    """What is counted."""


def delivery(found: DoraFigures | None) -> list[DeliveryRow]:
    """Return the DORA metrics as a page shows them; empty: no deployment is known."""
    if found is None or not found.repositories:
        return []
    days, lead, failed, restored = (
        figure_words(found.days_a_week, " days a week", 1),
        figure_words(found.lead_time, " h", 1),
        figure_words(found.failure_rate),
        figure_words(found.restored, " h", 1),
    )
    return [
        DeliveryRow("Deployment frequency, median", days, found.days_a_week.count, "weeks"),
        DeliveryRow("Lead time for changes, median", lead, found.lead_time.count, "pull requests"),
        DeliveryRow("Change failure rate", failed, found.failure_rate.count, "deployments"),
        DeliveryRow("Time to restore, median", restored, found.restored.count, "incidents"),
    ]


def _row(one: OutcomeComparison, unit: MeasureUnit) -> MeasureRow:
    return MeasureRow(
        measured=one.measured.value,
        title=unit.title,
        svg=comparison(one, unit.unit, unit.scale),
        assisted=figure_words(one.assisted, unit.unit, unit.scale),
        assisted_count=one.assisted.count,
        others=figure_words(one.others, unit.unit, unit.scale),
        others_count=one.others.count,
        difference=difference_words(
            difference(one.assisted, one.others),
            POINTS if unit.unit == PERCENT else unit.unit,
            unit.scale,
        ),
    )
