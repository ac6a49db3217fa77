"""Leaves out of a change and its evidence what one line's reason does not rest on.

Every step is tried by auditing again: it is kept if the line still has the same reason from the
same edit. What is left is small, but perhaps not the smallest.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from msgspec.structs import replace
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from ghapp.attribution.model import Edit, FileDiff, Hunk
from ghapp.attribution.normalize import is_effective, normalize
from ghapp.attribution.paths import KnownCheckouts
from ghapp.auditing.line_case import (
    LineCase,
    LinePart,
    change_parts,
    edit_parts,
    of_change_parts,
    of_edit_parts,
)
from ghapp.documents.case_files import text_lines
from ghapp.reports.words import NOT_ATTRIBUTED_GROUP, group

MOST_AUDITS = 1000
"""Audits that a reduction may take; then it stops where it is."""

NEAREST = 3
"""Edits with a line like the one in question that stay, whatever the reason rests on."""

ALIKE = 0.5
"""Smallest likeness of such a line, 0 to 1."""

ENOUGH = 80
"""Lines of a case that is small enough to stay whole."""

AROUND = 8
"""Lines on each side of the line that stay."""

FARTHER = (AROUND, 16, 32, 64, 128)
"""Lines that stay on each side of what matters in a first cut, tried from the smallest."""

STRETCHES = (64, 16, 4)
"""Lines that are dropped together after it."""

T = TypeVar("T")


def reduce(case: LineCase) -> LineCase:
    """Return a smaller case in which the line has the same reason from the same edit."""
    reducing = _Reducing(case)
    reducing.start()
    reducing.drop_edits()
    reducing.drop_files()
    reducing.drop_hunks()
    reducing.cut()
    for size in STRETCHES:
        if reducing.case.size > ENOUGH:
            reducing.drop_lines(size)
            reducing.drop_lines_of_edits(size)
    return reducing.case


class _Reducing:
    """The smallest case so far, and how it gets smaller."""

    def __init__(self, case: LineCase) -> None:
        self.case = case
        self._wanted = case.verdict()
        self._audits_left = MOST_AUDITS
        self._text = _text(case)
        self._kept = self._must_stay()

    def _must_stay(self) -> frozenset[str]:
        """Return the ids of the edits that stay even if the reason does not rest on them.

        Where a line counts and no edit is credited, somebody may ask why one of these is not.
        """
        if self._wanted is None or group(self._wanted.reason) != NOT_ATTRIBUTED_GROUP:
            return frozenset()
        return frozenset(nearest(self.case.evidence.edits, self._text))

    def _keeps(self, case: LineCase) -> bool:
        """Say whether a smaller case has the same reason, and take it if so."""
        if self._audits_left <= 0:
            return False
        self._audits_left -= 1
        if case.verdict() != self._wanted:
            return False
        self.case = case
        return True

    # --- whole edits, files and hunks -----------------------------------------------------------

    def start(self) -> None:
        """Keep the file of the line and its edits, if that suffices, or more of them."""
        case = self.case
        own = [file for file in case.change.files if file.path == case.path]
        names = {name for file in own for name in (file.path, file.previous_path) if name}
        places = KnownCheckouts((), case.change, known=case.evidence.roots)
        near = [
            edit
            for edit in case.evidence.edits
            if edit.id in self._kept or places.place(edit.path).path in names
        ]
        lines = [edit for edit in case.evidence.edits if edit.id in self._kept or _has_lines(edit)]
        for files, edits in ((own, near), (own, lines), (case.change.files, near)):
            if self._keeps(case.with_files(files).with_edits(edits)):
                return

    def drop_edits(self) -> None:
        """Drop edits, many at once and then one by one."""

        def still(kept: list[Edit]) -> bool:
            return self._keeps(self.case.with_edits(kept))

        _fewest(self.case.evidence.edits, still, lambda edit: edit.id in self._kept)

    def drop_files(self) -> None:
        """Drop other files of the change."""

        def still(kept: list[FileDiff]) -> bool:
            return self._keeps(self.case.with_files(kept))

        _fewest(self.case.change.files, still, lambda file: file.path == self.case.path)

    def drop_hunks(self) -> None:
        """Drop hunks without the line."""
        case = self.case
        whole = change_parts(case, case.size + 1)

        def still(kept: list[LinePart]) -> bool:
            return self._keeps(of_change_parts(case, kept))

        _fewest(whole, still, lambda part: self._is_near(case, part, 0))

    # --- lines ----------------------------------------------------------------------------------

    def cut(self) -> None:
        """Keep only lines near the line, and near equal lines in the edits."""
        case = self.case
        if case.size <= ENOUGH:
            return
        for around in FARTHER:
            parts = [part for part in change_parts(case, 1) if self._is_near(case, part, around)]
            matter = _forms(of_change_parts(case, parts))
            kept = [part for part in edit_parts(case, 1) if _matters(case, part, matter, around)]
            if self._keeps(of_edit_parts(of_change_parts(case, parts), kept)):
                return

    def drop_lines(self, size: int) -> None:
        """Drop stretches of the change's lines, and the equal lines of the edits with them.

        So as much of each edit is in the change as before, on which many reasons rest.
        """
        case = self.case
        of_edits = [
            (part, normalize(_lines(case.evidence.edits[part.owner], part)[0]))
            for part in edit_parts(case, 1)
        ]

        def still(kept: list[LinePart]) -> bool:
            fewer = of_change_parts(case, kept)
            gone = _forms(case) - _forms(fewer)
            left = [part for part, form in of_edits if form not in gone]
            return self._keeps(of_edit_parts(fewer, left))

        _fewest(change_parts(case, size), still, lambda part: self._is_near(case, part, AROUND))

    def drop_lines_of_edits(self, size: int) -> None:
        """Drop stretches of the edits' lines, but none with the line or one like it."""
        case = self.case

        def still(kept: list[LinePart]) -> bool:
            return self._keeps(replace(self.case, evidence=of_edit_parts(case, kept).evidence))

        wanted = normalize(self._text)

        def is_like(part: LinePart) -> bool:
            forms = map(normalize, _lines(case.evidence.edits[part.owner], part))
            return any(_likeness(form, wanted) >= ALIKE for form in forms)

        _fewest(edit_parts(case, size), still, is_like)

    @staticmethod
    def _is_near(case: LineCase, part: LinePart, around: int) -> bool:
        """Say whether a part of the change has a line that near the line in question."""
        file = case.change.files[part.owner]
        hunk = file.hunks[part.hunk]
        if file.path != case.path:
            return False
        at = _index(hunk, case.line)
        return at is not None and part.start <= at + around and at - around < part.stop


