"""Charts as SVG text: columns over time, share lines, meters, intervals. They know no audit.

A chart names CSS classes and the style sheet has the colors, so it works in print and in both
color schemes. Widths are percentages and heights are pixels, so text keeps its size on a phone.
Each chart describes itself in ``<title>`` and ``<desc>``; its page adds the same numbers as a
table.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from ghapp.attribution.model import Struct
from ghapp.reports.harmless import visible

HEIGHT = 200
"""Pixels of a chart over time, without the labels below it."""
BELOW = 26
"""Pixels for the labels below the axis."""
ABOVE = 10
"""Pixels above the highest grid line, so that its number is not cut."""
NOTHING = "nothing"
"""Kind of a meter's part that stays empty."""
LABELS = 6
"""Labels below an axis, at most; a phone hides every second one."""


class ChartColumn(Struct, frozen=True):
    """One time step of a column chart."""

    label: str
    """Shown below the axis if there is room."""
    title: str
    """The tooltip."""
    values: tuple[int, ...]
    """One for each series, bottom first."""
    provisional: bool = False
    """Whether the numbers may still change; such a column is hatched."""
    address: str | None = None
    """Where a click on it leads: to what it counts."""


class SharePoint(Struct, frozen=True):
    """One time step of a share line."""

    label: str
    title: str
    share: float | None
    """From 0 to 1; ``None``: there is no evidence, and the line has a gap."""
    provisional: bool = False
    address: str | None = None


class ChartFrame(Struct, frozen=True):
    """A chart's id, title, and description for screen readers."""

    name: str
    """Unique on the page: letters, digits and hyphens."""
    title: str
    description: str


def columns(frame: ChartFrame, steps: Sequence[ChartColumn], series: Sequence[str]) -> str:
    """Draw stacked columns; ``series`` are the classes of a column's parts, bottom first."""
    top = max((sum(step.values) for step in steps), default=0)
    marks = ticks(top)
    scale = HEIGHT / marks[-1]
    drawn = [
        _defined(frame.name),
        *_grid((mark, f"{mark:,}") for mark in marks),
        *(
            _column(step, series, place, frame.name, scale)
            for step, place in zip(steps, _places(len(steps)), strict=True)
        ),
        *_words([step.label for step in steps]),
    ]
    return _chart(frame, "".join(drawn), has_links=_has_links(steps))


def share_line(frame: ChartFrame, points: Sequence[SharePoint]) -> str:
    """Draw a share over time as a floor: filled below the line, hatched if provisional."""
    drawn = [
        _defined(frame.name),
        *_grid((percent / 100, f"{percent}%") for percent in (0, 25, 50, 75, 100)),
        _nested(_paths(points), "plot"),
        *_open(points, frame.name),
        *(_rest(point, place) for point, place in zip(points, _places(len(points)), strict=True)),
        *_words([point.label for point in points]),
    ]
    return _chart(frame, "".join(drawn), has_links=_has_links(points))


def sparkline(frame: ChartFrame, shares: Sequence[float | None], highest: float = 1.0) -> str:
    """Draw a small line without axes; lines with the same ``highest`` can be compared."""
    scaled = [None if share is None else share / (highest or 1) for share in shares]
    points = [SharePoint(label="", title="", share=share) for share in scaled]
    return (
        f'<svg class="spark" viewBox="0 0 100 100" preserveAspectRatio="none" role="img" '
        f'aria-label="{_safe(frame.title)}: {_safe(frame.description)}">{_paths(points)}</svg>'
    )


def meter(parts: Sequence[tuple[str, int]], title: str) -> str:
    """Draw a bar of parts, each a class and a count; a `NOTHING` part stays empty."""
    whole = sum(count for _, count in parts) or 1
    drawn, at = [], 0.0
    for kind, count in parts:
        width = 100 * count / whole
        if count and kind != NOTHING:
            drawn.append(f'<rect class="{kind}" x="{at:.2f}%" width="{width:.2f}%" height="100%"/>')
        at += width
    return (
        f'<svg class="meter" role="img" aria-label="{_safe(title)}">'
        f'<title>{_safe(title)}</title><rect class="track" width="100%" height="100%"/>'
        f"{''.join(drawn)}</svg>"
    )


