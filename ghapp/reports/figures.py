"""A figure, and the difference of two, in words, each with its interval. It counts nothing."""

from math import ceil, floor

from ghapp.summaries.counts import MeasuredDifference, MeasuredFigure
from ghapp.summaries.strata import ToldDifference
from ghapp.usage.counts import MeasuredRate

FROM_CHANCE = "no difference that can be told from chance"
PERCENT, POINTS = "%", " points"
"""The unit of a share, and of the difference of two."""
TINY = 1e-9
"""What a float may be beside the whole number that is meant."""


def figure_words(figure: MeasuredFigure, unit: str = PERCENT, scale: float = 100) -> str:
    """Write a figure with its interval: ``12 h (9 to 15)``; a dash: there is none."""
    if figure.value is None:
        return "-"
    value = f"{short(figure.value * scale)}{unit}"
    if figure.low is None or figure.high is None:
        return value
    return f"{value} ({short(figure.low * scale)} to {short(figure.high * scale)})"


def floor_words(figure: MeasuredFigure) -> str:
    """Write a share that is a floor, rounded down as everywhere, with its interval.

    >>> floor_words(MeasuredFigure(count=90, value=0.678, low=0.5, high=0.801))
    '67% (50 to 81)'
    """
    if figure.value is None:
        return "-"
    value = "<1" if 0 < figure.value < 0.01 else floor(figure.value * 100 + TINY)
    if figure.low is None or figure.high is None:
        return f"{value}%"
    ends = floor(figure.low * 100 + TINY), ceil(figure.high * 100 - TINY)
    return f"{value}% ({ends[0]} to {ends[1]})"


def rate_words(rate: MeasuredRate | None) -> str:
    """Write an accept rate, a range where it is known as one, with its interval.

    >>> rate_words(MeasuredRate(at_least=0.5, at_most=0.75, low=0.4, high=0.8))
    '50 to 75% (40 to 80)'
    """
    if rate is None:
        return "-"
    ends = [short(100 * one) for one in (rate.at_least, rate.at_most)]
    value = " to ".join(dict.fromkeys(ends)) + PERCENT
    if rate.low is None or rate.high is None:
        return value
    return f"{value} ({short(100 * rate.low)} to {short(100 * rate.high)})"


def difference_words(found: MeasuredDifference, unit: str = POINTS, scale: float = 100) -> str:
    """Write a difference: whether it can be told from chance, and its interval.

    >>> difference_words(MeasuredDifference(value=0.05, low=0.02, high=0.08))
    '5 points more (2 to 8)'
    >>> difference_words(MeasuredDifference(value=0.05, low=-0.02, high=0.12))
    'no difference that can be told from chance (-2 to 12 points)'
    >>> difference_words(MeasuredDifference(value=None, low=0.02, high=0.08))
    '2 to 8 points more'
    """
    if found.low is None or found.high is None:
        return "-" if found.value is None else "too few to tell"
    low, high = found.low * scale, found.high * scale
    if not found.is_told:
        return f"{FROM_CHANCE} ({short(low)} to {short(high)}{unit})"
    way = "more" if low > 0 else "less"
    near, far = sorted((abs(low), abs(high)))
    if found.value is None:
        return f"{short(near)} to {short(far)}{unit} {way}"
    return f"{short(abs(found.value) * scale)}{unit} {way} ({short(near)} to {short(far)})"


def told_words(found: ToldDifference, *, is_share: bool) -> str:
    """Write a difference within strata, and whether it can be told from chance.

    >>> told = ToldDifference(0.6, 0.52, 0.68, is_told=True, ones=90, others=80, strata=7)
    >>> told_words(told, is_share=False)
    'more in 60 of 100 pairs (52 to 68)'
    >>> told_words(told, is_share=True)
    '20 points more (4 to 36)'
    """
    if found.value is None or found.low is None or found.high is None:
        return "too few to tell"
    scaled = (found.value, found.low, found.high)
    if is_share:
        value, low, high = (200 * one - 100 for one in scaled)
        if not found.is_told:
            return f"{FROM_CHANCE} ({short(low)} to {short(high)} points)"
        near, far = sorted((low, high)) if value > 0 else (-high, -low)
        way = "more" if value > 0 else "less"
        return f"{short(abs(value))} points {way} ({short(near)} to {short(far)})"
    value, low, high = (100 * one for one in scaled)
    if not found.is_told:
        return f"{FROM_CHANCE} (more in {short(low)} to {short(high)} of 100 pairs)"
    if value > 50:
        return f"more in {short(value)} of 100 pairs ({short(low)} to {short(high)})"
    return f"less in {short(100 - value)} of 100 pairs ({short(100 - high)} to {short(100 - low)})"


def short(value: float) -> str:
    """Write a number with one decimal below ten, and none above.

    >>> short(3.14), short(31.4), short(-0.04), short(2.0)
    ('3.1', '31', '0', '2')
    """
    text = f"{value:.1f}" if abs(value) < 10 else f"{value:.0f}"
    return {"-0.0": "0"}.get(text, text).removesuffix(".0")
