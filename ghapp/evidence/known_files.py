"""The file texts that a transcript has shown so far, within a fixed budget. It reads no disk.

They serve edits whose result does not hold the file: in subagents' transcripts, and for large
files. A text is stale if something else changed the file. A replacement that does not fit shows
that, and the text is dropped.
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from ghapp.evidence.own_lines import TextReplacement, replace

BUDGET = 16 * 1024 * 1024
"""Characters kept for all files together; the oldest files are dropped first."""


class _File:
    """One file's base text, perhaps still undecoded, and the replacements made since."""

    def __init__(self, load: Callable[[], str | None], size: int) -> None:
        self.load = load
        self.size = size
        self.replacements: list[TextReplacement] = []

    def text(self) -> str | None:
        """Return the text after the replacements; ``None``: not known."""
        base = self.load()
        return None if base is None else replace(base, self.replacements)


class KnownFiles:
    """The last known text of each file of one transcript."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._files: dict[str, _File] = {}
        self._size = 0

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def wrote(self, path: str, text: str) -> None:
        """Remember a file's whole text."""
        self.shown(path, len(text), lambda: text)

    def shown(self, path: str, size: int, load: Callable[[], str | None]) -> None:
        """Remember how to load a file's text; ``load`` runs only when the text is needed."""
        self.forget(path)
        self._files[path] = _File(load, size)
        self._size += size
        self._keep_to_budget()

    def replaced(self, path: str, replacements: list[TextReplacement]) -> None:
        """Remember replacements in a file whose text is known."""
        file = self._files.get(path)
        if file is None:
            return
        added = sum(len(piece.old) + len(piece.new) for piece in replacements)
        file.replacements += replacements
        file.size += added
        self._size += added
        self._keep_to_budget()

    def text(self, path: str) -> str | None:
        """Return a file's last known text; ``None``: never shown, dropped, or stale."""
        file = self._files.get(path)
        if file is None:
            return None
        text = file.text()
        if text is None:
            self.forget(path)
        else:
            self.wrote(path, text)
        return text

    def forget(self, path: str) -> None:
        """Drop a file's text."""
        file = self._files.pop(path, None)
        self._size -= file.size if file else 0

    def _keep_to_budget(self) -> None:
        while self._size > self._budget:
            self.forget(next(iter(self._files)))


class _Shown(NamedTuple):
    """What became known of a file at one time."""

    at: datetime
    load: Callable[[], str | None] | None
    """Loads the whole text; ``None``: the text before, with the replacements made in it."""
    replacements: tuple[TextReplacement, ...]
    size: int


class SharedFiles:
    """What the transcripts of one agent session have shown of files, and when.

    A subagent may know a file that only its parent has read. It was shown before the subagent
    edited it; what the parent saw later is no help, so times decide.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._files: dict[str, list[_Shown]] = {}
        self._size = 0

    def shown(
        self, path: str, at: datetime | None, size: int, load: Callable[[], str | None]
    ) -> None:
        """Remember how to load a file's whole text as it was at a time."""
        self._add(path, at, _Shown(at, load, (), size) if at else None)

    def wrote(self, path: str, at: datetime | None, text: str) -> None:
        """Remember a file's whole text."""
        self.shown(path, at, len(text), lambda: text)

    def replaced(self, path: str, at: datetime | None, replacements: list[TextReplacement]) -> None:
        """Remember replacements in a file, if its text is known."""
        if path in self._files:
            size = sum(len(piece.old) + len(piece.new) for piece in replacements)
            self._add(path, at, _Shown(at, None, tuple(replacements), size) if at else None)

    def changed(self, path: str, at: datetime | None) -> None:
        """Remember that a file changed in a way that does not tell its text."""
        if path in self._files:
            self.shown(path, at, 0, lambda: None)

    def text(self, path: str, at: datetime) -> str | None:
        """Return a file's text as it was last known at a time; ``None``: it was not."""
        events = self._files.get(path, [])
        known = events[: bisect_right(events, at, key=lambda one: one.at)]
        start = next((n for n in range(len(known) - 1, -1, -1) if known[n].load), None)
        load = None if start is None else known[start].load
        text = load() if load else None
        if text is None or start is None:
            return None
        return replace(text, [piece for one in known[start + 1 :] for piece in one.replacements])

    def _add(self, path: str, at: datetime | None, event: _Shown | None) -> None:
        if at is None or event is None:
            self._drop(path)
            return
        events = self._files.setdefault(path, [])
        events.insert(bisect_right(events, at, key=lambda one: one.at), event)
        self._size += event.size
        while self._size > self._budget:
            self._drop(next(iter(self._files)))

    def _drop(self, path: str) -> None:
        self._size -= sum(one.size for one in self._files.pop(path, ()))
