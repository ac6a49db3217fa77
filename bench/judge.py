"""The truth of every added line of an acted pull request, or that nobody could tell."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from bench.author import Pull, Recorded
from bench.draft import Cell, Draft, Mark, Segment, by_person, untold
from bench.fates import squeezed
from bench.lines import LIMIT, is_effective, normalize
from bench.renames import RenamedLine

LONG = 50
"""Characters of a lone line that two people would not type by chance."""

SPEAKING = 30
"""Characters of a line that, removed at one place and added at another, was moved."""

PIECE = 12
"""Characters without spaces of a piece that was re-wrapped from another place of the file."""

DISTINCTIVE_RUN = 160
"""Characters of rare lines in a run that two people would not type by chance."""

RARE = 2
"""Most occurrences of a rare line in the package's earlier release."""

WHOLE = 0.5
"""Share of an edit's characters above which people's lines repeat the whole edit."""

COPIES = frozenset({"copied_edit", "copied_run", "copied_line"})
"""Kinds of lines that a person and an agent both wrote, so that nobody can tell them apart."""

_FILE = re.compile(r"^\+\+\+ b/(.*?)\t?$")
_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True)
class TrueLine:
    """One effective added line and the truth about it; see `bench.draft.Mark`."""

    line: int
    text: str
    truth: bool | None
    kind: str


def added_lines(diff: str) -> dict[str, list[int]]:
    """Return the numbers of the added lines by path, from a diff without context lines."""
    found: dict[str, list[int]] = {}
    path, left = "", 0
    for line in diff.split("\n"):
        if left and line.startswith("+"):
            left -= 1
            continue
        if file := _FILE.match(line):
            path = file[1]
        elif hunk := _HUNK.match(line):
            start, left = int(hunk[1]), int(hunk[2] or 1)
            found.setdefault(path, []).extend(range(start, start + left))
    return found


def common(sources: Iterable[str]) -> Counter[str]:
    """Count each normalized line of a package's earlier release."""
    return Counter(normalize(line) for text in sources for line in text.split("\n") if line.strip())


def judged(
    pull: Pull, added: dict[str, list[int]], usual: Counter[str]
) -> dict[str, list[TrueLine]]:
    """Return the truth of all effective added lines by path."""
    return {
        draft.path: _File(draft, pull.edits, usual).lines(added.get(draft.path, []))
        for draft in pull.drafts
    }


def renamed(lines: Sequence[RenamedLine], added: Iterable[int]) -> list[TrueLine]:
    """Return the truth of the effective added lines of a file that only renames touched."""
    return [
        TrueLine(number, line.text, line.truth, line.kind)
        for number in added
        if is_effective((line := lines[number - 1]).text)
    ]


@dataclass(frozen=True)
class _Placed:
    """An added line, its number and its segment."""

    number: int
    cell: Cell
    segment: Segment
    normal: str


