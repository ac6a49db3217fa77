"""Credits lines that a command of an agent rewrote, by its substitution (rules.md 2.19).

It compares no texts for likeness: a removed line of a hunk must become an added line of the same
hunk by the substitution itself. It needs the text of both, so fingerprints give no such credit.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from ghapp.attribution.identity import is_drawn
from ghapp.attribution.linear_pattern import PatternError, StepBudget, compiled
from ghapp.attribution.matching import FileMatching, LineCredit
from ghapp.attribution.model import (
    CommandSubstitution,
    Edit,
    EditResult,
    FileDiff,
    FileStatus,
    LineRewrite,
    PathFilter,
    ReachedFiles,
    Reason,
)
from ghapp.attribution.normalize import LONGEST_LINE, normalize
from ghapp.attribution.paths import KnownCheckouts, below
from ghapp.attribution.sides import EditSide, side_without_lines

MOST_STEPS = 2_000_000
"""Steps of patterns for all files of a change; what would take more is left without a credit."""


class _HunkText(NamedTuple):
    """What a hunk removes, and its added lines that nobody has yet."""

    removed: list[str]
    added: dict[str, list[int]]
    """Normalized text → indices of the added lines with it, the last one first."""


def once_each(substitutions: Iterable[CommandSubstitution]) -> list[CommandSubstitution]:
    """Return each substitution once, however many copies of its record were read."""
    kept: dict[object, CommandSubstitution] = {}
    for one in substitutions:
        edit = one.edit
        at = None if is_drawn(edit.id) else edit.at
        same = edit.agent, edit.id, at, one.rewrites, one.reach
        known = kept.get(same)
        if known is None or _age(one) < _age(known):
            kept[same] = one
    return list(kept.values())


def _age(one: CommandSubstitution) -> tuple[datetime, str, str]:
    return one.edit.at, one.edit.id, one.edit.agent_session


def named_files(substitutions: Iterable[CommandSubstitution]) -> Iterator[Edit]:
    """Yield an edit without lines for each file that a command names: it may show a checkout."""
    for one in substitutions:
        for reached in one.reach:
            yield replace(one.edit, path=reached.path)


def reaches(one: CommandSubstitution, file: FileDiff, checkouts: KnownCheckouts) -> bool:
    """Return whether a command could reach a file of the change, by either of its names."""
    names = [file.path]
    if file.status is FileStatus.RENAMED and file.previous_path:
        names.append(file.previous_path)
    return any(
        _holds(reached, name, checkouts.folder(reached.path))
        for reached in one.reach
        for name in names
    )


def _holds(reached: ReachedFiles, path: str, start: str | None) -> bool:
    """Return whether a path is among reached files that start at a path of the repository."""
    if start is None:
        return False
    rest = path if reached.is_folder and not start else below(start, path)
    if rest is None or bool(rest) != reached.is_folder:
        return False
    return all(_passes(rest, one) for one in reached.filters)


def _passes(path: str, one: PathFilter) -> bool:
    try:
        pattern = compiled(one.expression, one.dialect, ignores_case=one.ignores_case)
        return (pattern.find(path, 0, StepBudget(MOST_STEPS // 10)) is None) == one.lacks
    except PatternError:
        return False


def rewritten(line: str, rewrites: Iterable[LineRewrite], budget: StepBudget) -> str | None:
    """Return a line after some rewrites; ``None``: it cannot be told, or not within the budget."""
    try:
        for one in rewrites:
            line = _rewritten(line, one, budget)
    except PatternError:
        return None
    return line


def _rewritten(line: str, one: LineRewrite, budget: StepBudget) -> str:
    pattern = compiled(one.expression, one.dialect, ignores_case=one.ignores_case)
    if one.only is not None and compiled(one.only, one.dialect).find(line, 0, budget) is None:
        return line
    parts: list[str] = []
    at = last = 0
    while at <= len(line):
        found = pattern.find(line, at, budget)
        if found is None:
            break
        # An empty match right after another one is none, in sed as in Perl.
        if found.end > found.start or not parts or found.start > last:
            parts.append(line[last : found.start])
            parts += [_part(line, part, found.groups) for part in one.parts]
            last = found.end
        at = found.end if found.end > found.start else found.end + 1
        if not one.everywhere or sum(map(len, parts)) > LONGEST_LINE:
            break
    return "".join([*parts, line[last:]])


def _part(line: str, part: str | int, groups: tuple[int, ...]) -> str:
    if isinstance(part, str):
        return part
    if 2 * part + 1 >= len(groups):
        message = "a group that the pattern lacks"
        raise PatternError(message)
    start, end = groups[2 * part], groups[2 * part + 1]
    return line[start:end] if start >= 0 else ""


def credit_substituted(
    files: Sequence[FileMatching | None],
    diffs: Sequence[FileDiff],
    substitutions: Sequence[CommandSubstitution],
    checkouts: KnownCheckouts,
) -> None:
    """Credit the uncredited lines of some files that a substitution made.

    ``substitutions`` are in the order of ties. A file that does not count is ``None``.
    """
    if not substitutions:
        return
    budget = StepBudget(MOST_STEPS)
    for matching, file in zip(files, diffs, strict=True):
        if matching is None or all(matching.credits):
            continue
        mine = [one for one in substitutions if reaches(one, file, checkouts)]
        if mine:
            _credit_file(matching, file, mine, budget)


def _credit_file(
    matching: FileMatching, file: FileDiff, mine: list[CommandSubstitution], budget: StepBudget
) -> None:
    sides: dict[int, EditSide] = {}
    orders = _orders(mine)
    for hunk in _hunks(matching, file):
        for line in hunk.removed:
            if not hunk.added:
                break
            one, text = _made(line, orders, hunk.added, budget)
            if one is None:
                continue
            places = hunk.added[text]
            side = sides.setdefault(id(one), side_without_lines(one.edit))
            matching.credits[places.pop()] = LineCredit(Reason.SUBSTITUTED, side, -1, 0.0)
            if not places:
                del hunk.added[text]


def _orders(mine: list[CommandSubstitution]) -> list[list[CommandSubstitution]]:
    """Return what may have happened to a line: each command alone, then a session's in order."""
    sessions: defaultdict[tuple[str, str], list[CommandSubstitution]] = defaultdict(list)
    for one in mine:
        sessions[one.edit.agent, one.edit.agent_session].append(one)
    together = [sorted(found, key=_age) for found in sessions.values() if len(found) > 1]
    return [[one] for one in mine] + together


