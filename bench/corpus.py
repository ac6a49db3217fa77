"""Compares audits of recorded real commits with the recorder's count; measures chance."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from bench.audits import Auditor, Document, Question
from bench.console import ratio, say, table
from bench.engine import kept_evidence, own_lines
from bench.lines import normalize
from ghapp.attribution.model import AddedLine, Edit, EditResult
from ghapp.attribution.unified_diff import parse_diff

CHANCE_SHIFT = timedelta(days=23)
"""This much later, the window starts 2 days after the merge, so no edit in it wrote the change."""

BEFORE, AFTER = timedelta(days=21), timedelta(days=2)
NEAR = 10.0
"""Percentage points within which two counts of a unit agree."""


class Figure(msgspec.Struct, frozen=True):
    """The recorder's own count of a unit; see the corpus' own description."""

    agent_lines: int
    total_committed: int
    agent_percentage: float
    self_consistent: bool


class Recorded(msgspec.Struct, frozen=True):
    """What a corpus says about one unit (``case.json``)."""

    sha: str
    merged_at: datetime
    complete: bool
    fully_recorded: bool
    figure: Figure | None = None

    @property
    def is_usable(self) -> bool:
        """Return whether the recorder's count of this unit is comparable."""
        figure = self.figure
        return bool(self.complete and figure and figure.self_consistent and figure.agent_lines)


@dataclass(frozen=True)
class Unit:
    """One recorded commit, its audit, and its audit with a window that cannot be right."""

    name: str
    recorded: Recorded
    question: Question
    found: Document
    chance: Document

    @property
    def share(self) -> float | None:
        """Attributed by effective lines in percent; ``None``: no effective line."""
        part = ratio(self.found.totals.attributed, self.found.totals.effective)
        return None if part is None else 100 * part


@dataclass(frozen=True)
class Miss:
    """A missed effective line, and where its text occurs in the evidence."""

    unit: str
    path: str
    line: int
    reason: str
    difference: float | None
    text: str
    stands: str


def measure(
    directory: Path, audit: Auditor, roots: tuple[str, ...], *, as_json: bool, show: int
) -> int:
    """Audit every unit of a corpus and print the figures; return the exit status."""
    units = [_unit(folder, directory, audit, roots) for folder in _folders(directory)]
    edits = kept_evidence((directory / "transcripts",), ()).edits
    misses = [miss for unit in units for miss in _misses(unit, edits)]
    figures = _figures(units, edits)
    if as_json:
        counts = Counter(f"{miss.reason}/{miss.stands}" for miss in misses)
        say(json.dumps({**figures, "misses": counts}, indent=2, sort_keys=True))
        return 0
    _print_units(units)
    _print_reasons(units, misses)
    _print_misses(misses, show)
    say()
    for name, value in figures.items():
        say(f"{name:48} {value:.4f}" if isinstance(value, float) else f"{name:48} {value}")
    return 0


def _folders(directory: Path) -> list[Path]:
    return sorted(path.parent for path in (directory / "units").glob("*/case.json"))


def _unit(folder: Path, directory: Path, audit: Auditor, roots: tuple[str, ...]) -> Unit:
    recorded = msgspec.json.decode((folder / "case.json").read_bytes(), type=Recorded)
    evidence = (directory / "transcripts",)
    question = Question(folder / "change.diff", recorded.merged_at, evidence, roots)
    later = Question(question.diff, recorded.merged_at + CHANCE_SHIFT, evidence, roots)
    return Unit(folder.name, recorded, question, audit(question), audit(later))


# --- figures ------------------------------------------------------------------------------------


def _figures(units: Sequence[Unit], edits: Sequence[Edit]) -> dict[str, float | int | None]:
    usable = [unit for unit in units if unit.recorded.is_usable]
    recorded = [unit for unit in units if unit.recorded.fully_recorded]
    busy = [_busy(unit, edits) for unit in units]
    return {
        "units": len(units),
        "usable units": len(usable),
        "usable units within 10 points": sum(_is_near(unit) for unit in usable),
        "share of usable units, ours": _share(usable, _found),
        "share of usable units, recorder's": _recorders(usable),
        "share of fully recorded units": _share(recorded, _found),
        "effective lines": sum(unit.found.totals.effective for unit in units),
        "attributed lines": sum(unit.found.totals.attributed for unit in units),
        "attributed by chance": sum(unit.chance.totals.attributed for unit in units),
        "chance rate": _share(units, _chance),
        "effective lines of files edited later": sum(effective for _, effective in busy),
        "chance rate in files edited later": ratio(
            sum(attributed for attributed, _ in busy), sum(effective for _, effective in busy)
        ),
    }


def _found(unit: Unit) -> Document:
    return unit.found


def _chance(unit: Unit) -> Document:
    return unit.chance


def _share(units: Iterable[Unit], of: Callable[[Unit], Document]) -> float | None:
    totals = [of(unit).totals for unit in units]
    return ratio(sum(one.attributed for one in totals), sum(one.effective for one in totals))


