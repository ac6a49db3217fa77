"""The evidence sources by name, and which one reads an artifact. It reads none itself."""

from ghapp.evidence import claude_code, codex, copilot, cursor, gemini_cli, opencode
from ghapp.evidence.source import EvidenceSource

_KNOWN: tuple[EvidenceSource, ...] = (codex, copilot, cursor, gemini_cli, opencode, claude_code)
"""In the order they are asked: those with a sign that no other has come first."""

SOURCES: dict[str, EvidenceSource] = {source.NAME: source for source in _KNOWN}


def source_of(name: str, head: bytes) -> EvidenceSource | None:
    """Return the source that reads a file of this name and beginning; ``None``: none does."""
    for source in SOURCES.values():
        if source.recognizes(name, head):
            return source
    return None
