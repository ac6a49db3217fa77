"""The one shape of an evidence source, and the values it yields. It reads nothing itself."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from ghapp.attribution.model import Edit, FileSnapshot, Struct, UnreadEvidence

WantedPath = Callable[[str], bool]
"""Asked with an edit's path before its lines are worked out; ``False`` skips the lines."""


def everything(path: str) -> bool:  # noqa: ARG001  (the shape asks for the argument)
    """Want the lines of each path: the answer where nothing is known of the change yet."""
    return True


class Worktree(Struct, frozen=True):
    """A second checkout that an agent worked in: its root, and where it was made from.

    ``original`` is a directory inside the first checkout, not always its root.
    """

    path: str
    original: str


Found = Edit | UnreadEvidence | Worktree | FileSnapshot
"""What an artifact holds."""


class EvidenceSource(Protocol):
    """A module that reads one kind of artifact; siblings never import each other."""

    NAME: str
    """Also the fixture folder and the anchor in docs/evidence.md."""
    AGENT: str
    """The agent's name in audit documents and labels (rules.md 2.16)."""
    HOMES: tuple[str, ...]
    """Where the agent keeps its artifacts, below a person's home directory."""

    def recognizes(self, name: str, head: bytes) -> bool:
        """Say from a file's name and its first 64 KiB whether this source reads it."""

    def read(self, name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
        """Yield what one artifact holds, edits in the order they were answered.

        ``records`` are the artifact's lines as bytes, read once and not kept, so memory
        is bounded by the largest record and the calls that wait for their result.
        A record that cannot be read is yielded as `UnreadEvidence`, and reading goes on.
        An edit whose path is not wanted is yielded without lines.
        """
