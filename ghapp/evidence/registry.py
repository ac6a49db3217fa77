"""The evidence sources by name, and the choice of one for an artifact. It reads no artifact."""

from ghapp.evidence import (
    antigravity,
    claude_code,
    cline,
    codex,
    copilot,
    cursor,
    cursor_transcripts,
    droid,
    gemini_cli,
    kimi,
    opencode,
    pi,
    qwen,
)
from ghapp.evidence.source import EvidenceSource

_KNOWN: tuple[EvidenceSource, ...] = (
    *(antigravity, codex, copilot, cursor, cursor_transcripts, droid, kimi, pi, qwen, cline),
    *(gemini_cli, opencode, claude_code),
)
"""In the order of trying: sources with an unmistakable sign come first."""

SOURCES: dict[str, EvidenceSource] = {source.NAME: source for source in _KNOWN}

FILE_NAMES = "|".join(dict.fromkeys(source.FILES for source in _KNOWN))
"""The names of all sources' artifacts."""


def source_of(name: str, head: bytes) -> EvidenceSource | None:
    """Return the source that reads a file with this name and head; ``None``: no source does."""
    for source in SOURCES.values():
        if source.recognizes(name, head):
            return source
    return None
