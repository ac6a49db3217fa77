"""The two sides of a match: a file's added lines, and an edit's own lines, each with context.

Only effective lines take part. This module knows what may be compared, not what is alike.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ghapp.attribution import notebook
from ghapp.attribution.codebook import Codebook
from ghapp.attribution.model import Edit, FileDiff, LineFingerprint
from ghapp.attribution.runs import Sequence, sequence

RawLine = str | LineFingerprint
Stretch = Iterator[tuple[int, int]]


class AddedCode(NamedTuple):
    """One counted added line: its number in the merged version and in the code book."""

    number: int
    code: int


@dataclass(frozen=True, slots=True)
class FileSide:
    """A file's new side."""

    added: list[AddedCode]
    """The added lines that count, in the order of the file."""
    sequence: Sequence
    place: list[int]
    """Position of each of them in the sequence."""
    removed: frozenset[int]
    """Codes of the lines that the change took out of the file."""
    tails: dict[int, list[int]]
    """Codes of the lines too short to count that follow an added line, by its index."""


@dataclass(frozen=True, slots=True)
class EditSide:
    """An edit's new text. The same value serves every file that the edit may be credited in."""

    edit: Edit
    own: list[int]
    """Codes of its own lines, in order."""
    sequence: Sequence
    place: list[int]
    """Position of each own line in the sequence."""
    removed: frozenset[int]
    """Codes of the lines that the edit took out."""
    tails: dict[int, list[int]]
    """Codes of the lines too short to count that follow an own line, by its index."""
    credited: set[int] = field(default_factory=set)
    """Own lines that are credited to an added line of some file."""

    def may_credit(self, own: int, file: FileSide) -> bool:
        """Say whether an own line may stand for an equal added line of a file.

        A line that the edit only re-indented or restyled, its old form taken out, was
        written by somebody before. It counts where the change does the same to it.
        """
        code = self.own[own]
        return code not in self.removed or code in file.removed

    def may_have_become(self, code: int) -> bool:
        """Say whether a line of that code can be a touched form of an own line.

        It cannot where the edit itself took that line out: then the edit came after it.
        """
        return code not in self.removed


def file_side(file: FileDiff, counted: dict[int, int], book: Codebook) -> FileSide:
    """Return a file's new side; ``counted`` holds the code of each line number that counts."""
    read = reader(file.path, book)
    added: list[AddedCode] = []
    removed: set[int] = set()
    tails: defaultdict[int, list[int]] = defaultdict(list)

    def stretch(number: int, lines: tuple[tuple[str, str], ...]) -> Stretch:
        for origin, text in lines:
            if origin == "-":
                removed.add(read(text))
                continue
            if origin == " ":
                if book.effective[code := read(text)]:
                    yield code, -1
            elif (code := counted.get(number, -1)) >= 0:
                added.append(AddedCode(number, code))
                yield code, len(added) - 1
            elif text and not text.isspace():
                tails[len(added) - 1].append(read(text))
            number += 1

    whole = sequence(stretch(hunk.new_start, hunk.lines) for hunk in file.hunks)
    return FileSide(added, whole, _places(whole, len(added)), frozenset(removed), tails)


class EditSides:
    """Edits as they take part in matching, each made once and shared by all files."""

    def __init__(self, book: Codebook) -> None:
        self._book = book
        self._sides: dict[str, EditSide] = {}

    def of(self, edit: Edit, path: str) -> EditSide:
        """Return an edit of a file of that path."""
        side = self._sides.get(edit.id)
        if side is None:
            side = self._sides[edit.id] = edit_side(edit, path, self._book)
        return side


def edit_side(edit: Edit, path: str, book: Codebook) -> EditSide:
    """Return an edit of a file as it takes part in matching."""
    read = reader(path, book)
    own: list[int] = []
    tails: defaultdict[int, list[int]] = defaultdict(list)

    def stretch(before: tuple[RawLine, ...], lines: tuple[RawLine, ...], after: tuple[RawLine, ...]) -> Stretch:
        for line in before:
            if book.effective[code := read(line)]:
                yield code, -1
        for line in lines:
            if book.effective[code := read(line)]:
                own.append(code)
                yield code, len(own) - 1
            elif line:
                tails[len(own) - 1].append(code)
        for line in after:
            if book.effective[code := read(line)]:
                yield code, -1

    whole = sequence(stretch(hunk.before, hunk.own, hunk.after) for hunk in edit.lines.hunks)
    removed = frozenset(map(read, edit.lines.removed))
    return EditSide(edit, own, whole, _places(whole, len(own)), removed, tails)


def reader(path: str, book: Codebook) -> Callable[[RawLine], int]:
    """Return what turns a line of a file into its code; notebooks are unescaped first."""
    if not path.endswith(notebook.SUFFIX):
        return book.number
    return lambda line: book.number(notebook.source(line) if isinstance(line, str) else line)


def fresh(side: EditSide) -> Counter[int]:
    """Count an edit's own lines that are new, those it merely restyled left out."""
    return Counter(code for code in side.own if code not in side.removed)


def _places(whole: Sequence, count: int) -> list[int]:
    places = [0] * count
    for at, credit in enumerate(whole.credits):
        if credit >= 0:
            places[credit] = at
    return places