class ChartInterval(Struct, frozen=True):
    """A value with its interval, as one row of an interval chart."""

    label: str
    kind: str
    """CSS class of the dot: which of two groups it belongs to."""
    value: float
    low: float
    high: float
    title: str


def intervals(frame: ChartFrame, rows: Sequence[ChartInterval], unit: str) -> str:
    """Draw each value as a row with a dot and whiskers, all on one scale that starts at 0."""
    marks = ticks(max((row.high for row in rows), default=0))
    height, top = 28, marks[-1]
    drawn = [
        f'<line class="grid" x1="{_percent(mark, top)}" x2="{_percent(mark, top)}" y1="0" '
        f'y2="{height * len(rows)}"/>'
        f'<text class="word" x="{_percent(mark, top)}" y="{height * len(rows) + 16}">'
        f"{mark:g}{_safe(unit) if mark == top else ''}</text>"
        for mark in marks
    ]
    for number, row in enumerate(rows):
        y = height * number + height // 2
        drawn.append(
            f'<g class="{row.kind}"><title>{_safe(row.title)}</title>'
            f'<line class="whisker" x1="{_percent(row.low, top)}" x2="{_percent(row.high, top)}" '
            f'y1="{y}" y2="{y}"/><circle cx="{_percent(row.value, top)}" cy="{y}" r="5"/></g>'
        )
    return _chart(frame, "".join(drawn), height * len(rows) + BELOW)


