"""Figures and differences in words: how sure they are, and what chance may have made."""

import pytest

from ghapp.reports.figures import difference_words, figure_words, floor_words
from ghapp.summaries.counts import MeasuredDifference, MeasuredFigure

NONE = MeasuredFigure(count=0, value=None, low=None, high=None)
SOME = MeasuredFigure(count=9, value=0.125, low=0.1, high=0.2)


@pytest.mark.parametrize(
    ("figure", "unit", "scale", "said"),
    [
        (NONE, "%", 100, "-"),
        (SOME, "%", 100, "12% (10 to 20)"),
        (MeasuredFigure(count=1, value=1.25, low=None, high=None), " h", 1, "1.2 h"),
        (MeasuredFigure(count=1, value=0, low=0, high=2.5), " h", 1, "0 h (0 to 2.5)"),
    ],
)
def test_a_figure_has_its_interval_where_there_is_one(
    figure: MeasuredFigure, unit: str, scale: float, said: str
) -> None:
    assert figure_words(figure, unit, scale) == said


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        (0.699, 0.601, 0.8, "69% (60 to 80)"),
        (0.29, 0.28, 0.291, "29% (28 to 30)"),
        (0.004, 0.0, 0.02, "<1% (0 to 2)"),
        (0.0, None, None, "0%"),
        (None, None, None, "-"),
    ],
)
def test_a_floor_is_rounded_down_and_its_interval_outward(
    value: float | None, low: float | None, high: float | None, said: str
) -> None:
    assert floor_words(MeasuredFigure(count=9, value=value, low=low, high=high)) == said


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        (0.125, 0.05, 0.2, "12 points more (5 to 20)"),
        (-0.034, -0.06, -0.001, "3.4 points less (0.1 to 6)"),
        (0.0, 0.0, 0.0, "no difference that can be told from chance (0 to 0 points)"),
        (0.05, -0.02, 0.12, "no difference that can be told from chance (-2 to 12 points)"),
        (0.05, None, None, "too few to tell"),
        (None, None, None, "-"),
    ],
)
def test_a_difference_says_whether_it_can_be_told_from_chance(
    value: float | None, low: float | None, high: float | None, said: str
) -> None:
    assert difference_words(MeasuredDifference(value=value, low=low, high=high)) == said
