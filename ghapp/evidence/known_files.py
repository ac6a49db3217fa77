"""The file texts that a transcript has shown so far, within a fixed budget. It reads no disk.

They serve edits whose result does not hold the file: in subagents' transcripts, and for large
files. A text is stale if something else changed the file. A replacement that does not fit shows
that, and the text is dropped.
"""

from collections.abc import Callable

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
