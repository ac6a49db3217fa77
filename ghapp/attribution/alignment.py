"""Aligns two short stretches line by line within the rewrite limit. It credits nothing.

It pairs as many lines as it can and then minimizes the differences. So a measure that finds
fewer lines alike never pairs more of them.
"""

from fractions import Fraction
from typing import NamedTuple

from ghapp.attribution.codebook import Codebook

LARGEST = 250_000
"""Pairs of lines above which only a band around the diagonal is compared."""


class AlignedPair(NamedTuple):
    """An own line and an added line, as indices of the two stretches, and their difference."""

    own: int
    added: int
    difference: float


def difference(one: int, other: int, book: Codebook, limit: Fraction) -> float | None:
    """Return the difference of two lines, 0 to 1, or ``None`` if it exceeds the limit.

    A difference of exactly the limit is within it (rules.md 2.3), so we compare whole characters.
    """
    if one == other:
        return 0.0
    longest = max(book.length(one), book.length(other))
    allowed = longest * limit.numerator // limit.denominator
    distance = book.distance(one, other, allowed)
    return distance / longest if distance <= allowed else None


def aligned(own: list[int], added: list[int], book: Codebook, limit: Fraction) -> list[AlignedPair]:
    """Return the best order-preserving pairing of two stretches of codes.

    The best pairing has the most pairs, then the smallest sum of differences, then the earliest
    lines.
    """
    if not own or not added:
        return []
    if not limit and set(own).isdisjoint(added):
        return []
    near = _near(own, added, book, limit)
    if not any(near):
        return []
    if len(own) == 1 or len(added) == 1:
        return [_most_alike(near)]
    best = _best(near, len(added))
    pairs = []
    start = 0
    for i, found in enumerate(near):
        for j, value in found.items():
            if j >= start and _plus(best[i + 1][j + 1], value) == best[i][start]:
                pairs.append(AlignedPair(i, j, value))
                start = j + 1
                break
    return pairs


def _most_alike(near: list[dict[int, float]]) -> AlignedPair:
    """Return the best pairing where one stretch is a single line: the first of the smallest."""
    value, own, added = min(
        (value, i, j) for i, found in enumerate(near) for j, value in found.items()
    )
    return AlignedPair(own, added, value)


def _best(near: list[dict[int, float]], width: int) -> list[list[tuple[int, float]]]:
    """Return the best (number of pairs, minus the sum of differences) for each pair of starts."""
    row: list[tuple[int, float]] = [(0, 0.0)] * (width + 1)
    rows = [row]
    for found in reversed(near):
        below, row = row, [(0, 0.0)] * (width + 1)
        for j in range(width - 1, -1, -1):
            best = max(below[j], row[j + 1])
            if j in found:
                best = max(best, _plus(below[j + 1], found[j]))
            row[j] = best
        rows.append(row)
    rows.reverse()
    return rows


def _plus(rest: tuple[int, float], value: float) -> tuple[int, float]:
    return rest[0] + 1, rest[1] - value


def _near(
    own: list[int], added: list[int], book: Codebook, limit: Fraction
) -> list[dict[int, float]]:
    """Return, for each own line, the added lines within the limit and their differences."""
    reach = len(added) if len(own) * len(added) <= LARGEST else LARGEST // len(own)
    lengths = [book.length(code) for code in added]
    whole, keep = limit.denominator, limit.denominator - limit.numerator
    found: list[dict[int, float]] = []
    for i, one in enumerate(own):
        middle = i * len(added) // len(own)
        length = book.length(one)
        # The difference of the lengths is a lower bound of the distance: this skips no pair.
        alike = [
            j
            for j in range(max(0, middle - reach), min(len(added), middle + reach + 1))
            if lengths[j] * keep <= length * whole and length * keep <= lengths[j] * whole
        ]
        values = [difference(one, added[j], book, limit) for j in alike]
        found.append(
            {j: value for j, value in zip(alike, values, strict=True) if value is not None}
        )
    return found
