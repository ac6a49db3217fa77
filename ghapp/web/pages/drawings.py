"""The charts of summaries, each with its numbers in words. It queries no database."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from ghapp.attribution.model import Struct
from ghapp.reports.charts import (
    ChartColumn,
    ChartFrame,
    ChartInterval,
    SharePoint,
    columns,
    intervals,
    share_line,
    sparkline,
)
from ghapp.reports.figures import figure_words
from ghapp.reports.summary import percent
from ghapp.reports.words import counted
from ghapp.summaries.counts import (
    AdoptionDay,
    OutcomeComparison,
    PullCounts,
    SeriesPoint,
)
from ghapp.summaries.selection import TimeGrain
from ghapp.web.frame import day

PULL_SERIES = ("with", "without", "no_evidence")
"""Parts of a column, from the bottom."""
PULL_COUNTS = ("assisted", "not_assisted", "no_evidence")
"""Members of `PullCounts` that the parts show."""


class ChartWithTable(Struct, frozen=True):
    """A chart, and the same numbers as rows of a table."""

    svg: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    addresses: tuple[str | None, ...] = ()
    """Where each row leads; empty: nowhere."""


Behind = Callable[[date], str]
"""First day of a step → the address of what it counts."""


def share(counts: PullCounts) -> str:
    """Return the share in words, rounded down; a dash: no line counts, or nothing is known."""
    return percent(counts.whole_attributed, counts.known_effective and counts.whole_effective)


def pulls(series: Sequence[SeriesPoint], grain: TimeGrain, behind: Behind) -> ChartWithTable:
    """Draw merged pull requests over time: with an agent, without one, and without evidence."""
    values = [tuple(getattr(one.counts, part) for part in PULL_COUNTS) for one in series]
    rows = [(span_name(one.start, grain), *_told(one.counts)) for one in series]
    steps = [
        ChartColumn(
            label=tick(one.start, grain),
            title="{}: {} with, {} without, {} without evidence".format(*row),
            values=own,
            provisional=one.counts.provisional > 0,
            address=behind(one.start),
        )
        for one, own, row in zip(series, values, rows, strict=True)
    ]
    sums = [sum(column) for column in zip(*values, strict=True)] or [0] * len(PULL_COUNTS)
    said = "{} with an agent, {} without, {} without evidence.".format(*sums)
    title = f"Merged pull requests by {grain}"
    frame = ChartFrame(name="pulls", title=title, description=_said(said, series))
    return ChartWithTable(
        svg=columns(frame, steps, PULL_SERIES),
        heads=(grain.value.title(), "With", "Without", "No evidence"),
        rows=tuple(rows),
        addresses=tuple(step.address for step in steps),
    )


def _told(counts: PullCounts) -> tuple[str, ...]:
    """Write the three counts of pull requests; a dash for what nobody knows."""
    shown = counts.shown()
    return tuple("-" if shown[part] is None else str(shown[part]) for part in PULL_COUNTS)


def shares(series: Sequence[SeriesPoint], grain: TimeGrain, behind: Behind) -> ChartWithTable:
    """Draw the share of effective lines over time, as a floor."""
    frame = ChartFrame(
        name="share",
        title=f"Share of effective lines with an agent, by {grain}",
        description=_said("The share is a floor: uncertain lines do not count.", series),
    )
    steps = [_share_point(one, grain, behind) for one in series]
    return ChartWithTable(
        svg=share_line(frame, steps),
        heads=(grain.value.title(), "Lines with", "Effective lines", "Share, at least"),
        rows=tuple(_share_row(span_name(one.start, grain), one.counts) for one in series),
        addresses=tuple(step.address for step in steps),
    )


def _share_point(point: SeriesPoint, grain: TimeGrain, behind: Behind) -> SharePoint:
    counts = point.counts
    known = f"{counts.whole_attributed:,}" if counts.is_known else "-"
    lines = f"{known} of {counts.whole_effective:,} lines"
    return SharePoint(
        label=tick(point.start, grain),
        title=f"{span_name(point.start, grain)}: at least {share(counts)} ({lines})",
        share=counts.share,
        provisional=counts.provisional > 0,
        address=behind(point.start),
    )


def _share_row(name: str, counts: PullCounts) -> tuple[str, ...]:
    attributed = f"{counts.attributed:,}" if counts.is_known else "-"
    return name, attributed, f"{counts.effective:,}", share(counts)


def trends(series: Mapping[str, Sequence[SeriesPoint]]) -> dict[str, str]:
    """Draw the monthly share of each repository, all on one scale."""
    highest = max((point.counts.share or 0 for one in series.values() for point in one), default=0)
    return {name: _trend(name, points, highest) for name, points in series.items()}


def _trend(name: str, points: Sequence[SeriesPoint], highest: float) -> str:
    shown = [point.counts.share for point in points]
    known = [point for point, value in zip(points, shown, strict=True) if value is not None]
    ends = [f"{share(one.counts)} in {one.start:%B %Y}" for one in known[:1] + known[-1:]]
    said = ", ".join(ends) or "nothing is known"
    frame = ChartFrame(name="", title=f"Share of {name} by month", description=said)
    return sparkline(frame, shown, highest)


def developers(days: Sequence[AdoptionDay], behind: Behind) -> ChartWithTable:
    """Draw active developers by day; the table also has merged pull requests."""
    rows = [
        (day(one.day), str(one.developers), str(one.pulls), _per(one.pulls_per_developer))
        for one in days
    ]
    addresses = tuple(behind(one.day) for one in days)
    return ChartWithTable(
        svg=_by_day("active developer", days, [one.developers for one in days], addresses),
        heads=("Day", "Active developers", "Merged pull requests", "PRs per developer"),
        rows=tuple(rows),
        addresses=addresses,
    )


def agent_sessions(days: Sequence[AdoptionDay], behind: Behind) -> ChartWithTable:
    """Draw agent sessions by day."""
    addresses = tuple(behind(one.day) for one in days)
    return ChartWithTable(
        svg=_by_day("agent session", days, [one.agent_sessions for one in days], addresses),
        heads=("Day", "Agent sessions"),
        rows=tuple((day(one.day), str(one.agent_sessions)) for one in days),
        addresses=addresses,
    )


def _by_day(
    noun: str, days: Sequence[AdoptionDay], values: Sequence[int], addresses: Sequence[str]
) -> str:
    """Draw one column for each day; ``noun`` is the singular of what it counts."""
    steps = [
        ChartColumn(
            label=tick(one.day, TimeGrain.DAY),
            title=f"{day(one.day)}: {counted(value, noun)}",
            values=(value,),
            address=address,
        )
        for one, value, address in zip(days, values, addresses, strict=True)
    ]
    most = counted(max(values, default=0), noun)
    frame = ChartFrame(
        name=noun.replace(" ", "-"),
        title=f"{noun.capitalize()}s by day",
        description=f"{counted(len(days), 'day')}, {most} on the busiest one.",
    )
    return columns(frame, steps, ("with",))


def comparison(one: OutcomeComparison, unit: str, scale: float) -> str:
    """Draw one outcome of both groups with its interval; empty if neither is known."""
    groups = (("with", "Assisted", one.assisted), ("without", "Not assisted", one.others))
    rows = [
        ChartInterval(
            label=name,
            kind=kind,
            value=figure.value * scale,
            low=(figure.value if figure.low is None else figure.low) * scale,
            high=(figure.value if figure.high is None else figure.high) * scale,
            title=f"{name}: {figure_words(figure, unit, scale)}",
        )
        for kind, name, figure in groups
        if figure.value is not None
    ]
    if not rows:
        return ""
    frame = ChartFrame(
        name=one.measured.value,
        title=one.measured.value.replace("_", " "),
        description=". ".join(row.title for row in rows),
    )
    return intervals(frame, rows, unit)


# --- words for time -------------------------------------------------------------------------------


def tick(start: date, grain: TimeGrain) -> str:
    """Return a point's name below the axis: ``3 Nov``, ``Nov 2025``."""
    return f"{start:%b %Y}" if grain is TimeGrain.MONTH else f"{start.day} {start:%b}"


def span_name(start: date, grain: TimeGrain) -> str:
    """Return a point's name in a sentence: ``Week of 3 Nov 2025``."""
    if grain is TimeGrain.MONTH:
        return f"{start:%B %Y}"
    return f"Week of {day(start)}" if grain is TimeGrain.WEEK else day(start)


def _said(words: str, series: Sequence[SeriesPoint]) -> str:
    if not series:
        return "Nothing was merged."
    return f"Since {day(series[0].start)}. {words}"


def _per(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
