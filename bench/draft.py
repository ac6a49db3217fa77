"""A file in the making: segments of lines, each line with the truth of who wrote it."""

import ast
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from bench.lines import is_effective


@dataclass(frozen=True, slots=True)
class Mark:
    """The truth of one line: ``True`` agent's, ``False`` not, ``None`` not scored; and why."""

    truth: bool | None
    kind: str


def by_agent(kind: str) -> Mark:
    """Return the truth of a line that an agent wrote."""
    return Mark(truth=True, kind=kind)


def by_person(kind: str) -> Mark:
    """Return the truth of a line that must not be attributed."""
    return Mark(truth=False, kind=kind)


def untold(kind: str) -> Mark:
    """Return the truth of a line whose author nobody could tell; it gets no score."""
    return Mark(truth=None, kind=kind)


BASE = untold("base")
HUMAN = by_person("human")
VERBATIM = by_agent("verbatim")


@dataclass(frozen=True, slots=True)
class Cell:
    """One line and its truth."""

    text: str
    mark: Mark


Cells = tuple[Cell, ...]


def cells(lines: Sequence[str], mark: Mark) -> Cells:
    """Return lines that all have one truth."""
    return tuple(Cell(line, mark) for line in lines)


@dataclass
class Segment:
    """A stretch of a file, written in one piece."""

    cells: Cells
    """Its lines now."""
    target: tuple[str, ...] = ()
    """Its lines in the later release; empty: deleted, or kept as it is."""
    earlier: tuple[str, ...] | None = None
    """An earlier published version of the target that the base does not have; ``None``: none."""
    is_block: bool = False
    """Whether the change writes it; ``False``: it stays as in the base."""
    edits: list[str] = field(default_factory=list)
    """Ids of the applied edits that wrote here, oldest first."""
    was: tuple[str, ...] = ()
    """The base's lines that the change removes here."""

    @property
    def counts(self) -> bool:
        """Return whether the change writes any effective line here."""
        return any(is_effective(line) for line in self.target)


@dataclass
class Draft:
    """A file in the making. ``previous_path`` is ``None`` if it keeps its name."""

    path: str
    segments: list[Segment]
    previous_path: str | None = None
    is_new: bool = False
    exists: bool = True
    """Whether the file exists by now."""
    renamed: bool = False
    """Whether the file has its new name by now."""

    @property
    def current_path(self) -> str:
        """Return the file's name at this moment."""
        return self.path if self.renamed or not self.previous_path else self.previous_path

    def lines(self, changes: Mapping[int, Cells] | None = None) -> list[str]:
        """Return the file's lines now, or as they would be after some changes."""
        return [cell.text for cell in self.all_cells(changes)]

    def all_cells(self, changes: Mapping[int, Cells] | None = None) -> list[Cell]:
        """Return the file's cells, some segments replaced; keyed by ``id`` of the segment."""
        found: list[Cell] = []
        for segment in self.segments:
            found += (changes or {}).get(id(segment), segment.cells)
        return found


# --- from two releases to segments --------------------------------------------------------------


def draft_segments(old: Sequence[str], new: Sequence[str], rng: Random, path: str) -> list[Segment]:
    """Cut a file's two versions into kept segments and blocks to be written.

    Some functions that differ are taken out of the base as a whole, with their earlier
    version kept: an agent can write that one, and somebody else can bring it forward.
    """
    found: list[Segment] = []
    i = j = 0
    for (i1, i2), (j1, j2) in _evolved(old, new, rng, path):
        found += _between(old[i:i1], new[j:j1], rng)
        found.append(Segment((), tuple(new[j1:j2]), tuple(old[i1:i2]), is_block=True))
        i, j = i2, j2
    return found + _between(old[i:], new[j:], rng)


def new_segments(new: Sequence[str], rng: Random) -> list[Segment]:
    """Cut a file without a base into blocks."""
    return [Segment((), tuple(part), is_block=True) for part in _parts(new, rng)]


def _between(old: Sequence[str], new: Sequence[str], rng: Random) -> list[Segment]:
    found: list[Segment] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            found.append(Segment(cells(old[i1:i2], BASE)))
            continue
        parts = _parts(new[j1:j2], rng) or [[]]
        for number, part in enumerate(parts):
            was = cells(old[i1:i2], BASE) if number == 0 else ()
            removed = tuple(old[i1:i2])
            found.append(Segment(was, tuple(part), is_block=True, was=removed))
    return found


def _parts(lines: Sequence[str], rng: Random) -> list[list[str]]:
    """Cut lines at blank ones into pieces of some 3 to 40 lines."""
    parts: list[list[str]] = []
    part: list[str] = []
    wanted = rng.choice((3, 6, 10, 20, 40))
    for line in lines:
        part.append(line)
        if len(part) >= wanted and not line.strip():
            parts.append(part)
            part, wanted = [], rng.choice((3, 6, 10, 20, 40))
    return [*parts, part] if part else parts


Span = tuple[int, int]


def _evolved(
    old: Sequence[str], new: Sequence[str], rng: Random, path: str
) -> list[tuple[Span, Span]]:
    """Return line spans of functions that both versions have, changed, in the same order."""
    if not path.endswith(".py"):
        return []
    before, after = functions(old), functions(new)
    found: list[tuple[Span, Span]] = []
    end_old = end_new = 0
    for name, span in sorted(after.items(), key=lambda item: item[1]):
        earlier = before.get(name)
        if earlier is None or earlier[0] < end_old or span[0] < end_new or rng.random() < 0.4:
            continue
        one, other = old[slice(*earlier)], new[slice(*span)]
        if one != other and 4 <= len(one) <= 80 and len(other) <= 80:
            found.append((earlier, span))
            end_old, end_new = earlier[1], span[1]
    return found


def functions(lines: Sequence[str]) -> dict[str, Span]:
    """Return the line spans of a Python file's functions; none if it does not parse."""
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError):
        return {}
    found: dict[str, Span] = {}
    for node in tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        for one in inner:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                start = min([one.lineno, *[entry.lineno for entry in one.decorator_list]]) - 1
                found[prefix + one.name] = (start, one.end_lineno or one.lineno)
    return found


def stretches(lines: Sequence[str], rng: Random) -> list[Span]:
    """Return spans of whole functions or paragraphs of a file, in order, not overlapping."""
    spans = sorted(functions(lines).values())
    if spans:
        return spans
    found: list[Span] = []
    start = 0
    for part in _parts(lines, rng):
        found.append((start, start + len(part)))
        start += len(part)
    return found
