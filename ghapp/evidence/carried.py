"""The shape of evidence that a repository itself carries, commit by commit. It reads no git.

Some of this evidence names lines of a commit and holds no text. Such lines are looked up among
the lines that the commit adds, and become an edit at the time when the commit was written.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from ghapp.attribution.model import Edit, FileDiff, Struct, TextLines
from ghapp.evidence.own_lines import from_marked
from ghapp.evidence.source import Found


class CarriedCommit(Struct, frozen=True):
    """A commit of the change: the parts that evidence needs."""

    sha: str
    written_at: datetime
    """The author's time, which amending and rebasing keep."""
    committed_at: datetime
    author: str
    """``Name <email>``."""
    committer: str
    message: str
    parents: int = 1
    """How many parents it has."""
    files: tuple[FileDiff, ...] = ()
    """The diff from its first parent; empty: no source asked for it, or no difference."""


class CommitAttachment(Struct, frozen=True):
    """Something that a repository keeps with a commit."""

    name: str
    """Its place, for messages: ``refs/notes/ai``, or a path."""
    lines: tuple[bytes, ...]
    """With their line ends."""


class CarriedSource(Protocol):
    """A module that reads one kind of carried evidence. Sources never import each other."""

    NAME: str
    """Also the name of the fixture folder, and the anchor in docs/evidence.md."""

    def read(self, commit: CarriedCommit, attached: Sequence[CommitAttachment]) -> Iterator[Found]:
        """Yield what the repository carries about one commit.

        Whatever cannot be read becomes an `UnreadEvidence`, and reading goes on.
        """


class LineRange(NamedTuple):
    """Numbers of lines of a file, from 1; both ends are included."""

    first: int
    last: int


class LineClaim(NamedTuple):
    """An agent session's claim to lines of one file of a commit."""

    source: str
    agent: str
    agent_session: str
    path: str
    """Relative to the repository."""
    ranges: tuple[LineRange, ...]


def claimed(commit: CarriedCommit, claim: LineClaim) -> Edit | None:
    """Return a claim as an edit; ``None``: the commit adds none of the lines.

    Claimed lines that the commit did not add were there before, so they are not own.
    """
    file = next((file for file in commit.files if file.path == claim.path), None)
    lines = None if file is None else _lines(file, claim.ranges)
    if lines is None or not lines.hunks:
        return None
    return Edit(
        id=f"{claim.source}:{commit.sha}:{claim.agent_session}:{claim.path}",
        agent=claim.agent,
        agent_session=claim.agent_session,
        at=commit.written_at,
        path=claim.path,
        tool=claim.source,
        lines=lines,
    )


def _lines(file: FileDiff, ranges: Iterable[LineRange]) -> TextLines:
    """Return the added lines of a file within some ranges, with their context."""
    wanted = {number for one in ranges for number in _numbers(one, file)}
    regions: list[list[tuple[str, bool]]] = []
    removed: list[str] = []
    for hunk in file.hunks:
        region: list[tuple[str, bool]] = []
        number = hunk.new_start
        for origin, text in hunk.lines:
            if origin == "-":
                removed.append(text)
                continue
            region.append((text, origin == "+" and number in wanted))
            number += 1
        regions.append(region)
    return from_marked(regions, removed)


def _numbers(one: LineRange, file: FileDiff) -> range:
    """Return a range's numbers up to the end of the diff: a range may claim millions."""
    last = max((hunk.new_start + hunk.new_lines for hunk in file.hunks), default=0)
    return range(max(one.first, 1), min(one.last, last) + 1)
