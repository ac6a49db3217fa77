"""Which own lines of an edit were merged before this change (rules.md 2.18). It credits nothing.

The base held them, and the change removes or keeps them. They prove nothing for a line that
replaces them: a person, a formatter or a dependency bot may have written that one.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from math import fsum

from ghapp.attribution.certainty import HALF
from ghapp.attribution.runs import equal_runs, index
from ghapp.attribution.sides import EditSide, FileSide

Moment = tuple[datetime, str]
"""When an edit was made, and its id."""


class OldSide:
    """A file before the change, as the diff shows it, and when its edits removed lines."""

    def __init__(
        self,
        file: FileSide,
        sides: Iterable[EditSide],
        weights: Mapping[int, float],
    ) -> None:
        self._file = file
        self._sides = sides
        self._weights = weights
        self._added = frozenset(file.added)
        self._known = frozenset(file.old)

    def merged(self, side: EditSide) -> frozenset[int]:
        """Return the own lines, by index, that were merged before.

        At least half of the edit, by weight, stands in the base. A line that the edit or an
        earlier one removed is older than the edit. An equal line that the change adds is the same
        line, moved or indented anew.
        """
        if self._known.isdisjoint(side.own):
            return frozenset()
        at = side.edit.at, side.edit.id
        old = {own for own in self._standing(side) if not self._is_older(side.own[own], at)}
        stands = fsum([self._weights[side.own[own]] for own in old])
        if not old or stands < HALF * fsum([self._weights[code] for code in side.own]):
            return frozenset()
        return frozenset(own for own in old if side.own[own] not in self._added)

    def _standing(self, side: EditSide) -> set[int]:
        found = set()
        for run in equal_runs(self._file.old, self._index, side.sequence.codes):
            found.update(side.sequence.credits[run.at_edit : run.at_edit + run.length])
        found.discard(-1)
        return found

    @cached_property
    def _index(self) -> dict[int, list[int]]:
        return index(self._file.old)

    @cached_property
    def _removals(self) -> dict[int, Moment]:
        """When an edit first removed a line of the base, by code."""
        first: dict[int, Moment] = {}
        for side in self._sides:
            at = side.edit.at, side.edit.id
            for code in side.removed & self._known:
                first[code] = min(at, first.get(code, at))
        return first

    def _is_older(self, code: int, at: Moment) -> bool:
        return code in self._removals and self._removals[code] <= at
