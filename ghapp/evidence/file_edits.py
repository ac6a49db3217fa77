"""What writes and replacements added, given what an agent session has shown of its files.

For agents that record the texts of an edit and not always a patch; it knows none of them.
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

        ``before`` is what stood there, empty for a new file; ``None``: what was seen of the
        file tells it, else all lines are own.
        """
        earlier = self._known.text(path) if before is None else before
        if applied:
            self._known.wrote(path, text)
        return from_texts(earlier, text) if earlier else all_own(text)

    def replaced(
        self, path: str, pieces: list[TextReplacement], *, applied: bool = True
    ) -> TextLines:
        """Return the own lines of searches and replacements in a file, made one by one."""
        before = self._known.text(path)
        after = None if before is None else replace(before, pieces)
        if applied and before is not None and after is not None:
            self._known.wrote(path, after)
        elif applied:
            self._known.forget(path)
        if before is None or after is None:
            return from_pieces(pieces)
        return from_texts(before, after)

    def changed(self, path: str) -> None:
        """Note that a file was changed in a way that does not say its text."""
        self._known.forget(path)
