"""Entire's checkpoints: agents' own transcripts, kept in the repository. It reads no git.

A commit's trailer names its checkpoint (https://github.com/entireio/cli). A checkpoint is a tree
with a folder for each agent session. The transcript in it is the agent's own, so the agent's own
source reads it. Neighboring checkpoints overlap: a call that occurs twice has one id and becomes
one edit.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ghapp.attribution.model import PassedOver
from ghapp.evidence.carried import CarriedCommit, CommitAttachment
from ghapp.evidence.registry import source_of
from ghapp.evidence.source import Found, everything

NAME = "entire"
UNKNOWN_SOURCE = "transcripts in Entire's checkpoints that no reader takes"
BRANCH = "entire/checkpoints/v1"
REFS = "refs/entire/checkpoints/"

# Entire-Checkpoint: 4a3f7ea6273b, or 26 letters and digits of a ULID
_TRAILER = re.compile(
    r"^Entire-Checkpoint: ([0-9a-f]{12}|[0-9A-HJKMNP-TV-Z]{26})\s*$", re.MULTILINE
)
# 0/full.jsonl, 0/full.jsonl.001, 0/agent-a1b2c3.jsonl
_TRANSCRIPT = re.compile(r"(?P<name>(?:.*/)?(?:full|agent-[\w-]+)\.jsonl)(?:\.(?P<part>\d+))?")
_HEAD = 64 * 1024
"""Bytes by which a source recognizes a transcript."""


class CheckpointPlace(NamedTuple):
    """Where a checkpoint is kept."""

    ref: str
    """The full name of a ref, or the name of a branch."""
    folder: str
    """In the ref's tree; empty: the tree itself is the checkpoint."""

    @property
    def whole_ref(self) -> str:
        """The ref's full name in the repository on GitHub, not in a clone."""
        return self.ref if self.ref.startswith("refs/") else f"refs/heads/{self.ref}"


def checkpoints(message: str) -> tuple[str, ...]:
    """Return the checkpoints that a commit's message names."""
    return tuple(dict.fromkeys(_TRAILER.findall(message)))


def place(checkpoint: str) -> CheckpointPlace:
    """Return where a checkpoint is kept: older ones on one branch, newer ones each in a ref.

    >>> place("4a3f7ea6273b")
    CheckpointPlace(ref='entire/checkpoints/v1', folder='4a/3f7ea6273b')
    """
    if len(checkpoint) == 26:
        return CheckpointPlace(f"{REFS}{checkpoint[-2:]}/{checkpoint}", "")
    return CheckpointPlace(BRANCH, f"{checkpoint[:2]}/{checkpoint[2:]}")


def transcripts(paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the transcripts among the files of a checkpoint, each with its parts in order."""
    found: dict[str, list[tuple[int, str]]] = {}
    for path in paths:
        if match := _TRANSCRIPT.fullmatch(path):
            part = int(match["part"]) if match["part"] else -1
            found.setdefault(match["name"], []).append((part, path))
    return {name: tuple(path for _, path in sorted(parts)) for name, parts in found.items()}


def read(commit: CarriedCommit, attached: Sequence[CommitAttachment]) -> Iterator[Found]:
    """Yield what the transcripts of a commit's checkpoints hold, of whatever agent."""
    del commit
    for transcript in attached:
        head = b"".join(transcript.lines[:50])[:_HEAD]
        source = source_of(transcript.name, head)
        if source is None:
            yield PassedOver(agent=None, what=UNKNOWN_SOURCE, count=1)
        else:
            yield from source.read(transcript.name, transcript.lines, everything)
