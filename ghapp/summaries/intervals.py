"""Medians and proportions with 95 % intervals. It knows no pull request."""

from collections.abc import Iterable, Sequence
from math import floor, sqrt

from ghapp.summaries.counts import MeasuredFigure

Z = 1.96
"""Standard errors from the estimate to each end of a 95 % interval."""
LEAST_FOR_MEDIAN = 6
"""With fewer values, no two of them enclose the median with 95 % confidence."""


def median(values: Iterable[float]) -> MeasuredFigure:
    """Return a median; its interval lies between two of the values, whatever their distribution.

    >>> figure = median([3, 1, 2])
    >>> figure.count, figure.value, figure.low
    (3, 2.0, None)
    """
    ordered = sorted(values)
    count = len(ordered)
    if not count:
        return MeasuredFigure(count=0, value=None, low=None, high=None)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    if count < LEAST_FOR_MEDIAN:
        return MeasuredFigure(count=count, value=middle, low=None, high=None)
    rank = max(floor((count + 1 - Z * sqrt(count)) / 2), 1)
    return MeasuredFigure(
        count=count, value=middle, low=ordered[rank - 1], high=ordered[count - rank]
    )


def proportion(part: int, count: int) -> MeasuredFigure:
    """Return a proportion of independent things, with Wilson's interval.

    https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval

    >>> figure = proportion(5, 10)
    >>> round(figure.low, 3), round(figure.high, 3)
    (0.237, 0.763)
    """
    if not count:
        return MeasuredFigure(count=0, value=None, low=None, high=None)
    share, square = part / count, Z * Z
    center = (share + square / (2 * count)) / (1 + square / count)
    half = Z * sqrt(share * (1 - share) / count + square / (4 * count * count))
    half /= 1 + square / count
    return MeasuredFigure(
        count=count,
        value=share,
        low=0.0 if part == 0 else max(center - half, 0.0),
        high=1.0 if part == count else min(center + half, 1.0),
    )


def ratio(parts: Sequence[tuple[int, int]]) -> MeasuredFigure:
    """Return a proportion of things that come in clusters, such as lines in pull requests.

    ``parts`` are pairs of part and whole, one for each cluster. What happens to one line often
    happens to its neighbors, so only the clusters are independent: the interval is that of a ratio
    of sums. With fewer than two clusters there is no interval.

    >>> ratio([(5, 10), (5, 10)])
    MeasuredFigure(count=20, value=0.5, low=0.5, high=0.5)
    """
    clusters = [(part, whole) for part, whole in parts if whole]
    total = sum(whole for _, whole in clusters)
    if not total:
        return MeasuredFigure(count=0, value=None, low=None, high=None)
    value = sum(part for part, _ in clusters) / total
    count = len(clusters)
    if count == 1:
        return MeasuredFigure(count=total, value=value, low=None, high=None)
    spread = sum((part - value * whole) ** 2 for part, whole in clusters)
    half = Z * sqrt(spread * count / (count - 1)) / total
    return MeasuredFigure(
        count=total, value=value, low=max(value - half, 0.0), high=min(value + half, 1.0)
    )