class _File:
    """One file's added lines against all edits that can count in it."""

    def __init__(self, draft: Draft, edits: Sequence[Recorded], usual: Counter[str]) -> None:
        self._draft = draft
        self._usual = usual
        self._edits = [edit for edit in edits if draft.path in edit.paths]
        self._own = {edit.id: _effective(edit.own) for edit in self._edits}
        self._quoted = {normalize(line) for edit in self._edits for line in edit.quoted}
        self._places: dict[str, list[tuple[str, int]]] = {}
        for edit_id, lines in self._own.items():
            for position, normal in enumerate(lines):
                self._places.setdefault(normal, []).append((edit_id, position))
        self._all = sorted(self._places)
        self._removed: dict[int, list[str]] = {}
        self._moved_numbers: set[int] = set()
        self._removed_texts = [
            squeezed([normal for normal in _effective(segment.was) if normal in self._places])
            for segment in draft.segments
            if segment.was
        ]
        removed = {normalize(line) for segment in draft.segments for line in segment.was}
        self._removed_anywhere = sorted(
            normal for normal in removed if len(normal) >= SPEAKING and normal in self._places
        )

    def lines(self, numbers: Sequence[int]) -> list[TrueLine]:
        """Return the truth of the effective lines among these line numbers."""
        placed = self._placed(set(numbers))
        normals = [one.normal for one in placed]
        self._moved_numbers = self._moved(placed)
        copied = self._copied([one for one in placed if one.cell.mark.truth is False])
        marks = [self._mark(index, one, normals, copied) for index, one in enumerate(placed)]
        unclear = {
            one.normal
            for one, mark in zip(placed, marks, strict=True)
            if mark.truth is None and mark.kind in COPIES
        }
        return [
            TrueLine(one.number, one.cell.text, *_without_twins(one, mark, unclear))
            for one, mark in zip(placed, marks, strict=True)
        ]

    def _placed(self, numbers: set[int]) -> list[_Placed]:
        found: list[_Placed] = []
        number = 0
        for segment in self._draft.segments:
            for cell in segment.cells:
                number += 1
                if number in numbers and is_effective(cell.text):
                    found.append(_Placed(number, cell, segment, normalize(cell.text)))
        return found

    def _copied(self, people: Sequence[_Placed]) -> set[int]:
        """Return the numbers of people's lines that repeat an edit as a whole.

        Somebody took an agent's function as the model of their own. Nothing in the change
        tells such a copy from the agent's own work.
        """
        found: set[int] = set()
        for own in self._own.values():
            if own:
                found |= _copies(own, people)
        return found

    def _mark(self, index: int, one: _Placed, normals: Sequence[str], copied: set[int]) -> Mark:
        mark = one.cell.mark
        if mark.truth is None:
            return mark
        if self._has_twin(one, other=not mark.truth):
            return untold("twin")
        if mark.truth:
            return mark
        kind = self._unclear_kind(one, copied)
        return untold(kind) if kind else self._alike(index, one, normals)

    def _unclear_kind(self, one: _Placed, copied: set[int]) -> str | None:
        """Return why nobody could tell that a person wrote this line; ``None``: one can."""
        if self._is_near_lost(one):
            return "near_lost_line"
        if one.number in copied:
            return "copied_edit"
        if one.number in self._moved_numbers:
            return "from_base"
        return "from_base" if self._is_from_base(one) else None

    def _alike(self, index: int, one: _Placed, normals: Sequence[str]) -> Mark:
        """Judge a person's line by its similarity to lines of counting edits."""
        places = self._places.get(one.normal, [])
        if places:
            return self._equal(index, one, normals, places)
        if _nearest(one.normal, self._all) is not None:
            return by_person("lookalike")
        is_quoted = one.cell.mark.kind == "human" and one.normal in self._quoted
        return by_person("quoted") if is_quoted else one.cell.mark

    def _is_from_base(self, one: _Placed) -> bool:
        """Return whether the line replaces an agent's: restyled, touched or re-wrapped.

        An agent wrote it days ago, the base has it, and the change removes it here.
        """
        removed = self._removed_here(one.segment)
        if _nearest(one.normal, [*removed, *self._removed_anywhere]) is not None:
            return True
        piece = squeezed([one.normal])
        if piece in squeezed(removed):
            return True
        return len(piece) >= PIECE and any(piece in text for text in self._removed_texts)

    def _moved(self, placed: Sequence[_Placed]) -> set[int]:
        """Return the numbers of lines in runs of three and more that an agent's base lost."""
        lost = {
            run
            for segment in self._draft.segments
            for run in _triples([n for n in _effective(segment.was) if n in self._places])
        }
        runs = _triples([one.normal for one in placed])
        starts = [start for start, run in enumerate(runs) if run in lost]
        return {placed[at].number for start in starts for at in range(start, start + 3)}

    def _removed_here(self, segment: Segment) -> list[str]:
        key = id(segment)
        if key not in self._removed:
            normals = [normalize(line) for line in segment.was if is_effective(line)]
            self._removed[key] = [normal for normal in normals if normal in self._places]
        return self._removed[key]

    def _equal(
        self, index: int, one: _Placed, normals: Sequence[str], places: Sequence[tuple[str, int]]
    ) -> Mark:
        """Judge a person's line that a counting edit holds too."""
        if any(self._is_distinctive(normals, index, *place) for place in places):
            return untold("copied_run")
        if len(one.normal) >= LONG and self._is_rare(one.normal):
            return untold("copied_line")
        return by_person("decoy")

    def _is_distinctive(
        self, normals: Sequence[str], index: int, edit_id: str, position: int
    ) -> bool:
        own = self._own[edit_id]
        start, at = index, position
        while start > 0 and at > 0 and normals[start - 1] == own[at - 1]:
            start, at = start - 1, at - 1
        run: list[str] = []
        while start < len(normals) and at < len(own) and normals[start] == own[at]:
            run.append(normals[start])
            start, at = start + 1, at + 1
        rare = [line for line in run if self._is_rare(line)]
        return len(rare) >= 3 and sum(map(len, rare)) >= DISTINCTIVE_RUN

    def _is_rare(self, normal: str) -> bool:
        return self._usual[normal] <= RARE

    def _has_twin(self, one: _Placed, *, other: bool) -> bool:
        """Return whether an equal line of the same block has the other truth."""
        return any(
            cell.mark.truth is other and normalize(cell.text) == one.normal
            for cell in one.segment.cells
        )

    def _is_near_lost(self, one: _Placed) -> bool:
        """Return whether an agent's line of this block, since removed, is similar to this one."""
        if not one.segment.edits:
            return False
        agents = {normalize(cell.text) for cell in one.segment.cells if cell.mark.truth}
        own = [line for edit_id in one.segment.edits for line in self._own.get(edit_id, [])]
        return _nearest(one.normal, [line for line in own if line not in agents]) is not None


def _without_twins(one: _Placed, mark: Mark, unclear: set[str]) -> tuple[bool | None, str]:
    """Return truth and kind; a line that a person copied may get credit at either place."""
    if mark.truth is True and one.normal in unclear:
        return None, "twin"
    return mark.truth, mark.kind


def _copies(own: Sequence[str], people: Sequence[_Placed]) -> set[int]:
    """Return the numbers of lines in stretches that repeat an edit, word for word or nearly."""
    places = [_nearest(one.normal, own) for one in people]
    weight, span = sum(map(len, own)), len(own) * 3 // 2 + 2
    found: set[int] = set()
    for start, place in enumerate(places):
        if place is None:
            continue
        stretch = places[start : start + span]
        if sum(len(own[at]) for at in {at for at in stretch if at is not None}) >= WHOLE * weight:
            found |= {
                one.number
                for one, at in zip(people[start : start + span], stretch, strict=True)
                if at is not None
            }
    return found


def _nearest(normal: str, others: Sequence[str]) -> int | None:
    """Return the index of the nearest line within the rewrite limit; ``None``: there is none."""
    found = process.extractOne(
        normal, others, scorer=Levenshtein.normalized_distance, score_cutoff=LIMIT + 1e-9
    )
    return None if found is None else int(found[2])


def _triples(lines: Sequence[str]) -> list[tuple[str, str, str]]:
    return list(zip(lines, lines[1:], lines[2:], strict=False))


def _effective(lines: Iterable[str]) -> list[str]:
    return [normalize(line) for line in lines if is_effective(line)]