def ticks(highest: float, count: int = 4) -> list[int]:
    """Return evenly spaced whole numbers for an axis from 0 to at least ``highest``.

    >>> ticks(7), ticks(230), ticks(0)
    ([0, 2, 4, 6, 8], [0, 100, 200, 300], [0, 1])
    """
    step = 1
    while step * count < highest:
        first = int(str(step)[0])
        step = step * 2 if first != 2 else step // 2 * 5
    last = max(1, -(-int(-(-highest // 1)) // step))
    return [step * number for number in range(last + 1)]


# --- parts of a chart -------------------------------------------------------------------------


def _has_links(steps: Sequence[ChartColumn | SharePoint]) -> bool:
    return any(step.address is not None for step in steps)


def _chart(
    frame: ChartFrame,
    drawn: str,
    height: int = HEIGHT + ABOVE + BELOW,
    *,
    has_links: bool = False,
) -> str:
    """Wrap a drawing in an SVG element; title and description come first for screen readers.

    An image has no links in it for them: https://www.w3.org/TR/wai-aria-1.2/#img
    """
    name, role = _safe(frame.name), "group" if has_links else "img"
    return (
        f'<svg class="chart" role="{role}" width="100%" height="{height}" '
        f'aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{_safe(frame.title)}</title>'
        f'<desc id="{name}-desc">{_safe(frame.description)}</desc>{drawn}</svg>'
    )


def _defined(name: str) -> str:
    """Define the hatching for provisional columns."""
    return (
        f'<defs><pattern id="{_safe(name)}-hatch" width="5" height="5" '
        'patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="hatch" width="2.5" height="5"/></pattern></defs>'
    )


def _grid(marks: Iterable[tuple[float, str]]) -> Iterator[str]:
    """Draw the grid lines of an axis, with their numbers to the left of the plot."""
    listed = list(marks)
    top = listed[-1][0]
    for mark, word in listed:
        y = ABOVE + HEIGHT * (1 - mark / top)
        kind = "grid" if mark else "grid axis"
        yield f'<line class="{kind}" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="mark" x="-8" y="{y + 4:.1f}">{word}</text>'


def _places(count: int) -> list[tuple[float, float]]:
    """Return the left edge and the width of each step, in percent."""
    width = 100 / max(count, 1)
    return [(width * number, width) for number in range(count)]


def _column(
    step: ChartColumn, series: Sequence[str], place: tuple[float, float], name: str, scale: float
) -> str:
    left, width = place
    x, wide = left + width * 0.14, width * 0.72
    y, parts = float(ABOVE + HEIGHT), []
    for kind, value in zip(series, step.values, strict=True):
        tall = value * scale
        y -= tall
        if value:
            where = f'x="{x:.2f}%" y="{y:.1f}" width="{wide:.2f}%" height="{tall:.1f}"'
            parts.append(f'<rect class="{kind}" {where}/>')
            if step.provisional:
                parts.append(f'<rect fill="url(#{_safe(name)}-hatch)" {where}/>')
    return f"<g>{''.join(parts)}{_rest(step, place)}</g>"


def _rest(step: ChartColumn | SharePoint, place: tuple[float, float]) -> str:
    """Cover a whole step with its tooltip, and with a link where it has an address.

    A keyboard reaches the same links in the table beside the chart, without a stop at each step.
    """
    left, width = place
    drawn = (
        f'<rect class="rest" x="{left:.2f}%" y="0" width="{width:.2f}%" '
        f'height="{ABOVE + HEIGHT}"><title>{_safe(step.title)}</title></rect>'
    )
    if step.address is None:
        return drawn
    return f'<a href="{_safe(step.address)}" tabindex="-1" aria-hidden="true">{drawn}</a>'


def _words(labels: Sequence[str]) -> Iterator[str]:
    """Write evenly spaced labels below the axis, at most `LABELS`."""
    every = max(1, -(-len(labels) // LABELS))
    for shown, number in enumerate(range(0, len(labels), every)):
        left, width = _places(len(labels))[number]
        kind = "word" if shown % 2 == 0 else "word wide"
        where = f'x="{left + width / 2:.2f}%" y="{ABOVE + HEIGHT + 18}"'
        yield f'<text class="{kind}" {where}>{_safe(labels[number])}</text>'


def _nested(drawn: str, kind: str) -> str:
    """Stretch a drawing of 100 by 100 over the plot, whatever its width."""
    return (
        f'<svg class="{kind}" y="{ABOVE}" width="100%" height="{HEIGHT}" '
        f'viewBox="0 0 100 100" preserveAspectRatio="none">{drawn}</svg>'
    )


def _paths(points: Sequence[SharePoint]) -> str:
    """Draw each unbroken stretch: the filled floor and its line."""
    drawn = []
    for stretch in _stretches(points):
        (first, _), (last, _) = stretch[0], stretch[-1]
        line = " ".join(f"{x:.2f},{y:.2f}" for x, y in stretch)
        drawn.append(f'<path class="floor" d="M{first:.2f},100 L{line} L{last:.2f},100 Z"/>')
        drawn.append(f'<path class="line" d="M{line}"/>')
    return "".join(drawn)


def _open(points: Sequence[SharePoint], name: str) -> Iterator[str]:
    """Hatch each step with a provisional share."""
    for point, (left, width) in zip(points, _places(len(points)), strict=True):
        if point.provisional and point.share is not None:
            tall = HEIGHT * min(point.share, 1.0)
            yield (
                f'<rect fill="url(#{_safe(name)}-hatch)" x="{left:.2f}%" width="{width:.2f}%" '
                f'y="{ABOVE + HEIGHT - tall:.1f}" height="{tall:.1f}"/>'
            )


def _stretches(points: Sequence[SharePoint]) -> Iterator[list[tuple[float, float]]]:
    """Yield the stretches without a gap; a lone point becomes a short horizontal line."""
    stretch: list[tuple[float, float]] = []
    for point, (left, width) in zip([*points, None], [*_places(len(points)), (0, 0)], strict=True):
        if point is not None and point.share is not None:
            stretch.append((left + width / 2, 100 - 100 * min(point.share, 1.0)))
        elif stretch:
            (x, y) = stretch[0]
            yield stretch if len(stretch) > 1 else [(x - 0.5, y), (x + 0.5, y)]
            stretch = []


def _safe(text: str) -> str:
    """Return text for an element or an attribute, with invisible characters spelled out."""
    return escape(visible(text))


def _percent(value: float, top: float) -> str:
    return f"{100 * value / top:.2f}%"
