"""The lines that writes and replacements added, given what a session has shown of its files.

It serves agents that record the texts of an edit, and a patch only sometimes. It knows no agent.
"""

from ghapp.attribution.model import TextLines
from ghapp.evidence.known_files import KnownFiles
from ghapp.evidence.own_lines import TextReplacement, all_own, from_pieces, from_texts, replace


class FileEdits:
    """The edits of one agent session, in the order they were made."""

    def __init__(self) -> None:
        self._known = KnownFiles()

    def written(
        self, path: str, text: str, *, before: str | None = None, applied: bool = True
    ) -> TextLines:
        """Return the own lines of a whole file's new text.

        ``before`` is the text before the edit, empty for a new file. ``None``: the last known
        text of the file is used, and if there is none, all lines are own.
        """
        earlier = self._known.text(path) if before is None else before
        if applied:
            self._known.wrote(path, text)
        return from_texts(earlier, text) if earlier else all_own(text)

    def replaced(
        self, path: str, pieces: list[TextReplacement], *, applied: bool = True
    ) -> TextLines:
        """Return the own lines of replacements in a file, made one after the other."""
        before = self._known.text(path)
        after = None if before is None else replace(before, pieces)
        if applied and before is not None and after is not None:
            self._known.wrote(path, after)
        elif applied:
            self._known.forget(path)
        if before is None or after is None:
            return from_pieces(pieces)
        return from_texts(before, after)

    def known(self, path: str) -> str | None:
        """Return a file's last known text; ``None``: not known."""
        return self._known.text(path)

    def changed(self, path: str) -> None:
        """Note a change that does not tell the file's text."""
        self._known.forget(path)
