"""Tokens read from files and directories of agents' records, each copy as it stands."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ghapp.attribution.model import UnreadEvidence
from ghapp.evidence.registry import source_of
from ghapp.ingest.artifacts import ArtifactError, artifacts, opened
from ghapp.usage import claude_code, codex, gemini_cli
from ghapp.usage.answers import UsageRecord

READERS: dict[str, Callable[[str, Iterable[bytes]], Iterator[UsageRecord]]] = {
    "claude_code": claude_code.read,
    "codex": codex.read,
    "gemini_cli": gemini_cli.read,
}
"""Name of the evidence source that recognizes a file → what reads its tokens."""


def read_usage(paths: Iterable[Path]) -> Iterator[UsageRecord | UnreadEvidence]:
    """Yield what the files below some paths say of tokens, and which could not be read.

    Files of agents whose tokens nobody reads are passed over. Raises `ArtifactError` if a path
    does not exist.
    """
    done: set[Path] = set()
    for start in paths:
        if not start.exists():
            raise ArtifactError(f"no records at {start}: there is no such file or directory")
        for artifact in artifacts(start):
            if isinstance(artifact, UnreadEvidence):
                yield artifact
                continue
            file = artifact.parts[0].resolve()
            if file in done:
                continue
            done.add(file)
            try:
                head, lines = opened(artifact)
                source = source_of(artifact.name, head)
                if source is not None and source.NAME in READERS:
                    yield from READERS[source.NAME](artifact.name, lines)
            except OSError as problem:
                yield UnreadEvidence(source=artifact.name, line=None, problem=str(problem.strerror))
