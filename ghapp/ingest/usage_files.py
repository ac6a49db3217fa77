"""Tokens and decided edits read from files of agents' records, each copy as it stands.

What an edit is and what became of it, `ghapp.evidence` says; here it is only counted.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import msgspec

from ghapp.attribution.model import (
    DecidedBy,
    Edit,
    EditDecider,
    EditResult,
    PassedOver,
    UnreadEvidence,
)
from ghapp.evidence.homes import agent_at
from ghapp.evidence.paths import to_path
from ghapp.evidence.registry import source_of
from ghapp.evidence.source import EvidenceSource, Worktree
from ghapp.ingest.artifacts import (
    UNRECOGNIZED,
    ArtifactError,
    ArtifactReader,
    EvidenceArtifact,
    each_artifact,
    is_of_a_message,
    opened,
)
from ghapp.usage import claude_code, cline, codex, copilot, gemini_cli, kimi, opencode, pi, qwen
from ghapp.usage.answers import UsageRecord
from ghapp.usage.believed import Told, left_out
from ghapp.usage.decisions import DecidedEdit, decided

READERS: dict[str, Callable[[str, Iterable[bytes]], Iterator[Told]]] = {
    "claude_code": claude_code.read,
    "cline": cline.read,
    "codex": codex.read,
    "copilot": copilot.read,
    "gemini_cli": gemini_cli.read,
    "kimi": kimi.read,
    "opencode": opencode.read,
    "pi": pi.read,
    "qwen": qwen.read,
}
"""Name of the evidence source that recognizes a file → what reads its tokens."""

UNCOUNTED = "files whose tokens nobody reads"
SILENT = "files without tokens"
UNDECIDED = "edits that were interrupted or never answered"
TOO_EARLY = "records dated before the agents existed"
TOO_LATE = "records dated in the future"

EARLIEST = datetime(2021, 1, 1, tzinfo=UTC)
"""Before the first of the agents: a record dated earlier has no time that can be believed."""
AHEAD = timedelta(days=1)
"""How far a machine's clock may be ahead of ours."""

FoundUsage = UsageRecord | DecidedEdit | UnreadEvidence | PassedOver | Worktree
"""What files may hold of usage. A `PassedOver` or a `Worktree` may be told more than once."""


def read_usage(
    paths: Iterable[Path],
    now: datetime,
    chosen: Callable[[EvidenceArtifact], bool] = lambda _: True,
) -> Iterator[FoundUsage]:
    """Yield what the chosen files below some paths say of tokens and of decided edits.

    Files of agents whose tokens nobody reads are passed over, and so are records with counts or
    times that cannot be. Raises `ArtifactError` if a path does not exist, before anything is read.
    """
    starts = list(paths)
    for start in starts:
        if not start.exists():
            raise ArtifactError(f"no records at {start}: there is no such file or directory")
    edits = ArtifactReader()
    for artifact in each_artifact(starts):
        if isinstance(artifact, UnreadEvidence):
            yield artifact
        elif chosen(artifact):
            for found in chain(_tokens(artifact), _decided(artifact, edits)):
                yield _at_home(_dated(found, now))


def _tokens(artifact: EvidenceArtifact) -> Iterator[FoundUsage]:
    """Yield the tokens of a file. What cannot be opened or is damaged, `_decided` names."""
    try:
        head, lines = opened(artifact)
        source = source_of(artifact.name, head)
        if source is not None and source.NAME in READERS:
            yield from _never_silent(source, artifact, READERS[source.NAME](artifact.name, lines))
        elif source is not None:
            yield left_out(source.AGENT, UNCOUNTED)
        elif head and not head.isspace() and not is_of_a_message(artifact):
            yield PassedOver(agent=agent_at(artifact.name), what=UNRECOGNIZED, count=1)
    except OSError:
        return


def _never_silent(
    source: EvidenceSource, artifact: EvidenceArtifact, found: Iterable[Told]
) -> Iterator[Told]:
    """Yield what a reader found in a file, and say so if that is nothing."""
    silent = not is_of_a_message(artifact)
    for one in found:
        silent = False
        yield one
    if silent:
        yield left_out(source.AGENT, SILENT)


def _decided(artifact: EvidenceArtifact, edits: ArtifactReader) -> Iterator[FoundUsage]:
    """Yield a file's decided edits, the worktrees that it names, and what cannot be read."""
    waiting: Edit | None = None
    for found in edits.read(artifact):
        if isinstance(found, Edit):
            if waiting is not None:
                yield from _decision(waiting, None)
            waiting = found
        elif isinstance(found, EditDecider) and waiting is not None:
            yield from _decision(waiting, found.by)
            waiting = None
        elif isinstance(found, UnreadEvidence | Worktree):
            yield found
    if waiting is not None:
        yield from _decision(waiting, None)


def _decision(edit: Edit, by: DecidedBy | None) -> Iterator[FoundUsage]:
    """Yield what became of an edit; who decided, if anything says it, follows it."""
    one = decided(edit, by)
    if one is not None:
        yield one
    elif edit.outcome in (EditResult.INTERRUPTED, EditResult.UNANSWERED):
        yield left_out(edit.agent, UNDECIDED)


def _dated(found: FoundUsage, now: datetime) -> FoundUsage:
    """Return what was found, or a word if its time cannot be."""
    if not isinstance(found, UsageRecord | DecidedEdit) or EARLIEST <= found.at <= now + AHEAD:
        return found
    return left_out(found.agent, TOO_EARLY if found.at < EARLIEST else TOO_LATE)


def _at_home(found: FoundUsage) -> FoundUsage:
    """Return what was found, with its working directory in the form that edits have."""
    if not isinstance(found, UsageRecord) or found.project is None:
        return found
    return msgspec.structs.replace(found, project=to_path(found.project, None))
