"""Why an added line is not attributed, and which edit is nearest. It credits nothing."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from ghapp.attribution.alignment import difference
from ghapp.attribution.certainty import DISTINCTIVE
from ghapp.attribution.codebook import Codebook
from ghapp.attribution.gaps import TOUCHED, gaps
from ghapp.attribution.matching import EditInFile, FileMatching
from ghapp.attribution.model import Edit, Reason
from ghapp.attribution.sides import reader

NEAR = Fraction(1, 2)
"""Largest difference of a ``rewritten`` line from the edit's line in its place."""

SMALL_EDIT = 3
"""Own lines up to which an edit without an anchor is compared with all uncredited lines."""

MOST_COMPARED = 40_000
"""Pairs of lines compared in one file to find rewritten lines; later gaps are skipped."""


class MissedLine(NamedTuple):
    """Why a line is not attributed."""

    reason: Reason
    edit: Edit | None = None
    difference: float | None = None


NO_MATCH = MissedLine(Reason.NO_MATCH)


class MissExplainer:
    """Explains the lines of one file that `FileMatching` left without a credit."""

    def __init__(
        self,
        matching: FileMatching,
        path: str,
        *,
        outside_window: Iterable[Edit],
        not_applied: Iterable[Edit],
    ) -> None:
        self._matching = matching
        self._book = matching.book
        self._path = path
        self._outside_window = outside_window
        self._not_applied = not_applied

    # Computed on first use: in most files every line is credited.

    @cached_property
    def _equal(self) -> dict[int, tuple[EditInFile, bool]]:
        return _equal_own_lines(self._matching)

    @cached_property
    def _out(self) -> dict[int, MissedLine]:
        # The first of equal lines wins; an edit outside the window says more than a refused one.
        out = _codes_of(self._not_applied, Reason.NOT_APPLIED, self._path, self._book)
        return out | _codes_of(self._outside_window, Reason.OUTSIDE_WINDOW, self._path, self._book)

    @cached_property
    def _merged(self) -> dict[int, MissedLine]:
        return dict(_merged_before(self._matching))

    @cached_property
    def _rewritten(self) -> dict[int, MissedLine]:
        return dict(_rewritten(self._matching))

    def of(self, added: int, code: int) -> MissedLine:
        """Return why the added line with that index and code is not attributed."""
        if code in self._equal:
            candidate, is_free = self._equal[code]
            edit = candidate.side.edit
            if not is_free:
                return MissedLine(Reason.CREDITED_ELSEWHERE, edit, 0.0)
            common = self._book.weight(code) < DISTINCTIVE
            return MissedLine(Reason.COMMON_LINE if common else Reason.SCATTERED, edit, 0.0)
        found = self._merged.get(added) or self._out.get(code) or self._rewritten.get(added)
        return found or NO_MATCH


def _equal_own_lines(matching: FileMatching) -> dict[int, tuple[EditInFile, bool]]:
    """Return, for each missed line's code, the first edit that has it and whether it is uncredited.

    Uncredited own lines take precedence.
    """
    found: dict[int, tuple[EditInFile, bool]] = {}
    missed = matching.missed()
    for candidate in matching.candidates:
        if missed.isdisjoint(candidate.side.own):
            continue
        for own, code in enumerate(candidate.side.own):
            if code not in missed:
                continue
            is_free = own not in candidate.side.credited
            if matching.may_credit(candidate, own) and (
                code not in found or is_free > found[code][1]
            ):
                found[code] = candidate, is_free
    return found


def _codes_of(
    edits: Iterable[Edit], reason: Reason, path: str, book: Codebook
) -> dict[int, MissedLine]:
    read = reader(path, book)
    found: dict[int, MissedLine] = {}
    for edit in edits:
        miss = MissedLine(reason, edit, 0.0)
        for hunk in edit.lines.hunks:
            for code in read(hunk.own):
                found.setdefault(code, miss)
    return found


def _merged_before(matching: FileMatching) -> Iterator[tuple[int, MissedLine]]:
    """Yield the added lines that are equal to a line merged before, or within the limit of one."""
    left = MOST_COMPARED
    missed = [at for at, credit in enumerate(matching.credits) if credit is None]
    for candidate in reversed(matching.candidates):
        codes = {candidate.side.own[own] for own in candidate.merged}
        left -= len(codes) * len(missed)
        if left < 0:
            return
        for at in missed if codes else ():
            code = matching.file.added[at]
            found = [
                value
                for one in codes
                if (value := difference(one, code, matching.book, matching.limit)) is not None
            ]
            if found:
                yield at, MissedLine(Reason.MERGED_BEFORE, candidate.side.edit, min(found))


def _rewritten(matching: FileMatching) -> Iterator[tuple[int, MissedLine]]:
    """Yield the added lines in the place of an own line that differs too much."""
    left = MOST_COMPARED
    for candidate, own, added in _places(matching):
        left -= len(own) * len(added)
        if left < 0:
            return
        for at in added:
            code = matching.file.added[at]
            found = [
                (value, mine)
                for mine in own
                if (value := difference(candidate.side.own[mine], code, matching.book, NEAR))
                is not None
            ]
            if not found:
                continue
            value, mine = min(found)
            # An uncredited line within the limit is in the wrong place, so it is not rewritten.
            if difference(candidate.side.own[mine], code, matching.book, matching.limit) is None:
                yield at, MissedLine(Reason.REWRITTEN, candidate.side.edit, value)


def _places(matching: FileMatching) -> Iterator[tuple[EditInFile, list[int], list[int]]]:
    """Yield (edit, own lines, added lines) that are uncredited in the same place.

    For a small edit without an anchor, that place is every uncredited added line.
    """
    left = [at for at, credit in enumerate(matching.credits) if credit is None]
    for candidate in reversed(matching.candidates):
        side = candidate.side
        if candidate.anchors:
            for gap in gaps(candidate.anchors, side.place, matching.file.place, TOUCHED):
                own = [at for at in gap.own if at not in side.credited]
                added = [at for at in gap.added if matching.credits[at] is None]
                if own and added:
                    yield candidate, own, added
        elif not candidate.credited and len(side.own) <= SMALL_EDIT:
            yield candidate, [at for at in range(len(side.own)) if at not in side.credited], left
