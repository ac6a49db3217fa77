"""The two sides of a match: a file's added lines and an edit's own lines, each with context.

Only effective lines take part. This module prepares the lines; it compares none.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ghapp.attribution import notebook
from ghapp.attribution.codebook import Codebook
from ghapp.attribution.model import Edit, FileDiff, FileStatus, LineFingerprint
from ghapp.attribution.normalize import is_long
from ghapp.attribution.runs import GAP, LineSequence

RawLine = str | LineFingerprint
WHOLE_FILE_TOOLS = frozenset({"Write", "write", "write_file", "create", "apply_patch"})
"""Tools of agents that can write a whole file."""

Read = Callable[[Sequence[RawLine]], list[int]]
"""Turns lines into their codes."""


@dataclass(frozen=True, slots=True)
class FileSide:
    """A file's new side, and what the diff shows of its old side."""

    added: list[int]
    """Codes of the added lines that count, in the order of the file."""
    numbers: list[int]
    """Their line numbers in the merged version, from 1."""
    sequence: LineSequence
    place: list[int]
    """Position of each added line in the sequence."""
    removed: frozenset[int]
    """Codes of the lines that the change removed from the file."""
    long: frozenset[int]
    """Codes of the added lines that are too long to count: own lines like them weigh nothing."""
    old: list[int]
    """Codes of the file before the change, with gaps, as the diff shows it."""
    tails: dict[int, list[int]]
    """Codes of the trivial lines after an added line, by its index."""
    is_new: bool = False
    """Whether the change adds the file."""


@dataclass(frozen=True, slots=True)
class EditSide:
    """An edit's new text, shared by all files in which the edit may be credited."""

    edit: Edit
    own: list[int]
    """Codes of its own lines, in order."""
    sequence: LineSequence
    place: list[int]
    """Position of each own line in the sequence."""
    removed: frozenset[int]
    """Codes of the lines that the edit removed."""
    tails: dict[int, list[int]]
    """Codes of the trivial lines after an own line, by its index."""
    is_whole_file: bool = False
    """Whether the edit wrote a whole file, whose earlier lines, if any, are not known."""
    credited: set[int] = field(default_factory=set)
    """Own lines, by index, that an added line of any file is credited to."""

    def may_credit(self, own: int, file: FileSide) -> bool:
        """Say whether an equal added line of a file may be credited to an own line.

        If the edit removed an equal line, it only re-indented or restyled a line that somebody
        had written before. Such a line counts only if the change also removes an equal line.
        """
        code = self.own[own]
        return code not in self.removed or code in file.removed

    def may_have_become(self, code: int) -> bool:
        """Say whether a line with that code can be a touched form of an own line.

        It cannot if the edit itself removed that line, because then the line is older.
        """
        return code not in self.removed


def file_side(file: FileDiff, counted: dict[int, int], book: Codebook) -> FileSide:
    """Return a file's new side; ``counted`` maps the number of each counted line to its code."""
    read = reader(file.path, book)
    builder = _Builder(book)
    numbers: list[int] = []
    removed: list[int] = []
    long: set[int] = set()
    old: list[int] = []
    for hunk in file.hunks:
        number = hunk.new_start
        codes = read([text for _, text in hunk.lines])
        for (origin, text), code in zip(hunk.lines, codes, strict=True):
            if origin != "+":
                if origin == "-":
                    removed.append(code)
                else:
                    builder.unchanged([code])
                    number += 1
                if book.effective[code]:
                    old.append(code)
                continue
            if number in counted:
                numbers.append(number)
                builder.own(code)
            elif is_long(text):
                long.add(code)
            elif text and not text.isspace():
                builder.tail(code)
            number += 1
        builder.end()
        old.append(GAP)
    return FileSide(
        [counted[number] for number in numbers],
        numbers,
        builder.sequence(),
        builder.place,
        frozenset(removed),
        frozenset(long),
        old,
        builder.tails,
        is_new=file.status is FileStatus.ADDED,
    )


class EditSides:
    """The edits' sides, each built once and shared by all files."""

    def __init__(self, book: Codebook) -> None:
        self.book = book
        self._sides: dict[int, EditSide] = {}
        """By the edit as an object: two edits may have one call's id."""
        self._used: list[EditSide] = []

    def __len__(self) -> int:
        return len(self._sides)

    def begin(self) -> None:
        """Forget what an earlier audit credited; the sides themselves are as good as new."""
        for side in self._used:
            side.credited.clear()
        self._used = []

    def of(self, edit: Edit, path: str) -> EditSide:
        """Return the side of an edit; ``path`` is that of the edited file."""
        (side,) = self.all_of([edit], path)
        return side

    def all_of(self, edits: Iterable[Edit], path: str) -> list[EditSide]:
        """Return the sides of some edits of one file; the code book reads their lines at once."""
        edits = list(edits)
        new = [edit for edit in edits if id(edit) not in self._sides]
        for side in edit_sides(new, path, self.book):
            self._sides[id(side.edit)] = side
        found = [self._sides[id(edit)] for edit in edits]
        self._used += found
        return found


