"""Credits lines that a substitution made while the collector's hook looked on (rules.md 2.19).

It is `ghapp.attribution.substituted` for fingerprints. The hook's machine had both texts and has
replaced the one line to get the other, so here a pair of lines needs only to be found in a hunk.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ghapp.attribution.candidates import CandidateEdits
from ghapp.attribution.matching import FileMatching, LineCredit
from ghapp.attribution.model import Edit, EditResult, FileDiff, Reason
from ghapp.attribution.sides import EditSide, RawLine, reader, side_without_lines


class _SeenLines(NamedTuple):
    """The lines of one file that one command's substitution made."""

    side: EditSide
    made: dict[int, int]
    """Code of the removed line → code of the line that it became."""


def credit_seen_substitutions(
    files: Sequence[FileMatching | None], diffs: Sequence[FileDiff], found: CandidateEdits
) -> None:
    """Credit the uncredited lines of some files that a substitution made before the hook.

    A file that does not count is ``None``.
    """
    if not found.seen:
        return
    for matching, file in zip(files, diffs, strict=True):
        if matching is None or all(matching.credits):
            continue
        mine = found.seen_in(file, EditResult.SUBSTITUTED)
        if mine:
            _credit_file(matching, file, mine)


def _credit_file(matching: FileMatching, file: FileDiff, mine: list[Edit]) -> None:
    read = reader(file.path, matching.book)
    seen = [_seen(edit, read(edit.lines.removed), read(_own(edit))) for edit in mine]
    orders = _orders(seen)
    for removed, added in _hunks(matching, file):
        for line in read(removed):
            one, to = _made(line, orders, added)
            if one is not None:
                matching.credits[added[to].pop(0)] = LineCredit(
                    Reason.SUBSTITUTED, one.side, -1, 0.0
                )


def _own(edit: Edit) -> list[RawLine]:
    return [line for hunk in edit.lines.hunks for line in hunk.own]


def _seen(edit: Edit, removed: Sequence[int], own: Sequence[int]) -> _SeenLines:
    # Each own line was the removed line at its place; what somebody sends may have fewer.
    made: dict[int, int] = {}
    for before, after in zip(removed, own, strict=False):
        if before != after:
            made.setdefault(before, after)
    return _SeenLines(side_without_lines(edit), made)


def _orders(mine: list[_SeenLines]) -> list[list[_SeenLines]]:
    """Return what may have happened to a line: each command alone, then a session's in order."""
    sessions: defaultdict[tuple[str, str], list[_SeenLines]] = defaultdict(list)
    for one in mine:
        edit = one.side.edit
        sessions[edit.agent, edit.agent_session].append(one)
    together = [sorted(found, key=_age) for found in sessions.values() if len(found) > 1]
    return [[one] for one in mine] + together


def _age(one: _SeenLines) -> tuple[object, ...]:
    return one.side.edit.at, one.side.edit.id


def _made(
    line: int, orders: Iterable[Sequence[_SeenLines]], added: dict[int, list[int]]
) -> tuple[_SeenLines | None, int]:
    """Return the command that made an added line of a removed one, and that line's code."""
    for order in orders:
        now = line
        for one in order:
            now = one.made.get(now, now)
            if now != line and added.get(now):
                return one, now
    return None, line


def _hunks(
    matching: FileMatching, file: FileDiff
) -> Iterator[tuple[list[str], dict[int, list[int]]]]:
    """Yield of each hunk the removed lines, and the added ones that nobody has: code → indices."""
    index = {number: at for at, number in enumerate(matching.file.numbers)}
    for hunk in file.hunks:
        added: defaultdict[int, list[int]] = defaultdict(list)
        number = hunk.new_start
        for origin, _ in hunk.lines:
            at = index.get(number) if origin == "+" else None
            if at is not None and matching.credits[at] is None:
                added[matching.file.added[at]].append(at)
            number += origin != "-"
        removed = [text.removesuffix("\r") for origin, text in hunk.lines if origin == "-"]
        if removed and added:
            yield removed, dict(added)
