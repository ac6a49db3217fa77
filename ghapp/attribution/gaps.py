"""The gaps between lines that stand in their place: where a touched line is looked for."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

TOUCHED = 3
"""Added lines beyond twice the missing own lines that are looked at beside a chain's end."""

REWRAPPED = 30
"""The same where lines may have been broken: one line becomes up to that many."""

_END = 1 << 60


class GapAnchors:
    """Where an edit's lines stand for sure: (position in the edit, position in the file)."""

    def __init__(self) -> None:
        self._pairs: list[tuple[int, int]] = []
        self._chain: list[tuple[int, int]] | None = None

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def add(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Add lines that stand for sure."""
        self._pairs.extend(pairs)
        self._chain = None

    @property
    def chain(self) -> list[tuple[int, int]]:
        """The longest chain that rises on both sides; worked out once until lines are added."""
        if self._chain is None:
            self._chain = rising(self._pairs)
        return self._chain


class LineGap(NamedTuple):
    """Own lines and added lines that lie between the same two standing lines, by index."""

    own: range
    added: range


def gaps(
    anchors: GapAnchors, own_places: list[int], added_places: list[int], slack: int
) -> list[LineGap]:
    """Return the gaps of an edit in a file, none of them empty on either side.

    ``own_places`` and ``added_places`` are the positions of own and of added lines. A gap before
    the first and after the last anchor reaches ``slack`` lines beyond twice its own lines.
    """
    chain = anchors.chain
    if not chain:
        return []
    found = []
    edit_from, file_from = -1, -1
    for edit_to, file_to in [*chain, (_END, _END)]:
        own = _between(own_places, edit_from, edit_to)
        if own:
            added = _between(added_places, file_from, file_to)
            reach = 2 * len(own) + slack
            if edit_from < 0:
                added = added[-reach:]
            elif edit_to == _END:
                added = added[:reach]
            if added:
                found.append(LineGap(own, added))
        edit_from, file_from = edit_to, file_to
    return found


def _between(places: list[int], first: int, last: int) -> range:
    """Return the indices of the places strictly between two positions."""
    if last - first <= 1:
        return range(0)
    return range(bisect_left(places, first + 1), bisect_left(places, last))


def rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return a longest chain of pairs that rises on both sides; the same one in any order.

    This is the longest increasing subsequence that patience diff takes of its anchors.
    """
    ordered = sorted(set(pairs), key=lambda pair: (pair[0], -pair[1]))
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, (_, place) in enumerate(ordered):
        where = bisect_left(tails, place)
        before.append(ends[where - 1] if where else -1)
        if where == len(tails):
            tails.append(place)
            ends.append(at)
        else:
            tails[where] = place
            ends[where] = at
    chain = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chain.append(ordered[at])
        at = before[at]
    return chain[::-1]
