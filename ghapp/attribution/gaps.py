"""The gaps between an edit's matched lines, where touched lines may be. It compares no lines."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

TOUCHED = 3
"""Slack in lines for touched lines: how far a gap at a chain's end reaches (see `gaps`)."""

REWRAPPED = 30
"""Slack in lines for re-wrapped lines: a formatter may break one line into up to that many."""

_END = 1 << 60


class _Opening(NamedTuple):
    """Two anchors that follow each other, and are no neighbors in the edit."""

    edit_from: int
    file_from: int
    edit_to: int
    file_to: int


class GapAnchors:
    """Where an edit's lines certainly are: (position in the edit, position in the file)."""

    def __init__(self) -> None:
        self._pairs: list[tuple[int, int]] = []
        self._openings: list[_Opening] | None = None

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def add(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Add lines whose position is certain."""
        self._pairs.extend(pairs)
        self._openings = None

    @property
    def openings(self) -> list[_Opening]:
        """Where the longest chain that rises on both sides skips a place of the edit.

        Cached until lines are added. Most anchors are neighbors, so this is far shorter than the
        chain. Empty: there is no anchor.
        """
        if self._openings is None:
            chain = rising(self._pairs)
            ends = zip([(-1, -1), *chain], [*chain, (_END, _END)], strict=True)
            self._openings = [
                _Opening(*before, *after) for before, after in ends if after[0] - before[0] > 1
            ]
        return self._openings if self._pairs else []


class LineGap(NamedTuple):
    """Own lines and added lines between the same two matched lines, by index."""

    own: range
    added: range


def gaps(
    anchors: GapAnchors, own_places: list[int], added_places: list[int], slack: int
) -> list[LineGap]:
    """Return the gaps of an edit in a file that have both own and added lines.

    ``own_places`` and ``added_places`` are the positions of own and added lines. A gap with n own
    lines before the first or after the last anchor has up to 2 n + ``slack`` added lines.
    """
    found = []
    for edit_from, file_from, edit_to, file_to in anchors.openings:
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
    return found


def _between(places: list[int], first: int, last: int) -> range:
    """Return the indices of the places strictly between two positions."""
    if last - first <= 1:
        return range(0)
    return range(bisect_left(places, first + 1), bisect_left(places, last))


def rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return a longest chain of pairs that rises on both sides, whatever the order of input.

    Patience diff takes the same longest increasing subsequence of its anchors.
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
