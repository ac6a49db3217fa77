"""Which commits of a change wrote the lines of its files, by ``git blame``. It judges no commit."""

from collections.abc import Iterator
from typing import NamedTuple

from ghapp.git.repository import GitRepository

MOVED = 40
"""Letters and digits of a block, two lines or more, that somebody moved or copied: it stays its
first writer's. A single line is too often the same by chance."""


class BlamedLine(NamedTuple):
    """A line of a file, and the commit that wrote it."""

    number: int
    """In the file at the head, from 1."""
    commit: str
    path: str
    """The file's name in that commit."""
    first_number: int
    """The line's number there. Copies of a line share it."""


def blamed(
    git: GitRepository, base: str, head: str, path: str, *, across_files: bool
) -> Iterator[BlamedLine]:
    """Yield the lines of a file at the head, each with its writer, in git's order.

    Lines that were there at ``base`` have that commit. Other white space makes no other writer.
    ``across_files``: a block may come from another file of its commit. Raises `GitError`.
    """
    copied = (f"-C{MOVED}",) if across_files else ()
    asked = ("--incremental", "-w", f"-M{MOVED}", *copied, "--no-textconv", f"{base}..{head}")
    # https://git-scm.com/docs/git-blame#_incremental_output
    group: list[bytes] = []
    for line in git.run("blame", *asked, "--", path).split(b"\n"):
        if not group:
            group = line.split(b" ") if line else []
        elif line.startswith(b"filename "):
            yield from _lines(group, line.removeprefix(b"filename "))
            group = []


def _lines(group: list[bytes], path: bytes) -> Iterator[BlamedLine]:
    commit, name = group[0].decode(), path.decode(errors="replace")
    first, number, count = map(int, group[1:4])
    for at in range(count):
        yield BlamedLine(number + at, commit, name, first + at)
