"""Which commands of agents count, what they reached, and what they moved. It credits no line.

The rules are 2.19 and 2.20 of docs/rules.md. A command counts only where the text of it is known.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec.structs import replace

from ghapp.attribution.identity import is_drawn
from ghapp.attribution.linear_pattern import PatternError, StepBudget, compiled
from ghapp.attribution.model import (
    Edit,
    EditLines,
    EditResult,
    FileDiff,
    FileStatus,
    PathFilter,
    ReachedFiles,
    ShellCommand,
)
from ghapp.attribution.paths import KnownCheckouts, below, tidy
from ghapp.attribution.policy import Policy

FILTER_STEPS = 200_000
"""Steps of one pattern over one path."""

MOST_MOVED = 50_000
"""Edits that get another path by commands; beyond, what is moved is left where it was."""


def counting(commands: Iterable[ShellCommand], policy: Policy) -> list[ShellCommand]:
    """Return the commands that surely succeeded and that a policy asks for, each once."""
    return once_each(
        one
        for one in commands
        if one.edit.outcome is EditResult.APPLIED
        and (policy.substitutions if one.rewrites else policy.shell_text)
    )


def once_each(commands: Iterable[ShellCommand]) -> list[ShellCommand]:
    """Return each command's deed once, however many copies of its record were read."""
    kept: dict[object, ShellCommand] = {}
    for one in commands:
        edit = one.edit
        at = None if is_drawn(edit.id) else edit.at
        deed = one.rewrites, one.reach, edit.path, edit.lines, one.source
        same = edit.agent, edit.id, at, deed
        known = kept.get(same)
        if known is None or by_age(one) < by_age(known):
            kept[same] = one
    return list(kept.values())


def by_age(one: ShellCommand) -> tuple[datetime, str, str]:
    """Return what commands are sorted by, the oldest first."""
    return one.edit.at, one.edit.id, one.edit.agent_session


def named_files(commands: Iterable[ShellCommand]) -> Iterator[Edit]:
    """Yield an edit without lines for each file that a command names: it may show a checkout."""
    for one in commands:
        edit = replace(one.edit, lines=EditLines(hunks=()))
        for reached in one.reach:
            yield replace(edit, path=reached.path)


def reaches(
    one: ShellCommand, file: FileDiff, checkouts: KnownCheckouts, *, by_name: bool = False
) -> bool:
    """Return whether a command could reach a file of the change, by either of its names.

    ``by_name``: only a file that the command names itself counts.
    """
    names = [file.path]
    if file.status is FileStatus.RENAMED and file.previous_path:
        names.append(file.previous_path)
    return any(
        holds(reached, name, checkouts.folder(reached.path))
        for reached in one.reach
        if not (by_name and reached.is_folder)
        for name in names
    )


def holds(reached: ReachedFiles, path: str, start: str | None) -> bool:
    """Return whether a path is among reached files that start at a path of the same tree."""
    if start is None:
        return False
    rest = path if reached.is_folder and not start else below(start, path)
    if rest is None or bool(rest) != reached.is_folder:
        return False
    return all(_passes(rest, one) for one in reached.filters)


def _passes(path: str, one: PathFilter) -> bool:
    try:
        pattern = compiled(one.expression, one.dialect, ignores_case=one.ignores_case)
        return (pattern.find(path, 0, StepBudget(FILTER_STEPS)) is None) == one.lacks
    except PatternError:
        return False


def with_moved(edits: Iterable[Edit], commands: Iterable[ShellCommand]) -> list[Edit]:
    """Return edits, and those of moved or copied files again, with the path they have now.

    A move takes along what was written before it, also what an earlier one brought there.
    """
    found = list(edits)
    moves = sorted((one for one in commands if one.source is not None), key=by_age)
    if not moves:
        return found
    of_path: defaultdict[str, dict[int, Edit]] = defaultdict(dict)
    """Path → the edits there, by the edit as it was read."""
    for edit in found:
        of_path[tidy(edit.path)][id(edit)] = edit
    room = MOST_MOVED
    for move in moves:
        for path, rest in _below(tidy(str(move.source)), of_path):
            target = f"{tidy(move.edit.path)}/{rest}" if rest else tidy(move.edit.path)
            there = of_path[target]
            for key, edit in list(of_path[path].items()):
                if edit.at > move.edit.at or key in there:
                    continue
                room -= 1
                if room < 0:
                    return found
                there[key] = replace(edit, path=target)
                found.append(there[key])
    return found


def _below(source: str, paths: Iterable[str]) -> list[tuple[str, str]]:
    """Return the paths that are a file or in a folder, with what follows the folder's name."""
    rests = ((path, below(source, path)) for path in paths)
    return [(path, rest) for path, rest in rests if rest is not None]
