"""A commit for tests of carried evidence."""

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from ghapp.attribution.model import FileDiff, Hunk, HunkLine
from ghapp.evidence.carried import CarriedCommit, CommitAttachment

SHA = "3f2a9c1e5b7d4f608192a3b4c5d6e7f80912a3b4"
AT = datetime(2026, 5, 19, 10, tzinfo=UTC)

FILE = FileDiff(
    path="a.py",
    hunks=(
        Hunk(
            old_start=1,
            old_lines=1,
            new_start=1,
            new_lines=4,
            lines=tuple(HunkLine("+ +-+"[at], f"line {at}") for at in range(5)),
        ),
    ),
)
"""Adds the lines 1, 3 and 4; line 2 was there."""


def commit(**changed: Any) -> CarriedCommit:
    """Return a commit of one person that adds three lines."""
    ann = "Ann <ann@example.com>"
    made = CarriedCommit(
        sha=SHA,
        written_at=AT,
        committed_at=AT,
        author=ann,
        committer=ann,
        message="Change",
        files=(FILE,),
    )
    return replace(made, **changed)


def attached(name: str, text: str) -> CommitAttachment:
    """Return something that the repository keeps with a commit."""
    return CommitAttachment(name=name, lines=tuple(text.encode().splitlines(keepends=True)))
