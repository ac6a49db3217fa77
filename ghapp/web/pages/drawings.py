"""The charts of summaries, each with its numbers in words. It queries no database."""

from collections.abc import Mapping, Sequence
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
from ghapp.reports.summary import percent
from ghapp.reports.words import counted
from ghapp.summaries.counts import (
    AdoptionDay,
    MeasuredFigure,
    OutcomeComparison,
    PullCounts,
    SeriesPoint,
)
from ghapp.summaries.selection import TimeGrain

PULL_SERIES = ("with", "without", "no_evidence")
"""Parts of a column, from the bottom."""


class ChartWithTable(Struct, frozen=True):
    """A chart, and the same numbers as rows of a table."""

    svg: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def share(counts: PullCounts) -> str:
    """Return the share in words, rounded down; a dash: no line counts, or nothing is known."""
    return percent(counts.whole_attributed, counts.known_effective and counts.whole_effective)


def pulls(series: Sequence[SeriesPoint], grain: TimeGrain) -> ChartWithTable:
    """Draw merged pull requests over time: with an agent, without one, and without evidence."""
    parts = [
        (point.counts.assisted, point.counts.not_assisted, point.counts.no_evidence)
        for point in series
    ]
    names = [span_name(point.start, grain) for point in series]
    steps = [
        ChartColumn(
            label=tick(point.start, grain),
            title=f"{name}: {own[0]} with, {own[1]} without, {own[2]} without evidence",
            values=own,
            provisional=point.counts.provisional > 0,
        )
        for point, own, name in zip(series, parts, names, strict=True)
    ]
    frame = ChartFrame(
        name="pulls",
        title=f"Merged pull requests by {grain}",
        description=_said(
            "{} with an agent, {} without, {} without evidence.".format(
                *(sum(own) for own in zip(*parts, strict=True)) if parts else (0, 0, 0)
            ),
            series,
        ),
    )
    rows = [(name, *map(str, own)) for name, own in zip(names, parts, strict=True)]
    return ChartWithTable(
        svg=columns(frame, steps, PULL_SERIES),
        heads=(grain.value.title(), "With", "Without", "No evidence"),
        rows=tuple(rows),
    )


def shares(series: Sequence[SeriesPoint], grain: TimeGrain) -> ChartWithTable:
    """Draw the share of effective lines over time, as a floor."""
    names = [span_name(point.start, grain) for point in series]
    points = [
        SharePoint(
            label=tick(point.start, grain),
            title=f"{name}: at least {share(point.counts)} "
            f"({point.counts.whole_attributed:,} of {point.counts.whole_effective:,} lines)",
            share=point.counts.share if point.counts.known_effective else None,
            provisional=point.counts.provisional > 0,
        )
        for point, name in zip(series, names, strict=True)
    ]
    frame = ChartFrame(
        name="share",
        title=f"Share of effective lines with an agent, by {grain}",
        description=_said("The share is a floor: uncertain lines do not count.", series),
    )
    rows = [
        (
            name,
            f"{point.counts.attributed:,}",
            f"{point.counts.effective:,}",
            share(point.counts),
        )
        for point, name in zip(series, names, strict=True)
    ]
    return ChartWithTable(
        svg=share_line(frame, points),
        heads=(grain.value.title(), "Lines with", "Effective lines", "Share, at least"),
        rows=tuple(rows),
    )


def trends(series: Mapping[str, Sequence[SeriesPoint]]) -> dict[str, str]:
    """Draw the monthly share of each repository, all on one scale."""
    highest = max((point.counts.share or 0 for one in series.values() for point in one), default=0)
    return {name: _trend(name, points, highest) for name, points in series.items()}


def _trend(name: str, points: Sequence[SeriesPoint], highest: float) -> str:
    shown = [point.counts.share if point.counts.known_effective else None for point in points]
    known = [point for point, value in zip(points, shown, strict=True) if value is not None]
    said = "nothing is known"
    if known:
        first, last = known[0], known[-1]
        said = f"{share(first.counts)} in {first.start:%B %Y}, {share(last.counts)} in "
        said += f"{last.start:%B %Y}"
    frame = ChartFrame(name="", title=f"Share of {name} by month", description=said)
    return sparkline(frame, shown, highest)


def developers(days: Sequence[AdoptionDay]) -> ChartWithTable:
    """Draw active developers by day; the table also has merged pull requests."""
    rows = [
        (long_day(one.day), str(one.developers), str(one.pulls), _per(one.pulls_per_developer))
        for one in days
    ]
    return ChartWithTable(
        svg=_by_day("active developer", days, [one.developers for one in days]),
        heads=("Day", "Active developers", "Merged pull requests", "PRs per developer"),
        rows=tuple(rows),
    )


def agent_sessions(days: Sequence[AdoptionDay]) -> ChartWithTable:
    """Draw agent sessions by day."""
    return ChartWithTable(
        svg=_by_day("agent session", days, [one.agent_sessions for one in days]),
        heads=("Day", "Agent sessions"),
        rows=tuple((long_day(one.day), str(one.agent_sessions)) for one in days),
    )


def _by_day(noun: str, days: Sequence[AdoptionDay], values: Sequence[int]) -> str:
    """Draw one column for each day; ``noun`` is the singular of what it counts."""
    steps = [
        ChartColumn(
            label=f"{one.day.day} {one.day:%b}",
            title=f"{long_day(one.day)}: {counted(value, noun)}",
            values=(value,),
        )
        for one, value in zip(days, values, strict=True)
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


def figure_words(figure: MeasuredFigure, unit: str, scale: float) -> str:
    """Write a figure with its interval: ``12 h (9 to 15)``; a dash: there is none."""
    if figure.value is None:
        return "-"
    value = f"{_short(figure.value * scale)}{unit}"
    if figure.low is None or figure.high is None:
        return value
    return f"{value} ({_short(figure.low * scale)} to {_short(figure.high * scale)})"


# --- words for time -------------------------------------------------------------------------------


def tick(start: date, grain: TimeGrain) -> str:
    """Return a point's name below the axis: ``3 Nov``, ``Nov 2025``."""
    return f"{start:%b %Y}" if grain is TimeGrain.MONTH else f"{start.day} {start:%b}"


def span_name(start: date, grain: TimeGrain) -> str:
    """Return a point's name in a sentence: ``Week of 3 Nov 2025``."""
    if grain is TimeGrain.MONTH:
        return f"{start:%B %Y}"
    return f"Week of {long_day(start)}" if grain is TimeGrain.WEEK else long_day(start)


def long_day(day: date) -> str:
    """Return a day for people: ``3 Nov 2025``."""
    return f"{day.day} {day:%b %Y}"


def _said(words: str, series: Sequence[SeriesPoint]) -> str:
    if not series:
        return "Nothing was merged."
    return f"Since {long_day(series[0].start)}. {words}"


def _per(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 10 and value % 1 else f"{value:.0f}"