def _made(
    line: str,
    orders: Iterable[Sequence[CommandSubstitution]],
    added: dict[str, list[int]],
    budget: StepBudget,
) -> tuple[CommandSubstitution | None, str]:
    """Return the command that made an added line of a removed one, and that line, normalized."""
    before = normalize(line)
    for order in orders:
        text: str | None = line
        for one in order:
            if text is None or not budget.spend(1):
                break
            text = rewritten(text, one.rewrites, budget)
            form = normalize(text) if text is not None and text != line else before
            # Other white space, quotes or case is restyling, as any program does it.
            if form != before and form in added:
                return one, form
    return None, ""


def _hunks(matching: FileMatching, file: FileDiff) -> Iterator[_HunkText]:
    """Yield each hunk that removes lines and adds some that count and that nobody has."""
    index = {
        number: at
        for at, (number, credit) in enumerate(
            zip(matching.file.numbers, matching.credits, strict=True)
        )
        if credit is None
    }
    for hunk in file.hunks:
        removed: list[str] = []
        added: defaultdict[str, list[int]] = defaultdict(list)
        number = hunk.new_start
        for origin, raw in hunk.lines:
            text = raw.removesuffix("\r")
            if origin == "-" and len(text) <= LONGEST_LINE:
                removed.append(text)
            elif origin == "+" and number in index:
                added[normalize(text)].append(index[number])
            number += origin != "-"
        if removed and added:
            yield _HunkText(removed, {text: at[::-1] for text, at in added.items()})


def counts(one: CommandSubstitution) -> bool:
    """Return whether a command surely succeeded."""
    return one.edit.outcome is EditResult.APPLIED
