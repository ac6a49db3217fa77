"""The lines that an edit added, with their context. It knows no transcript format.

An edit's own lines are the lines of its new text that were not in the replaced text (rules.md
2.5). A line that only moved within the replaced text was there before, so it is context. A
re-indented line is own, as it is an added line of a diff. Its removed old form is kept too, and
the engine requires the same removal from the change.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ghapp.attribution.model import EditHunk, TextLines
from ghapp.attribution.normalize import is_effective, normalize

CONTEXT = 3
"""Unchanged lines kept on each side of a stretch of own lines."""

LARGEST_ALIGNMENT = 200_000_000
"""Old lines times new lines up to which texts are aligned: each pair needs one bit."""

NO_LINES = TextLines(hunks=())

_ONLY_NEW = frozenset("+ ")


class TextReplacement(NamedTuple):
    """One search and replace, as an agent asks for it."""

    old: str
    new: str
    everywhere: bool = False


class _Region(NamedTuple):
    """An unbroken stretch of the new text: its lines, and which of them were added."""

    texts: list[str]
    own: list[bool]


def split_lines(text: str) -> list[str]:
    r"""Return the lines of a text as git counts them; a final line end starts no new line.

    >>> split_lines("a\r\nb\x0cc\n")
    ['a', 'b\x0cc']
    """
    if not text:
        return []
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines] if "\r" in text else lines


def all_own(text: str) -> TextLines:
    """Return the lines of a text that replaced nothing: all are own."""
    own = tuple(split_lines(text))
    return TextLines(hunks=(EditHunk((), own, ()),)) if own else NO_LINES


def from_patch(hunks: Iterable[Sequence[str]], new_text: str) -> TextLines:
    """Return the own lines of a patch whose lines start with ``+``, ``-`` or a space.

    Patches of Claude Code show two spaces for each leading tab. The whole lines of
    ``new_text``, which the agent wrote, restore the tabs.
    """
    tabbed = _by_look_in_patch(new_text) if "\t" in new_text else {}
    regions: list[_Region] = []
    removed: list[str] = []
    for hunk in hunks:
        region = _to_region(hunk, removed)
        if tabbed:
            region.texts[:] = [tabbed.get(text, text) for text in region.texts]
        regions.append(region)
    return _to_lines(regions, removed)


def _to_region(hunk: Sequence[str], removed: list[str]) -> _Region:
    """Return the new lines of a hunk; append its removed lines to ``removed``."""
    lines = [line.removesuffix("\r") for line in hunk] if "\r" in "".join(hunk) else hunk
    signs = [line[:1] for line in lines]
    if _ONLY_NEW.issuperset(signs):
        # Most hunks remove nothing. Two comprehensions split them in a third of the loop's time.
        return _Region([line[1:] for line in lines], [sign == "+" for sign in signs])
    region = _Region([], [])
    for line in lines:
        if line[:1] == "+":
            region.texts.append(line[1:])
            region.own.append(True)
        elif line[:1] == " ":
            region.texts.append(line[1:])
            region.own.append(False)
        elif line[:1] == "-":
            removed.append(line[1:])
    return region


def from_marked(regions: Iterable[Iterable[tuple[str, bool]]], removed: Iterable[str]) -> TextLines:
    """Return the own lines of stretches of the new text; each line comes with whether it is own."""
    marked = [list(region) for region in regions]
    return _to_lines(
        [_Region([text for text, _ in one], [own for _, own in one]) for one in marked],
        list(removed),
    )


def from_texts(old: str, new: str) -> TextLines:
    """Return the own lines of a text that replaced another."""
    return from_pieces([TextReplacement(old, new)])


def from_pieces(replacements: Iterable[TextReplacement]) -> TextLines:
    """Return the own lines of replacements in a file whose text is not known.

    The first and the last line of each may be only parts of lines.
    """
    removed: list[str] = []
    regions = [
        _align(split_lines(piece.old), split_lines(piece.new), removed) for piece in replacements
    ]
    return _to_lines(regions, removed)


def only_from(lines: TextLines, text: str) -> TextLines:
    """Return lines of which only those are own that a text has too, as often as it has them.

    For an edit that a person changed before it was made, ``text`` is what the agent proposed.
    """
    left = Counter(split_lines(text))
    regions: list[list[tuple[str, bool]]] = []
    for hunk in lines.hunks:
        marked = [(line, False) for line in hunk.before]
        for line in hunk.own:
            marked.append((line, left[line] > 0))
            left[line] -= 1
        regions.append([*marked, *((line, False) for line in hunk.after)])
    return from_marked(regions, lines.removed)


def replace(text: str, replacements: Iterable[TextReplacement]) -> str | None:
    """Return a text after replacements in order; ``None``: one of them does not fit."""
    for old, new, everywhere in replacements:
        if not old and text:
            return None
        if old and old not in text:
            return None
        text = text.replace(old, new, -1 if everywhere else 1) if old else new
    return text


# --- aligning -----------------------------------------------------------------------------------


def _align(old: list[str], new: list[str], removed: list[str]) -> _Region:
    """Return the new lines that changed, with context; append what is gone to ``removed``."""
    start = _common_start(old, new)
    end = _common_start(old[start:][::-1], new[start:][::-1])
    stop = len(new) - end
    middle = _align_middle(old[start : len(old) - end], new[start:stop], removed)
    before, after = new[max(0, start - CONTEXT) : start], new[stop : stop + CONTEXT]
    return _Region(
        before + new[start:stop] + after, [False] * len(before) + middle + [False] * len(after)
    )


def _common_start(old: Sequence[str], new: Sequence[str]) -> int:
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count


def _align_middle(old: list[str], new: list[str], removed: list[str]) -> list[bool]:
    """Return which new lines were added: all but the longest common subsequence."""
    if not old or not new:
        removed += old
        return [True] * len(new)
    if len(old) * len(new) > LARGEST_ALIGNMENT:
        return _align_by_count(old, new, removed)
    numbers: dict[str, int] = {}
    coded_old = [numbers.setdefault(line, len(numbers)) for line in old]
    coded_new = [numbers.setdefault(line, len(numbers)) for line in new]
    from rapidfuzz.distance import LCSseq  # noqa: PLC0415 - a patch needs no alignment

    own: list[bool] = []
    for step in LCSseq.opcodes(coded_old, coded_new):
        own += [step.tag != "equal"] * (step.dest_end - step.dest_start)
        if step.tag != "equal":
            removed += old[step.src_start : step.src_end]
    return own


def _align_by_count(old: list[str], new: list[str], removed: list[str]) -> list[bool]:
    """Align huge texts without order: a line stays as often as the old text had it."""
    left = Counter(old)
    own: list[bool] = []
    for line in new:
        stays = left[line] > 0
        left[line] -= stays
        own.append(not stays)
    removed += left.elements()
    return own


# --- from aligned lines to hunks ----------------------------------------------------------------


def _to_lines(regions: list[_Region], removed: list[str]) -> TextLines:
    """Return own lines with context; lines that only moved within the edit are context."""
    if removed:
        removed = _without_moved(regions, removed)
    hunks = [hunk for region in regions for hunk in _stretches(region)]
    return TextLines(hunks=tuple(hunks), removed=tuple(removed))


def _without_moved(regions: list[_Region], removed: list[str]) -> list[str]:
    """Turn own lines that the replaced text had into context; return what is really gone.

    Blank lines and brackets stay own: they do not count, and as context they would only split
    the stretches of own lines.
    """
    added = {
        _look_in_patch(text)
        for texts, own in regions
        for text, is_own in zip(texts, own, strict=True)
        if is_own
    }
    looks = ((_look_in_patch(text), text) for text in removed)
    # Few lines stand on both sides, and only those are worth normalizing.
    stood = Counter(look for look, text in looks if look in added and is_effective(normalize(text)))
    if not stood:
        return removed
    moved: Counter[str] = Counter()
    for texts, own in regions:
        for at, text in enumerate(texts):
            if own[at] and stood.get(look := _look_in_patch(text), 0) > moved[look]:
                moved[look] += 1
                own[at] = False
    return _less(removed, moved) if moved else removed


def _less(lines: list[str], taken: Counter[str]) -> list[str]:
    """Return lines without the counted ones, dropping the first occurrences."""
    left = []
    for line in lines:
        look = _look_in_patch(line)
        if taken[look] > 0:
            taken[look] -= 1
        else:
            left.append(line)
    return left


def _stretches(region: _Region) -> list[EditHunk[str]]:
    """Cut a region into stretches of own lines, each with its context."""
    texts, own = region
    hunks: list[EditHunk[str]] = []
    last_end = 0
    start = _next(own, 0, value=True)
    while start < len(own):
        end = _next(own, start, value=False)
        following = _next(own, end, value=True)
        hunks.append(
            EditHunk(
                tuple(texts[max(last_end, start - CONTEXT) : start]),
                tuple(texts[start:end]),
                tuple(texts[end : min(following, end + CONTEXT)]),
            )
        )
        last_end, start = end, following
    return hunks


def _next(own: list[bool], at: int, *, value: bool) -> int:
    """Return the next index of a value, or the length of the list."""
    try:
        return own.index(value, at)
    except ValueError:
        return len(own)


def _by_look_in_patch(new_text: str) -> dict[str, str]:
    """Return the lines that start with tabs, by their look in a patch."""
    return {_look_in_patch(line): line for line in split_lines(new_text) if line[:1] == "\t"}


def _look_in_patch(line: str) -> str:
    """Return a line as patches of Claude Code show it: two spaces for each leading tab."""
    if line[:1] != "\t":
        return line
    rest = line.lstrip("\t")
    return "  " * (len(line) - len(rest)) + rest
