"""Medians, proportions and their differences with 95 % intervals. It knows no pull request."""

from collections.abc import Iterable
from math import floor, hypot, sqrt

from ghapp.summaries.counts import ClusterSums, MeasuredDifference, MeasuredFigure

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
    share = part / count
    low, high = _wilson(share, count)
    return MeasuredFigure(count=count, value=share, low=low, high=high)


def ratio(parts: Iterable[tuple[int, int]]) -> MeasuredFigure:
    """Return a proportion of things that come in clusters, such as lines in pull requests.

    ``parts`` are pairs of part and whole, one for each cluster.

    >>> figure = ratio([(5, 10), (5, 10)])
    >>> figure.count, figure.value, round(figure.low, 2)
    (20, 0.5, 0.09)
    """
    found = [(part, whole) for part, whole in parts if whole]
    return ratio_of(
        ClusterSums(
            clusters=len(found),
            part=sum(part for part, _ in found),
            whole=sum(whole for _, whole in found),
            part_squared=sum(part * part for part, _ in found),
            product=sum(part * whole for part, whole in found),
            whole_squared=sum(whole * whole for _, whole in found),
        )
    )


def ratio_of(sums: ClusterSums) -> MeasuredFigure:
    """Return a proportion of things in clusters, from the clusters' sums.

    What happens to one line often happens to its neighbors, so only the clusters are independent.
    The variance of a ratio of sums says how many independent things would tell as much, fewer
    where few clusters estimate it, and those have Wilson's interval: the ratio's own claims to be
    certain where all clusters are alike. With fewer than two clusters there is none. After Korn
    and Graubard, https://www150.statcan.gc.ca/n1/en/catalogue/12-001-X19980024356
    """
    if not sums.whole:
        return MeasuredFigure(count=0, value=None, low=None, high=None)
    value, total, count = sums.part / sums.whole, round(sums.whole), sums.clusters
    if count < 2:
        return MeasuredFigure(count=total, value=value, low=None, high=None)
    spread = sums.part_squared - 2 * value * sums.product + value * value * sums.whole_squared
    variance = max(spread, 0.0) * count / (count - 1) / (sums.whole * sums.whole)
    as_many = value * (1 - value) / variance * _few(count - 1) if variance else count
    low, high = _wilson(value, min(as_many, sums.whole) or count)
    return MeasuredFigure(count=total, value=value, low=low, high=high)


def _few(freedom: int) -> float:
    """Return by what share a variance of so few degrees of freedom tells less than a known one.

    It is the square of the normal's quantile over Student's, expanded twice (Cornish and Fisher).
    """
    first = (Z**3 + Z) / 4 / freedom
    second = (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96 / freedom**2
    return (Z / (Z + first + second)) ** 2


def difference(one: MeasuredFigure, other: MeasuredFigure) -> MeasuredDifference:
    """Return ``one`` less ``other``, two independent figures, with an interval made of theirs.

    This is Newcombe's hybrid score interval for proportions, and holds for any two figures with
    intervals of their own: https://doi.org/10.1002/sim.3095 (Zou and Donner). Where the two go
    together, as lines of the same pull requests do, it is too wide: it never tells too much.

    >>> found = difference(proportion(56, 70), proportion(48, 80))
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    if one.value is None or other.value is None:
        return MeasuredDifference(value=None, low=None, high=None)
    value = one.value - other.value
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return MeasuredDifference(value=value, low=None, high=None)
    below = hypot(one.value - one.low, other.high - other.value)
    above = hypot(one.high - one.value, other.value - other.low)
    return MeasuredDifference(value=value, low=value - below, high=value + above)


def _wilson(share: float, count: float) -> tuple[float, float]:
    square = Z * Z
    center = (share + square / (2 * count)) / (1 + square / count)
    half = Z * sqrt(share * (1 - share) / count + square / (4 * count * count))
    half /= 1 + square / count
    low, high = max(center - half, 0.0), min(center + half, 1.0)
    return 0.0 if share <= 0 else min(low, share), 1.0 if share >= 1 else max(high, share)
