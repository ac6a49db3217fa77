"""What a command surely added to a file or replaced, from its text before and after. It reads none.

A program that moves, wraps or restyles lines adds none: who wrote them, wrote them before.
"""

from collections.abc import Iterable, Sequence

from ghapp.attribution.linear_pattern import StepBudget
from ghapp.attribution.model import EditHunk, LineRewrite, TextLines
from ghapp.attribution.normalize import LONGEST_LINE, normalize
from ghapp.attribution.substituted import rewritten
from ghapp.evidence.own_lines import NO_LINES, from_marked, from_texts, split_lines


def lines_of(texts: Iterable[str]) -> frozenset[str]:
    """Return the normalized lines of some texts."""
    return frozenset(normalize(line) for text in texts for line in split_lines(text))


def observed_lines(before: str, after: str, known: frozenset[str]) -> TextLines:
    """Return the lines that a command added to a file.

    ``known`` are the normalized lines of the files that it changed or names, as they were before:
    a line that is among them was there, perhaps elsewhere. So was a stretch in which only white
    space, quotation marks and the commas that formatters add differ from what was removed.
    """
    lines = from_texts(before, after)
    removed = _compact(lines.removed)
    regions: list[list[tuple[str, bool]]] = []
    for hunk in lines.hunks:
        is_wrapped = _compact(hunk.own) in removed
        own = [(line, not is_wrapped and normalize(line) not in known) for line in hunk.own]
        regions.append([*_unchanged(hunk.before), *own, *_unchanged(hunk.after)])
    return from_marked(regions, lines.removed)


def replaced_lines(
    before: str, after: str, rewrites: Sequence[LineRewrite], budget: StepBudget
) -> TextLines:
    """Return the lines that substitutions made, each beside the removed line that it was.

    A substitution leaves every line where it is, so a file with more or fewer lines has other
    changes, too, and gives none.
    """
    old, new = split_lines(before), split_lines(after)
    if not rewrites or len(old) != len(new):
        return NO_LINES
    pairs = [
        (was, now)
        for was, now in zip(old, new, strict=True)
        if was != now and len(was) <= LONGEST_LINE and rewritten(was, rewrites, budget) == now
    ]
    if not pairs:
        return NO_LINES
    removed, own = zip(*pairs, strict=True)
    return TextLines((EditHunk((), own, ()),), removed)


def _unchanged(lines: Iterable[str]) -> list[tuple[str, bool]]:
    return [(line, False) for line in lines]


def _compact(lines: Iterable[str]) -> str:
    """Return lines as one, without what formatters add and take away."""
    joined = "".join(normalize(line) for line in lines)
    return "".join(sign for sign in joined if not sign.isspace() and sign not in ",;()'\\")
