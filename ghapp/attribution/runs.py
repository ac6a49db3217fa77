"""Finds runs of equal lines in a file's diff and an edit. It decides nothing about them.

It works like patience and histogram diff: it starts at lines that are rare in the file, and
extends in both directions while both sides are equal.
"""

from operator import itemgetter
from typing import NamedTuple

GAP = -1
"""Code between two stretches of a sequence that are not adjacent."""

SEED_LIMIT = 32
"""A line with more occurrences in a file than this starts no run; it can only extend one."""


_BY_PLACE = itemgetter(1, 0)


class LineSequence(NamedTuple):
    """The effective lines of a file's new side, or of an edit's new text, in order.

    ``codes`` are code book numbers with `GAP` between stretches. ``credits[i]`` is the index of
    the added line, or of the edit's own line, at ``i``; -1 if ``codes[i]`` is unchanged context.
    """

    codes: list[int]
    credits: list[int]


class EqualRun(NamedTuple):
    """``length`` equal lines: from ``at_file`` in the file, from ``at_edit`` in the edit."""

    at_file: int
    at_edit: int
    length: int


def index(codes: list[int]) -> dict[int, list[int]]:
    """Return each code's positions in ascending order, without gaps."""
    positions: dict[int, list[int]] = {}
    for at, code in enumerate(codes):
        if code != GAP:
            positions.setdefault(code, []).append(at)
    return positions


def equal_runs(file: list[int], positions: dict[int, list[int]], edit: list[int]) -> list[EqualRun]:
    """Return the maximal runs of both sides, by position in the edit, then in the file.

    ``positions`` is `index` of ``file``. Each run has at least one line that occurs in the file
    at most `SEED_LIMIT` times.
    """
    if positions.keys().isdisjoint(edit):
        return []
    found: list[EqualRun] = []
    reached: dict[int, int] = {}
    for at_edit, seeds in enumerate(map(positions.get, edit)):
        if seeds is None or len(seeds) > SEED_LIMIT:
            continue
        for at_file in seeds:
            diagonal = at_file - at_edit
            if reached.get(diagonal, -1) >= at_edit:
                continue
            run = _extended(file, edit, at_file, at_edit)
            reached[diagonal] = run.at_edit + run.length - 1
            found.append(run)
    return sorted(found, key=_BY_PLACE)


def _extended(file: list[int], edit: list[int], at_file: int, at_edit: int) -> EqualRun:
    """Return the maximal run through one pair of equal lines."""
    start = 0
    while (
        at_file + start > 0
        and at_edit + start > 0
        and file[at_file + start - 1] == edit[at_edit + start - 1] != GAP
    ):
        start -= 1
    end = 1
    while (
        at_file + end < len(file)
        and at_edit + end < len(edit)
        and file[at_file + end] == edit[at_edit + end] != GAP
    ):
        end += 1
    return EqualRun(at_file + start, at_edit + start, end - start)
