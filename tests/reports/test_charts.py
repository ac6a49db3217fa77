"""Charts are in proportion, harmless, and described in words as well."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.reports.charts import (
    ABOVE,
    HEIGHT,
    LABELS,
    ChartColumn,
    ChartFrame,
    ChartInterval,
    SharePoint,
    columns,
    intervals,
    meter,
    share_line,
    sparkline,
    ticks,
)
from tests.searching import searched

FRAME = ChartFrame(name="pulls", title="Pull requests", description="12 with, 20 without")
SVG = "{http://www.w3.org/2000/svg}"
counts = st.integers(0, 10_000_000)


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(f'<div xmlns="http://www.w3.org/2000/svg">{svg}</div>')  # noqa: S314 - ours


@searched(30)
@given(st.floats(0, 1e9))
def test_an_axis_reaches_what_is_drawn_in_even_whole_steps(highest: float) -> None:
    marks = ticks(highest)
    assert marks[0] == 0
    assert marks[-1] >= highest
    assert len({later - earlier for earlier, later in pairwise(marks)}) == 1
    assert 2 <= len(marks) <= 6


@searched(30)
@given(st.lists(st.tuples(counts, counts, counts), max_size=400))
def test_columns_are_as_tall_as_their_numbers(values: list[tuple[int, int, int]]) -> None:
    steps = [ChartColumn(label=str(at), title="", values=one) for at, one in enumerate(values)]
    drawn = parsed(columns(FRAME, steps, ("with", "without", "no_evidence")))
    top = ticks(max(map(sum, values), default=0))[-1]
    for kind, place in (("with", 0), ("without", 1), ("no_evidence", 2)):
        tall = [
            float(rect.get("height", 0))
            for rect in drawn.iter(f"{SVG}rect")
            if rect.get("class") == kind
        ]
        expected = [one[place] * HEIGHT / top for one in values if one[place]]
        assert tall == pytest.approx(expected, abs=0.06)
    words = [text for text in drawn.iter(f"{SVG}text") if text.get("y") == str(ABOVE + HEIGHT + 18)]
    assert len(words) <= LABELS


@searched(30)
@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=60))
def test_a_share_line_has_a_gap_where_nothing_is_known(shares: list[float | None]) -> None:
    points = [SharePoint(label="", title="", share=share) for share in shares]
    drawn = parsed(share_line(FRAME, points))
    stretches = re.findall(r"k+", "".join("-" if share is None else "k" for share in shares))
    assert len([path for path in drawn.iter(f"{SVG}path") if path.get("class") == "line"]) == len(
        stretches
    )


def test_a_provisional_step_is_hatched() -> None:
    steps = [
        ChartColumn(label="", title="", values=(3, 4), provisional=late) for late in (False, True)
    ]
    assert columns(FRAME, steps, ("with", "without")).count("url(#pulls-hatch)") == 2
    points = [SharePoint(label="", title="", share=0.5, provisional=late) for late in (False, True)]
    assert share_line(FRAME, points).count("url(#pulls-hatch)") == 1


def test_every_chart_says_in_words_what_it_shows() -> None:
    row = ChartInterval(label="a", kind="with", value=3, low=2, high=4, title="a: 3 h")
    for svg in (columns(FRAME, [], ()), share_line(FRAME, []), intervals(FRAME, [row], " h")):
        drawn = parsed(svg)[0]
        assert drawn.get("role") == "img"
        assert [drawn[0].text, drawn[1].text] == [FRAME.title, FRAME.description]
        assert drawn.get("aria-labelledby") == f"{drawn[0].get('id')} {drawn[1].get('id')}"


def test_words_of_users_cannot_leave_their_place() -> None:
    bad = '"><script>alert(1)</script>\u202e'
    frame = ChartFrame(name="x", title=bad, description=bad)
    step = ChartColumn(label=bad, title=bad, values=(1,))
    for svg in (
        columns(frame, [step], ("with",)),
        share_line(frame, [SharePoint(label=bad, title=bad, share=0.1)]),
        sparkline(frame, [0.1]),
        meter([("with", 1)], bad),
    ):
        assert "<script" not in svg
        assert "\u202e" not in svg
        parsed(svg)


def test_no_chart_brings_colors_or_styles_of_its_own() -> None:
    svg = columns(
        FRAME, [ChartColumn(label="a", title="b", values=(1,), provisional=True)], ("with",)
    )
    assert not re.search(r"style=|fill=\"(?!url)|stroke=|#[0-9a-f]{6}", svg)


@searched(30)
@given(st.lists(counts, min_size=1, max_size=4))
def test_the_parts_of_a_meter_fill_it(parts: list[int]) -> None:
    drawn = parsed(meter([("with", part) for part in parts], "x"))
    widths = [
        float(rect.get("width", "0%").rstrip("%"))
        for rect in drawn.iter(f"{SVG}rect")
        if rect.get("class") == "with"
    ]
    assert sum(widths) == pytest.approx(100 if any(parts) else 0, abs=0.05)
