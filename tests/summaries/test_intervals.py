"""Intervals hold what they estimate about as often as they say."""

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.summaries.counts import MeasuredFigure
from ghapp.summaries.intervals import difference, median, proportion, ratio

numbers = st.lists(st.floats(0, 1e6), max_size=60)


@given(numbers)
def test_a_median_lies_in_its_interval(values: list[float]) -> None:
    found = median(values)
    assert found.count == len(values)
    if values:
        assert found.value == pytest.approx(statistics.median(values))
    if found.low is not None and found.high is not None and found.value is not None:
        assert found.low <= found.value <= found.high
        assert {found.low, found.high} <= set(values)
    assert (found.low is None) == (len(values) < 6)


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_proportion_lies_in_its_interval(part: int, more: int) -> None:
    found = proportion(part, part + more)
    if part + more:
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_wilson_is_as_published() -> None:
    # Newcombe 1998, table 1: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for part, count, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        found = proportion(part, count)
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    chance = random.Random(1)  # noqa: S311 - a fixed draw
    held = {"median": 0, "proportion": 0, "ratio": 0}
    tries = 400
    for _ in range(tries):
        middle = median(chance.expovariate(1.0) for _ in range(40))
        held["median"] += _holds(middle, 0.6931)
        held["proportion"] += _holds(
            proportion(sum(chance.random() < 0.1 for _ in range(60)), 60), 0.1
        )
        clusters = []
        for _ in range(60):
            lines, likely = chance.randrange(1, 40), chance.choice((0.6, 1.0))
            clusters.append((sum(chance.random() < likely for _ in range(lines)), lines))
        held["ratio"] += _holds(ratio(clusters), 0.8)
    assert all(0.91 <= count / tries <= 0.995 for count in held.values()), held


def _holds(found: object, truth: float) -> bool:
    low, high = getattr(found, "low"), getattr(found, "high")  # noqa: B009
    return bool(low <= truth <= high)


def test_what_is_not_there_has_no_value() -> None:
    assert (median([]).value, proportion(0, 0).value, ratio([(0, 0)]).value) == (None, None, None)
    assert ratio([(3, 4)]).low is None


def test_a_difference_is_as_published() -> None:
    # Newcombe 1998 (Interval estimation for the difference), table II, method 10.
    for one, other, low, high in (
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
    ):
        found = difference(proportion(*one), proportion(*other))
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


def test_chance_alone_is_seldom_told_from_chance() -> None:
    chance = random.Random(2)  # noqa: S311 - a fixed draw

    def drawn(pulls: int) -> MeasuredFigure:
        lines = [(chance.randrange(1, 60), chance.choice((0.0, 0.0, 0.9))) for _ in range(pulls)]
        return ratio((round(whole * likely), whole) for whole, likely in lines)

    tries = 300
    told = sum(bool(difference(drawn(12), drawn(30)).is_told) for _ in range(tries))
    assert told / tries < 0.08


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_two_that_are_alike_are_no_certainty(share: float) -> None:
    few, many = ratio([(int(8 * share), 8)] * 2), ratio([(int(8 * share), 8)] * 400)
    for found in (few, many):
        assert found.low is not None
        assert found.high is not None
    assert (few.high or 0) - (few.low or 0) > 0.6
    assert (many.high or 0) - (many.low or 0) < 0.1


def test_what_is_not_known_has_no_difference() -> None:
    nothing = difference(proportion(1, 2), proportion(0, 0))
    assert (nothing.value, nothing.is_told) == (None, None)
    one_cluster = difference(ratio([(1, 2)]), proportion(1, 2))
    assert (one_cluster.value, one_cluster.is_told) == (0.0, None)
