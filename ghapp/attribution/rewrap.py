"""Finds stretches of two texts that differ only in their line breaks. It credits nothing.

A formatter turns an agent's code into such stretches.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

BEGINNING = 8
"""Characters at the start of a line that the index of candidates uses."""

LONGEST = 60
"""Lines of the longest stretch on either side."""

Stretch = tuple[list[int], list[int]]
"""Own lines and added lines with the same text, by index."""


class WrappedText:
    """A file's added lines, without what a formatter moves (`Codebook.compact`)."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._starts: dict[str, list[int]] = {}
        starts = self._starts
        for at, key in enumerate([text[:BEGINNING] for text in texts]):
            if key in starts:
                starts[key].append(at)
            elif key:
                starts[key] = [at]
        self._keys = sorted(starts)
        self._short: dict[str, list[str]] = {}
        """The keys that are whole lines, by their first letter."""
        for key in [key for key in starts if len(key) < BEGINNING]:
            self._short.setdefault(key[0], []).append(key)

    def stretches(
        self,
        own: Sequence[int],
        own_texts: Sequence[str],
        among: range,
        is_free: Callable[[int], bool],
    ) -> Iterator[Stretch]:
        """Yield the stretches of own lines that are also in some added lines, in order.

        ``own_texts`` are the texts of ``own``. Stretches do not overlap, and at least one side of
        each has two lines or more.
        """
        done = among.start
        start = 0
        while start < len(own):
            found = self._first(own_texts, start, range(done, among.stop), is_free)
            if found:
                own_end, added = found
                yield list(own[start:own_end]), list(added)
                start, done = own_end, added.stop
            else:
                start += 1

    def _first(
        self, own: Sequence[str], start: int, among: range, is_free: Callable[[int], bool]
    ) -> tuple[int, range] | None:
        for at in self._candidates(own[start]):
            if at in among and is_free(at):
                ends = self._ends(own, start, at, among.stop, is_free)
                if ends:
                    return ends[0], range(at, ends[1])
        return None

    def _candidates(self, text: str) -> list[int]:
        """Return, in order, the lines that may begin the same stretch as a text.

        One of two such lines is a prefix of the other, so this index misses none.
        """
        starts = self._starts
        if not text:
            return []
        if len(text) < BEGINNING:
            first = last = bisect_left(self._keys, text)
            while last < len(self._keys) and self._keys[last].startswith(text):
                last += 1
            longer = self._keys[first:last]
        else:
            longer = [text[:BEGINNING]] if text[:BEGINNING] in starts else []
        short = self._short.get(text[:1], ())
        keys = longer + [key for key in short if key != text and text.startswith(key)]
        if len(keys) == 1:
            return starts[keys[0]]
        return sorted(at for key in keys for at in starts[key])

    def _ends(
        self, own: Sequence[str], i: int, j: int, stop: int, is_free: Callable[[int], bool]
    ) -> tuple[int, int] | None:
        """Return the ends of the shortest equal stretches from ``i`` and ``j``, or ``None``."""
        one, other = own[i], self._texts[j]
        own_end, added_end = i + 1, j + 1
        while own_end - i <= LONGEST and added_end - j <= LONGEST:
            if one == other:
                return (own_end, added_end) if own_end - i + added_end - j > 2 else None
            if len(one) < len(other):
                if own_end == len(own) or not other.startswith(one):
                    return None
                one += own[own_end]
                own_end += 1
            else:
                if added_end == stop or not one.startswith(other) or not is_free(added_end):
                    return None
                other += self._texts[added_end]
                added_end += 1
        return None