def side_without_lines(edit: Edit) -> EditSide:
    """Return the side of what has no lines of its own: a command, or a commit."""
    return EditSide(edit, [], LineSequence([], []), [], frozenset(), {})


def edit_sides(edits: Sequence[Edit], path: str, book: Codebook) -> list[EditSide]:
    """Return the sides of some edits of the file at ``path``."""
    lines = [line for edit in edits for part in _parts(edit) for line in part]
    codes = reader(path, book)(lines)
    sides: list[EditSide] = []
    start = 0
    for edit in edits:
        size = sum(map(len, _parts(edit)))
        sides.append(_edit_side(edit, codes[start : start + size], book))
        start += size
    return sides


def _parts(edit: Edit) -> list[tuple[RawLine, ...]]:
    """Return all lines of an edit: those of its hunks, then the removed ones."""
    parts: list[tuple[RawLine, ...]] = []
    for hunk in edit.lines.hunks:
        parts += hunk.before, hunk.own, hunk.after
    return [*parts, edit.lines.removed]


def _edit_side(edit: Edit, codes: list[int], book: Codebook) -> EditSide:
    """Return the side of an edit from the codes of `_parts`."""
    builder = _Builder(book)
    own: list[int] = []
    start = 0
    for hunk in edit.lines.hunks:
        first = start + len(hunk.before)
        last = first + len(hunk.own)
        end = last + len(hunk.after)
        builder.unchanged(codes[start:first])
        own += builder.stretch(codes[first:last])
        builder.unchanged(codes[last:end])
        builder.end()
        start = end
    removed = frozenset(codes[start:])
    return EditSide(
        edit,
        own,
        builder.sequence(),
        builder.place,
        removed,
        builder.tails,
        is_whole_file=_writes_whole_file(edit),
    )


def _writes_whole_file(edit: Edit) -> bool:
    hunks = edit.lines.hunks
    if edit.tool not in WHOLE_FILE_TOOLS or len(hunks) != 1:
        return False
    return not (hunks[0].before or hunks[0].after or edit.lines.removed)


class _Builder:
    """Builds a side's sequence from unchanged lines, own lines, and gaps between stretches."""

    def __init__(self, book: Codebook) -> None:
        self._effective = book.effective
        self._forms = book.forms
        self._codes: list[int] = []
        self._credits: list[int] = []
        self.place: list[int] = []
        self.tails: dict[int, list[int]] = {}

    def unchanged(self, codes: list[int]) -> None:
        kept = [code for code in codes if self._effective[code]]
        self._codes += kept
        self._credits += [-1] * len(kept)

    def own(self, code: int) -> None:
        self._credits.append(len(self.place))
        self.place.append(len(self._codes))
        self._codes.append(code)

    def stretch(self, codes: list[int]) -> list[int]:
        """Append own lines, and return the codes of those that count."""
        kept = [code for code in codes if self._effective[code]]
        if len(kept) < len(codes) and any(
            self._forms[code] for code in codes if not self._effective[code]
        ):
            for code in codes:
                if self._effective[code]:
                    self.own(code)
                elif self._forms[code]:
                    self.tail(code)
            return kept
        self._credits += range(len(self.place), len(self.place) + len(kept))
        self.place += range(len(self._codes), len(self._codes) + len(kept))
        self._codes += kept
        return kept

    def tail(self, code: int) -> None:
        """Note a trivial line after the last own line."""
        self.tails.setdefault(len(self.place) - 1, []).append(code)

    def end(self) -> None:
        self._codes.append(GAP)
        self._credits.append(-1)

    def sequence(self) -> LineSequence:
        return LineSequence(self._codes, self._credits)


def reader(path: str, book: Codebook) -> Read:
    """Return a function that turns a file's lines into codes and unescapes notebooks first."""
    if not path.endswith(notebook.SUFFIX):
        return book.numbers
    return lambda lines: book.numbers(
        [notebook.source(line) if isinstance(line, str) else line for line in lines]
    )


def fresh(side: EditSide) -> list[int]:
    """Return the codes of an edit's own lines, except those it merely restyled."""
    if not side.removed:
        return side.own
    return [code for code in side.own if code not in side.removed]