def _fewest(
    items: Sequence[T], still: Callable[[list[T]], bool], must_stay: Callable[[T], bool]
) -> None:
    """Drop items in ever smaller stretches, while ``still`` says that the rest suffices."""
    left = list(items)
    stay = {id(item) for item in left if must_stay(item)}
    size = len(left)
    while size:
        at = 0
        while at < len(left):
            stretch = left[at : at + size]
            stays = [item for item in stretch if id(item) in stay]
            if len(stays) < len(stretch) and still(left[:at] + stays + left[at + size :]):
                left[at : at + size] = stays
                at += len(stays)
            else:
                at += size
        size //= 2


# --- which edits and lines matter -----------------------------------------------------------------


def nearest(edits: Iterable[Edit], text: str) -> list[str]:
    """Return the ids of the edits with an own line most like a text, the most alike first."""
    wanted = normalize(text)
    found = [
        (likeness, edit.id)
        for edit in edits
        if (likeness := max(_likenesses(edit, wanted), default=0.0)) >= ALIKE
    ]
    return [edit_id for _, edit_id in sorted(found, key=lambda one: (-one[0], one[1]))[:NEAREST]]


def _likenesses(edit: Edit, wanted: str) -> Iterator[float]:
    for hunk in text_lines(edit).hunks:
        forms = map(normalize, hunk.own)
        found = process.extractOne(
            wanted, forms, scorer=Levenshtein.normalized_similarity, score_cutoff=ALIKE
        )
        if found:
            yield found[1]


def _likeness(form: str, wanted: str) -> float:
    return Levenshtein.normalized_similarity(form, wanted, score_cutoff=ALIKE)


def _text(case: LineCase) -> str:
    """Return the text of the line in question."""
    return next(
        text
        for file in case.change.files
        if file.path == case.path
        for number, text in file.added()
        if number == case.line
    )


def _index(hunk: Hunk, line: int) -> int | None:
    """Return the index of a new line in a hunk; ``None``: the hunk does not hold it."""
    new = [at for at, (origin, _) in enumerate(hunk.lines) if origin != "-"]
    at = line - hunk.new_start
    return new[at] if 0 <= at < len(new) else None


def _has_lines(edit: Edit) -> bool:
    return bool(edit.lines.hunks or edit.lines.removed)


def _lines(edit: Edit, part: LinePart) -> tuple[str, ...]:
    lines = text_lines(edit)
    whole = lines.removed if part.hunk < 0 else lines.hunks[part.hunk].own
    return whole[part.start : part.stop]


def _forms(case: LineCase) -> frozenset[str]:
    """Return the effective lines of a change, normalized."""
    forms = {
        normalize(text)
        for file in case.change.files
        for hunk in file.hunks
        for _, text in hunk.lines
    }
    return frozenset(filter(is_effective, forms))


def _matters(case: LineCase, part: LinePart, matter: frozenset[str], around: int) -> bool:
    """Say whether one of the lines near a line of an edit, or a removed line itself, matters."""
    edit = case.evidence.edits[part.owner]
    is_removed = part.hunk < 0
    reach = (
        part
        if is_removed
        else part._replace(start=max(0, part.start - around), stop=part.stop + around)
    )
    return any(normalize(line) in matter for line in _lines(edit, reach))
