"""What a command surely added to a file, from its text before and after. It reads no file.

A program that moves, wraps or restyles lines adds none: who wrote them, wrote them before.
"""

from collections.abc import Iterable

from ghapp.attribution.model import TextLines
from ghapp.attribution.normalize import normalize
from ghapp.evidence.own_lines import from_marked, from_texts, split_lines


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


def _unchanged(lines: Iterable[str]) -> list[tuple[str, bool]]:
    return [(line, False) for line in lines]


def _compact(lines: Iterable[str]) -> str:
    """Return lines as one, without what formatters add and take away."""
    joined = "".join(normalize(line) for line in lines)
    return "".join(sign for sign in joined if not sign.isspace() and sign not in ",;()'\\")
