"""Credits one file's added lines to edits of that file, strongest match first.

It knows no window and no exclusion: the caller passes the lines that count and the edits that
may be credited. docs/matching.md describes the algorithm and its sources.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import compress
from math import ceil, floor, fsum, log2
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from ghapp.attribution import coverage
from ghapp.attribution.alignment import aligned
from ghapp.attribution.certainty import DISTINCTIVE, HALF, MOST, NOWHERE, EditCoverage, is_no_chance
from ghapp.attribution.codebook import Codebook
from ghapp.attribution.gaps import REWRAPPED, TOUCHED, GapAnchors, LineGap, gaps
from ghapp.attribution.merged_before import OldSide
from ghapp.attribution.model import Reason
from ghapp.attribution.rewrap import Stretch, WrappedText
from ghapp.attribution.runs import GAP, EqualRun, equal_runs, index
from ghapp.attribution.sides import EditSide, FileSide

NONE = Fraction(0)
"""The limit for equal lines only."""

LARGEST_TOUCHED_EDIT = 12
"""Own lines of the longest edit that we search for as a whole if none of its lines is equal."""


class LineCredit(msgspec.Struct, frozen=True, gc=False):
    """An added line credited to an edit's own line."""

    reason: Reason
    side: EditSide
    own: int
    difference: float


class CreditedRun(NamedTuple):
    """A run of one edit, its pairs that may be credited, and its weight."""

    run: EqualRun
    pairs: list[tuple[int, int]]
    """(own line, added line), in order; empty: only unchanged lines are equal."""
    weight: float
    """Sum over its distinct lines (`FileWeights`)."""

    def anchors(self) -> Iterable[tuple[int, int]]:
        """Return (position in the edit, position in the file) of each line."""
        run = self.run
        return ((run.at_edit + at, run.at_file + at) for at in range(run.length))


@dataclass(slots=True)
class EditInFile:
    """One edit while one file is matched."""

    side: EditSide
    rank: int
    """Its rank in the order of ties (rules.md 2.10)."""
    supports: list[CreditedRun] = field(default_factory=list)
    anchors: GapAnchors = field(default_factory=GapAnchors)
    """Where its lines certainly are, including unchanged ones."""
    standing: EditCoverage = NOWHERE
    credited: int = 0
    """Added lines of this file credited to it."""
    merged: frozenset[int] = frozenset()
    """Own lines, by index, that were merged before this change."""


class FileWeights(dict[int, float]):
    """Each line's weight in one file, by code: a line that recurs there or in an edit weighs less.

    Weights are computed on first use, or for many lines at once by `learn`.
    """

    def __init__(self, file: FileSide, sides: Iterable[EditSide], book: Codebook) -> None:
        super().__init__()
        self._book = book
        self._often = {code: n for code, n in Counter(file.sequence.codes).items() if n > 1}
        self.update(dict.fromkeys(file.long, 0.0))
        for side in sides:
            if len(set(side.own)) < len(side.own):
                self._note(Counter(side.own))

    def _note(self, counts: Counter[int]) -> None:
        for code, count in counts.items():
            if count > self._often.get(code, 1):
                self._often[code] = count

    def learn(self, codes: Iterable[int]) -> None:
        """Compute the weights of some lines that will be looked up."""
        new = [code for code in set(codes) if code not in self]
        self.update(zip(new, self._book.weights(new), strict=True))
        for code in self._often.keys() & new:
            self[code] /= 1.0 + log2(self._often[code])

    def __missing__(self, code: int) -> float:
        self.learn((code,))
        return self[code]


