"""Text of audited lines, from a clone: audit documents hold none."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # git is needed only where the text is wanted
    from ghapp.git.repository import GitRepository

clone_option = click.option(
    "--git",
    "clone",
    metavar="REPO",
    type=click.Path(exists=True, path_type=Path),
    help="A clone, to show the text of the lines.",
)


class SourceText:
    """Files of merged versions; without a clone there is no text."""

    def __init__(self, clone: Path | None) -> None:
        self._clone = clone
        self._git: GitRepository | None = None
        self._files: dict[tuple[str, str], list[str]] = {}

    def line(self, commit: str | None, path: str, number: int) -> str | None:
        """Return a line's text; ``None``: there is no clone, or the file lacks the line.

        Raises `GitError` where the clone lacks the commit.
        """
        if self._clone is None or commit is None:
            return None
        if (commit, path) not in self._files:
            self._files[commit, path] = self._read(self._clone, commit, path)
        lines = self._files[commit, path]
        return lines[number - 1] if number <= len(lines) else None

    def _read(self, clone: Path, commit: str, path: str) -> list[str]:
        from ghapp.git.repository import GitRepository  # noqa: PLC0415 - see the top

        self._git = self._git or GitRepository(clone)
        content = self._git.read_file(commit, path)
        return (content or b"").decode(errors="replace").split("\n")
