"""Credits lines that a command of an agent rewrote, by its substitution (rules.md 2.19).

It compares no texts for likeness: a removed line of a hunk must become an added line of the same
hunk by the substitution itself. It needs the text of both: of fingerprints, only the hook's
machine had it (`ghapp.attribution.seen_substitutions`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ghapp.attribution.linear_pattern import PatternError, StepBudget, compiled
from ghapp.attribution.matching import FileMatching, LineCredit
from ghapp.attribution.model import FileDiff, LineRewrite, Reason, ShellCommand
from ghapp.attribution.normalize import LONGEST_LINE, normalize
from ghapp.attribution.paths import KnownCheckouts
from ghapp.attribution.shell_commands import by_age, reaches
from ghapp.attribution.sides import EditSide, side_without_lines

MOST_STEPS = 2_000_000
"""Steps of patterns for all files of a change; what would take more is left without a credit."""


class _HunkText(NamedTuple):
    """What a hunk removes, and its added lines that nobody has yet."""

    removed: list[str]
    added: dict[str, list[int]]
    """Normalized text → indices of the added lines with it, the last one first."""


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
    commands: Sequence[ShellCommand],
    checkouts: KnownCheckouts,
) -> None:
    """Credit the uncredited lines of some files that a substitution made.

    ``commands`` are in the order of ties. A file that does not count is ``None``.
    """
    commands = [one for one in commands if one.rewrites]
    if not commands:
        return
    budget = StepBudget(MOST_STEPS)
    for matching, file in zip(files, diffs, strict=True):
        if matching is None or all(matching.credits):
            continue
        mine = [one for one in commands if reaches(one, file, checkouts)]
        if mine:
            _credit_file(matching, file, mine, budget)


def _credit_file(
    matching: FileMatching, file: FileDiff, mine: list[ShellCommand], budget: StepBudget
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


def _orders(mine: list[ShellCommand]) -> list[list[ShellCommand]]:
    """Return what may have happened to a line: each command alone, then a session's in order."""
    sessions: defaultdict[tuple[str, str], list[ShellCommand]] = defaultdict(list)
    for one in mine:
        sessions[one.edit.agent, one.edit.agent_session].append(one)
    together = [sorted(found, key=by_age) for found in sessions.values() if len(found) > 1]
    return [[one] for one in mine] + together


def _made(
    line: str,
    orders: Iterable[Sequence[ShellCommand]],
    added: dict[str, list[int]],
    budget: StepBudget,
) -> tuple[ShellCommand | None, str]:
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