def _recorders(units: Iterable[Unit]) -> float | None:
    figures = [unit.recorded.figure for unit in units if unit.recorded.figure]
    return ratio(
        sum(one.agent_lines for one in figures), sum(one.total_committed for one in figures)
    )


def _is_near(unit: Unit) -> bool:
    figure = unit.recorded.figure
    if figure is None or unit.share is None:
        return False
    return abs(unit.share - figure.agent_percentage) <= NEAR


def _busy(unit: Unit, edits: Sequence[Edit]) -> tuple[int, int]:
    """Return attributed and effective lines, by chance, of files that agents edited later."""
    start = unit.recorded.merged_at + CHANCE_SHIFT - BEFORE
    end = unit.recorded.merged_at + CHANCE_SHIFT + AFTER
    touched = {edit.path for edit in edits if start <= edit.at <= end and _is_applied(edit)}
    files = [file for file in unit.chance.files if any(_is_of(path, file.path) for path in touched)]
    return sum(file.attributed for file in files), sum(file.effective for file in files)


def _is_applied(edit: Edit) -> bool:
    return edit.outcome is EditResult.APPLIED


def _is_of(edited: str, path: str) -> bool:
    return edited == path or edited.endswith("/" + path)


# --- misses -------------------------------------------------------------------------------------


def _misses(unit: Unit, edits: Sequence[Edit]) -> list[Miss]:
    texts = _texts(unit.question.diff)
    stands = _Standing(unit, edits)
    return [
        Miss(
            unit.name,
            file.path,
            line.line,
            line.reason,
            line.difference,
            texts[file.path, line.line],
            stands.of(file.path, texts[file.path, line.line]),
        )
        for file in unit.found.files
        for line in file.counted()
        if not line.attributed
    ]


def _texts(diff: Path) -> dict[tuple[str, int], str]:
    files = parse_diff(diff.read_bytes())
    added: list[tuple[str, AddedLine]] = [
        (file.path, line) for file in files for line in file.added()
    ]
    return {(path, line.number): line.text for path, line in added}


class _Standing:
    """Finds a line's text in the edits of a unit's window."""

    def __init__(self, unit: Unit, edits: Sequence[Edit]) -> None:
        start, end = unit.recorded.merged_at - BEFORE, unit.recorded.merged_at + AFTER
        self._paths: dict[str, set[str]] = {}
        self._unapplied: set[str] = set()
        for edit in edits:
            if start <= edit.at <= end:
                self._learn(edit)

    def _learn(self, edit: Edit) -> None:
        for text in own_lines(edit):
            if _is_applied(edit):
                self._paths.setdefault(normalize(text), set()).add(edit.path)
            else:
                self._unapplied.add(normalize(text))

    def of(self, path: str, text: str) -> str:
        """Return ``same path``, ``other path``, ``not applied`` or ``nowhere``."""
        normal = normalize(text)
        paths = self._paths.get(normal, set())
        if any(_is_of(edited, path) for edited in paths):
            return "same path"
        if paths:
            return "other path"
        return "not applied" if normal in self._unapplied else "nowhere"


# --- printing -----------------------------------------------------------------------------------


def _print_units(units: Sequence[Unit]) -> None:
    head = ("unit", "effective", "attributed", "share %", "recorder %", "usable", "near", "chance")
    say(table([_row(unit) for unit in units], head))


def _row(unit: Unit) -> list[object]:
    recorded, totals = unit.recorded, unit.found.totals
    return [
        unit.name,
        totals.effective,
        totals.attributed,
        None if unit.share is None else f"{unit.share:.1f}",
        recorded.figure.agent_percentage if recorded.figure else None,
        "yes" if recorded.is_usable else "",
        ("yes" if _is_near(unit) else "NO") if recorded.is_usable else "",
        unit.chance.totals.attributed,
    ]


def _print_reasons(units: Sequence[Unit], misses: Sequence[Miss]) -> None:
    found, chance = _reasons(units, _found), _reasons(units, _chance)
    say("\nreasons of effective lines")
    names = sorted(set(found) | set(chance))
    rows = [(name, found[name], chance[name]) for name in names]
    say(table(rows, ("reason", "real window", "later window")))
    say("\nmissed lines: reason by where an equal line stands in the window's edits")
    places = ("nowhere", "not applied", "other path", "same path")
    counts = Counter((miss.reason, miss.stands) for miss in misses)
    reasons = sorted({miss.reason for miss in misses})
    rows_of = [(reason, *[counts[reason, place] for place in places]) for reason in reasons]
    total = Counter(miss.stands for miss in misses)
    say(table([*rows_of, ("all", *[total[place] for place in places])], ("reason", *places)))


def _reasons(units: Iterable[Unit], of: Callable[[Unit], Document]) -> Counter[str]:
    return Counter(
        line.reason for unit in units for file in of(unit).files for line in file.counted()
    )


def _print_misses(misses: Sequence[Miss], show: int) -> None:
    wanted = [miss for miss in misses if miss.stands == "same path"][:show]
    for miss in wanted:
        say(f"{miss.unit} {miss.path}:{miss.line} {miss.reason} {miss.difference} | {miss.text}")
