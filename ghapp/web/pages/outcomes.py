"""Outcomes of assisted pull requests beside the others, and how a repository delivers: as shown."""

from ghapp.attribution.model import Struct
from ghapp.reports.figures import PERCENT, figure_words, told_words
from ghapp.reports.words import agent_name
from ghapp.summaries.comparisons import FinerBy, FinerDifference, OutcomeSummary
from ghapp.summaries.counts import OutcomeComparison, OutcomeMeasure
from ghapp.summaries.dora import DoraFigures
from ghapp.summaries.strata import ToldDifference
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
    OutcomeMeasure.UNREVIEWED: MeasureUnit(title="Merged without a review", unit="%", scale=100),
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
    """Assisted beside others of the same repository and size: whether it can be told from chance;
    empty: it is not compared."""


def compared(outcomes: OutcomeSummary) -> list[MeasureRow]:
    """Return every measure as a page shows it, in the order of the comparisons."""
    found = {one.measured: one.difference for one in outcomes.differences}
    return [_row(one, UNITS[one.measured], found.get(one.measured)) for one in outcomes.comparisons]


class FinerRow(Struct, frozen=True):
    """A difference of a part of the assisted pull requests that can be told from chance."""

    name: str
    title: str
    difference: str
    ones: int
    others: int


def told_finer(outcomes: OutcomeSummary) -> list[FinerRow]:
    """Return the finer differences that can be told from chance, as a page shows them."""
    return [
        FinerRow(
            name=_part(one),
            title=UNITS[one.measured].title.removesuffix(", median"),
            difference=told_words(one.difference, is_share=UNITS[one.measured].unit == PERCENT),
            ones=one.difference.ones,
            others=one.difference.others,
        )
        for one in outcomes.finer
        if one.difference.is_told
    ]


def _part(one: FinerDifference) -> str:
    if one.by is FinerBy.PEOPLE:
        return "the same people with an agent"
    if one.by is FinerBy.SHARE:
        return f"{one.name.replace('_', ' ')} of the lines attributed"
    agent, _, model = one.name.partition(" ")
    return f"{agent_name(agent)} {model}".strip()


class DeliveryRow(Struct, frozen=True):
    """One of the DORA metrics, as a page shows it."""

    title: str
    value: str
    """With its interval; a dash: not known."""
    count: int
    """Of weeks, pull requests, deployments, incidents."""


def delivery(found: DoraFigures | None) -> list[DeliveryRow]:
    """Return the DORA metrics as a page shows them; empty: no deployment is known."""
    if found is None or not found.repositories:
        return []
    days, lead, failed, restored = (
        figure_words(found.days_a_week, " days", 1),
        figure_words(found.lead_time, " h", 1),
        figure_words(found.failure_rate),
        figure_words(found.restored, " h", 1),
    )
    return [
        DeliveryRow("Days with a deployment in a week, median", days, found.days_a_week.count),
        DeliveryRow("Lead time for changes, median", lead, found.lead_time.count),
        DeliveryRow("Change failure rate", failed, found.failure_rate.count),
        DeliveryRow("Time to restore, median", restored, found.restored.count),
    ]


def _row(one: OutcomeComparison, unit: MeasureUnit, found: ToldDifference | None) -> MeasureRow:
    return MeasureRow(
        measured=one.measured.value,
        title=unit.title,
        svg=comparison(one, unit.unit, unit.scale),
        assisted=figure_words(one.assisted, unit.unit, unit.scale),
        assisted_count=one.assisted.count,
        others=figure_words(one.others, unit.unit, unit.scale),
        others_count=one.others.count,
        difference="" if found is None else told_words(found, is_share=unit.unit == PERCENT),
    )