class FileMatching:
    """Credits one file's added lines: call `match` once, then read ``credits``.

    ``sides`` are in the order of ties.
    """

    def __init__(
        self, file: FileSide, sides: Iterable[EditSide], book: Codebook, limit: Fraction
    ) -> None:
        self.file = file
        self.book = book
        self.limit = limit
        self.sides = list(sides)
        self.candidates = [
            EditInFile(side, rank) for rank, side in enumerate(self.sides) if side.own
        ]
        self.credits: list[LineCredit | None] = [None] * len(file.added)
        self.weights = FileWeights(file, (candidate.side for candidate in self.candidates), book)
        self._taken = 0
        self._left_of = 0

    def match(self) -> None:
        """Credit equal runs, then the lines between and beside them, then whole touched edits."""
        if not self.file.added or not self.candidates:
            return
        self._find_supports()
        self._credit_runs(
            [
                (candidate, support)
                for candidate in self.candidates
                for support in candidate.supports
                if support.pairs and is_no_chance(support.weight, candidate.standing)
            ]
        )
        strong = self._by_strength()
        self._fill([candidate for candidate in strong if candidate.credited])
        for candidate in strong:
            # An edit of a renamed file may already be credited in another file.
            if not candidate.side.credited:
                self._fill_whole(candidate)
        for candidate in self.candidates:
            if candidate.supports and not candidate.side.credited:
                self._credit_reformatted_edit(candidate)
            if not candidate.side.credited:
                self._credit_touched_edit(candidate)

    def credit_foreign(
        self,
        sides: Iterable[EditSide],
        is_sure: Callable[[CreditedRun], bool],
        reason: Reason = Reason.RUN,
    ) -> None:
        """Credit the remaining lines to edits of other files, or to what a command holds.

        Only runs count that are sure as a whole.
        """
        codes = self.file.sequence.codes
        positions = index(codes)
        first = len(self.candidates)
        strangers = [EditInFile(side, first + at) for at, side in enumerate(sides)]
        for candidate in strangers:
            candidate.supports = [
                support
                for run in equal_runs(codes, positions, candidate.side.sequence.codes)
                if (support := self._support(candidate, run)).pairs and is_sure(support)
            ]
        self._credit_runs(
            [(candidate, support) for candidate in strangers for support in candidate.supports],
            reason,
        )

    # --- weight --------------------------------------------------------------------------

    def _weight_of(self, side: EditSide, own: Iterable[int]) -> float:
        return self._sum([side.own[at] for at in own])

    def missed(self) -> set[int]:
        """Return the codes of the lines without a credit."""
        lines = zip(self.file.added, self.credits, strict=True)
        return {code for code, credit in lines if credit is None}

    # --- equal runs ----------------------------------------------------------------------

    def _find_supports(self) -> None:
        codes = self.file.sequence.codes
        positions = index(codes)
        old = OldSide(self.file, self.sides, self.weights)
        runs = [
            equal_runs(codes, positions, candidate.side.sequence.codes)
            for candidate in self.candidates
        ]
        if any(runs):
            self._learn_weights()
        for candidate, found in zip(self.candidates, runs, strict=True):
            candidate.merged = old.merged(candidate.side)
            candidate.supports = [self._support(candidate, run) for run in found]
        standing = [candidate for candidate in self.candidates if candidate.supports]
        covered = coverage.by_session(
            # All sides, because an edit that only removes lines changes what is left, too.
            self.sides,
            {coverage.session_of(candidate.side) for candidate in standing},
            Counter(self.file.added),
            self.weights,
        )
        for candidate in standing:
            candidate.standing = self._standing(
                candidate, covered[coverage.session_of(candidate.side)]
            )

    def _learn_weights(self) -> None:
        """Compute the weights of the edits' lines at once: nearly all will be looked up."""
        codes = set[int]().union(*(side.sequence.codes for side in self.sides))
        codes.discard(GAP)
        self.weights.learn(codes)

    def _support(self, candidate: EditInFile, run: EqualRun) -> CreditedRun:
        side = candidate.side
        in_edit, in_file = side.sequence.credits, self.file.sequence.credits
        codes = side.sequence.codes
        if not side.removed and not candidate.merged:
            mine = in_edit[run.at_edit : run.at_edit + run.length]
            theirs = in_file[run.at_file : run.at_file + run.length]
            if min(mine) >= 0 and min(theirs) >= 0:
                # Most runs: own lines and added lines alone, each of which may be credited.
                known = set(codes[run.at_edit : run.at_edit + run.length])
                return CreditedRun(run, list(zip(mine, theirs, strict=True)), self._sum(known))
        pairs = []
        telling = set()
        for at in range(run.length):
            own, added = in_edit[run.at_edit + at], in_file[run.at_file + at]
            # An own line that is unchanged context of the diff was there before this change.
            if own < 0 or (added >= 0 and own not in candidate.merged):
                telling.add(codes[run.at_edit + at])
            if own >= 0 and added >= 0 and self.may_credit(candidate, own):
                pairs.append((own, added))
        return CreditedRun(run, pairs, self._sum(telling))

    def _sum(self, codes: Iterable[int]) -> float:
        """Return the sum of some lines' weights, the same in any order."""
        return fsum(map(self.weights.__getitem__, codes))

    def may_credit(self, candidate: EditInFile, own: int) -> bool:
        """Say whether an equal added line may be credited to an own line of an edit."""
        return own not in candidate.merged and candidate.side.may_credit(own, self.file)

    def _standing(self, candidate: EditInFile, of_session: float) -> EditCoverage:
        side = candidate.side
        stands = {own for support in candidate.supports for own, _ in support.pairs}
        whole = self._sum(side.own)
        weight = whole if len(stands) == len(side.own) else self._weight_of(side, stands)
        covered = weight / whole if whole else 0.0
        # Below that weight no coverage makes a run sure, so we skip the expensive part.
        if covered < HALF > of_session and weight >= DISTINCTIVE:
            covered += self._weight_of(side, self._rewrapped_lines(candidate, stands)) / whole
        return EditCoverage(
            weight,
            covered,
            of_session,
            is_whole=len(stands) == len(side.own) - sum(map(self.file.long.__contains__, side.own)),
            is_new_file=self.file.is_new and side.is_whole_file,
        )

    def _rewrapped_lines(self, candidate: EditInFile, standing: set[int]) -> list[int]:
        """Return own lines that are in the file with other line breaks, beside the equal ones."""
        side = candidate.side
        anchors = GapAnchors()
        for support in candidate.supports:
            anchors.add(support.anchors())
        found: list[int] = []
        for gap in gaps(anchors, side.place, self.file.place, REWRAPPED):
            own = [at for at in gap.own if at not in standing and at not in candidate.merged]
            for ours, _ in self._rewrapped(side, own, gap.added, lambda _: True):
                found += ours
        return found

    # --- tiers run and line --------------------------------------------------------------

    def _credit_runs(
        self, sure: list[tuple[EditInFile, CreditedRun]], reason: Reason = Reason.RUN
    ) -> None:
        """Credit the heaviest run first; weigh again what other runs leave of it."""
        by_rank = {candidate.rank: candidate for candidate, _ in sure}
        heap = [self._entry(candidate, support) for candidate, support in sure]
        heapify(heap)
        while heap:
            _, rank, _, _, support = heappop(heap)
            candidate = by_rank[rank]
            side = candidate.side
            if self._are_free(side, support.pairs):
                for own, added in support.pairs:
                    self.credits[added] = LineCredit(reason, side, own, 0.0)
                self._note(candidate, [own for own, _ in support.pairs])
                candidate.anchors.add(support.anchors())
            else:
                for rest in self._rests(candidate, support.run):
                    heappush(heap, self._entry(candidate, rest))
        if reason is Reason.RUN:
            self._name_lone_lines(by_rank.values())

    @staticmethod
    def _entry(
        candidate: EditInFile, support: CreditedRun
    ) -> tuple[float, int, int, int, CreditedRun]:
        run = support.run
        return -support.weight, candidate.rank, run.at_file, run.at_edit, support

    def _rests(self, candidate: EditInFile, run: EqualRun) -> list[CreditedRun]:
        """Return the stretches of a run between the lines that are already credited."""
        side = candidate.side
        in_edit, in_file = side.sequence.credits, self.file.sequence.credits
        rests = []
        start = 0
        for at in range(run.length + 1):
            if at < run.length:
                own, added = in_edit[run.at_edit + at], in_file[run.at_file + at]
                if own < 0 or added < 0 or self._is_free(side, own, added):
                    continue
            if at > start:
                rest = EqualRun(run.at_file + start, run.at_edit + start, at - start)
                rests.append(self._support(candidate, rest))
            start = at + 1
        return [rest for rest in rests if rest.pairs]

    def _is_free(self, side: EditSide, own: int, added: int) -> bool:
        return own not in side.credited and self.credits[added] is None

    def _are_free(self, side: EditSide, pairs: Iterable[tuple[int, int]]) -> bool:
        given, taken = self.credits, side.credited
        return not any(given[added] or own in taken for own, added in pairs)

    def _credit(self, candidate: EditInFile, credit: LineCredit, added: int) -> None:
        self.credits[added] = credit
        self._note(candidate, (credit.own,))

    def _note(self, candidate: EditInFile, own: Collection[int]) -> None:
        """Note that own lines of an edit are credited, one added line for each."""
        self._taken += len(own)
        candidate.side.credited.update(own)
        candidate.credited += len(own)

    def _name_lone_lines(self, candidates: Iterable[EditInFile]) -> None:
        """Change the reason of an edit's only credited line from ``run`` to ``line``."""
        alone = {id(candidate.side) for candidate in candidates if candidate.credited == 1}
        if not alone:
            return
        for added, credit in enumerate(self.credits):
            if credit and id(credit.side) in alone:
                self.credits[added] = replace(credit, reason=Reason.LINE)

    # --- tiers rewrapped and edited ------------------------------------------------------

    def _by_strength(self) -> list[EditInFile]:
        """Return the candidates with an anchor, the most standing weight first."""
        for candidate in self.candidates:
            if not candidate.anchors:
                candidate.anchors.add(self._unchanged_anchors(candidate))
        strong = [candidate for candidate in self.candidates if candidate.anchors]
        return sorted(strong, key=lambda candidate: -candidate.standing.weight)

    @staticmethod
    def _unchanged_anchors(candidate: EditInFile) -> list[tuple[int, int]]:
        """Return the positions of an edit's unchanged lines, if none of its own lines matched."""
        return [
            anchor
            for support in candidate.supports
            if not support.pairs and support.weight >= DISTINCTIVE
            for anchor in support.anchors()
        ]

    def _gaps(self, candidate: EditInFile, slack: int) -> list[LineGap]:
        return gaps(candidate.anchors, candidate.side.place, self.file.place, slack)

    def _fill(self, candidates: list[EditInFile]) -> None:
        """Credit the lines between and beside the credited lines of some edits.

        Equal lines of all edits come before touched lines of any. So a measure that finds fewer
        lines alike still credits the equal ones to the same edits.
        """
        open_ = [
            candidate
            for candidate in candidates
            if len(candidate.side.credited) < len(candidate.side.own)
        ]
        for candidate in open_:
            for gap in self._gaps(candidate, REWRAPPED):
                self._credit_rewrapped(candidate, gap)
        for limit in (NONE, self.limit):
            for candidate in open_:
                for gap in self._gaps(candidate, TOUCHED):
                    pairs = self._touched(candidate, *self._free(candidate, gap), limit)
                    for credit, added in pairs:
                        self._credit(candidate, credit, added)
                        if not limit:
                            place = candidate.side.place[credit.own], self.file.place[added]
                            candidate.anchors.add([place])

    def _fill_whole(self, candidate: EditInFile) -> None:
        """Credit an edit whose unchanged neighbors matched, if the gap has all its own lines."""
        side = candidate.side
        for gap in self._gaps(candidate, REWRAPPED):
            if candidate.merged or len(gap.own) < len(side.own):
                continue
            self._credit_rewrapped(candidate, gap)
            touched = self._touched(candidate, *self._free(candidate, gap), self.limit)
            if not candidate.credited and len(touched) == len(side.own):
                for credit, at in touched:
                    self._credit(candidate, credit, at)

    def _free(self, candidate: EditInFile, gap: LineGap) -> tuple[list[int], list[int]]:
        return self._free_own(candidate, gap), [at for at in gap.added if self.credits[at] is None]

    @staticmethod
    def _free_own(candidate: EditInFile, gap: LineGap) -> list[int]:
        taken = candidate.side.credited
        return [at for at in gap.own if at not in taken and at not in candidate.merged]

    def _rewrapped(
        self, side: EditSide, own: list[int], added: range, is_free: Callable[[int], bool]
    ) -> Iterable[Stretch]:
        """Return the stretches with the same text but other line breaks."""
        if not own or not added:
            return ()
        texts = self._compacts([side.own[at] for at in own], own, side.tails)
        return self._wrapped_text.stretches(own, texts, added, is_free)

    @cached_property
    def _wrapped_text(self) -> WrappedText:
        added = self.file.added
        return WrappedText(self._compacts(added, range(len(added)), self.file.tails))

    def _compacts(
        self, codes: list[int], places: Sequence[int], tails: dict[int, list[int]]
    ) -> list[str]:
        """Return lines as one text each, with the trivial lines after it; ``places``: indices."""
        texts = self.book.compacts(codes)
        if tails:
            for at, place in enumerate(places):
                if place in tails:
                    texts[at] += "".join(self.book.compacts(tails[place]))
        return texts

    def _credit_rewrapped(self, candidate: EditInFile, gap: LineGap) -> None:
        side = candidate.side
        if len(gap.own) + len(gap.added) <= 2:
            return  # a line for a line is no other line break
        own = self._free_own(candidate, gap)
        for ours, theirs in self._rewrapped(side, own, gap.added, self._is_left):
            for at in theirs:
                self._credit(candidate, LineCredit(Reason.REWRAPPED, side, ours[0], 0.0), at)
            side.credited.update(ours)

    def _is_left(self, added: int) -> bool:
        return self.credits[added] is None

    def _touched(
        self, candidate: EditInFile, own: list[int], added: list[int], limit: Fraction
    ) -> list[tuple[LineCredit, int]]:
        """Return the pairs of lines within the limit, as credits with their added lines."""
        side = candidate.side
        if candidate.merged or side.removed:
            own = [at for at in own if self.may_credit(candidate, at)]
            added = [at for at in added if side.may_have_become(self.file.added[at])]
        if not own or not added:
            return []
        pairs = aligned(
            [side.own[at] for at in own],
            [self.file.added[at] for at in added],
            self.book,
            limit,
        )
        return [
            (
                LineCredit(
                    Reason.EDITED if pair.difference else Reason.RUN,
                    side,
                    own[pair.own],
                    pair.difference,
                ),
                added[pair.added],
            )
            for pair in pairs
        ]

    def _credit_reformatted_edit(self, candidate: EditInFile) -> None:
        """Credit an edit if most of it matches once we ignore the signs a formatter changes."""
        side = candidate.side
        loose = self.book.looses(side.sequence.codes)
        supports = [
            self._support(candidate, run)
            for run in equal_runs(self._loose, self._loose_index, loose)
        ]
        stands = {own for support in supports for own, _ in support.pairs}
        weight = self._weight_of(side, stands)
        if weight < DISTINCTIVE or weight < MOST * self._sum(side.own):
            return
        for support in sorted(supports, key=lambda support: -support.weight):
            for own, added in support.pairs:
                if self._is_free(side, own, added):
                    for credit, at in self._touched(candidate, [own], [added], self.limit):
                        self._credit(candidate, credit, at)
                        candidate.anchors.add([(side.place[own], self.file.place[added])])
        if candidate.credited:
            self._fill([candidate])

    @cached_property
    def _loose(self) -> list[int]:
        return self.book.looses(self.file.sequence.codes)

    @cached_property
    def _loose_index(self) -> dict[int, list[int]]:
        return index(self._loose)

    def _credit_touched_edit(self, candidate: EditInFile) -> None:
        """Credit an edit without an equal line if half of its weight is in one place."""
        side = candidate.side
        left = [at for at in range(len(side.own)) if at not in candidate.merged]
        if not left or len(side.own) > LARGEST_TOUCHED_EDIT:
            return
        self.weights.learn(side.own)
        whole = self._sum(side.own)
        if whole < DISTINCTIVE:
            return
        self._credit_rewrapped(candidate, LineGap(range(len(side.own)), range(len(self.credits))))
        if candidate.credited:
            return
        heaviest = max(left, key=lambda at: (self.weights[side.own[at]], -at))
        near_heaviest = self._left_of_length(side.own[heaviest])
        for _, added in self._touched(candidate, [heaviest], near_heaviest, self.limit):
            free = [
                at
                for at in range(max(0, added - 2 * len(side.own)), len(self.credits))
                if self._is_left(at)
            ]
            first = max(0, free.index(added) - heaviest - 2)
            near = free[first : first + len(side.own) + 4]
            touched = self._touched(candidate, left, near, self.limit)
            if self._weight_of(side, (credit.own for credit, _ in touched)) >= HALF * whole:
                for credit, at in touched:
                    self._credit(candidate, credit, at)

    def _left_of_length(self, code: int) -> list[int]:
        """Return the uncredited added lines whose length is within the limit of a line's."""
        length = self.book.length(code)
        keep = 1 - self.limit
        lengths, left = self._left_by_length()
        first = bisect_left(lengths, ceil(length * keep))
        last = bisect_left(lengths, floor(length / keep) + 1) if keep else None
        return sorted(left[first:last])

    @cached_property
    def _left(self) -> tuple[list[int], list[int]]:
        lengths = list(map(self.book.length, self.file.added))
        left = sorted(range(len(lengths)), key=lengths.__getitem__)
        return [lengths[at] for at in left], left

    def _left_by_length(self) -> tuple[list[int], list[int]]:
        """Return the lengths and indices of the uncredited lines, shortest first.

        The last answer is kept: thousands of edits of one file ask, and hardly any of them changes
        the answer.
        """
        if self._left_of != self._taken:
            self._left_of = self._taken
            lengths, left = self._left
            is_left = [self.credits[at] is None for at in left]
            self._left = list(compress(lengths, is_left)), list(compress(left, is_left))
        return self._left
