"""The evidence sources by name, and which one reads an artifact. It reads none itself."""

from ghapp.evidence import claude_code
from ghapp.evidence.source import EvidenceSource

SOURCES: dict[str, EvidenceSource] = {source.NAME: source for source in (claude_code,)}


def source_of(name: str, head: bytes) -> EvidenceSource | None:
    """Return the source that reads a file of this name and beginning; ``None``: none does."""
    for source in SOURCES.values():
        if source.recognizes(name, head):
            return source
    return None
