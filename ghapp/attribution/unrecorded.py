"""Whether an edit that no record says was applied was applied, by what stands. It credits no line.

Some agents record what they asked for, and not what became of it. Such an edit counts where at
least three quarters of its own lines, by weight, stand among the added lines in its order
(rules.md 2.17). Elsewhere it is an edit that was not applied.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence

from ghapp.attribution.codebook import Codebook
from ghapp.attribution.coverage import session_of
from ghapp.attribution.model import EditResult
from ghapp.attribution.sides import EditSide, FileSide

STANDS = (3, 4)
"""The least share of the weight, as a fraction: three quarters."""

MOST_PAIRS = 1_000_000
"""Pairs of equal lines up to which an order is looked for. Beyond, nothing is proven."""


def proven(
    sides: Iterable[EditSide], file: FileSide, book: Codebook
) -> tuple[list[EditSide], list[EditSide]]:
    """Return the edits that count as applied in a file, then those that do not, in their order.

    If another record tells the outcomes of an agent session's edits of the file, as a hook does,
    these are the edits. The records without an outcome describe them again and are left out.
    """
    sides = list(sides)
    asked = [side for side in sides if _is_unrecorded(side)]
    if not asked:
        return sides, []
    told = {session_of(side) for side in sides if not _is_unrecorded(side)}
    added = file.added
    asked = [side for side in asked if session_of(side) not in told]
    standing = {id(side) for side in asked if _stands(side.own, added, book)}
    applied = [side for side in sides if not _is_unrecorded(side) or id(side) in standing]
    return applied, [side for side in asked if id(side) not in standing]


def _is_unrecorded(side: EditSide) -> bool:
    return side.edit.outcome is EditResult.UNRECORDED


def _stands(own: Sequence[int], added: Sequence[int], book: Codebook) -> bool:
    # Whole thousandths, so that sums are exact in any order.
    weights = {code: round(1000 * book.weight(code)) for code in own}
    whole = sum(weights[code] for code in own)
    part, of = STANDS
    return whole > 0 and of * heaviest(own, added, weights) >= part * whole


def heaviest(own: Sequence[int], added: Sequence[int], weights: dict[int, int]) -> int:
    """Return the weight of the heaviest common subsequence; 0: too many pairs to look at.

    It keeps, for each weight that a subsequence can reach, the earliest end: the method of Hunt
    and Szymanski (Communications of the ACM 20, 1977) with weights.

    >>> heaviest([1, 2, 3], [3, 1, 2], {1: 5, 2: 5, 3: 9})
    10
    """
    places: defaultdict[int, list[int]] = defaultdict(list)
    for at, code in enumerate(added):
        places[code].append(at)
    if sum(len(places[code]) for code in own if code in places) > MOST_PAIRS:
        return 0
    ends: list[int] = []
    reached: list[int] = []
    for code in own:
        # From the last place on, so that one own line is paired only once.
        for end in reversed(places.get(code, ())):
            _reach(ends, reached, end, weights[code])
    return reached[-1] if reached else 0


def _reach(ends: list[int], reached: list[int], end: int, weight: int) -> None:
    """Extend the heaviest subsequence that ends before a place; both lists ascend together."""
    at = bisect_left(ends, end)
    total = weight + (reached[at - 1] if at else 0)
    if at < len(ends) and ends[at] == end and reached[at] >= total:
        return
    last = at
    while last < len(ends) and reached[last] <= total:
        last += 1
    ends[at:last] = [end]
    reached[at:last] = [total]
