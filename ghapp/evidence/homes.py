"""Where agents keep their records below a person's home, also agents that nobody reads here.

It opens nothing. A source's own ``HOMES`` say where the agents are that we read.
"""

from typing import NamedTuple

from ghapp.evidence.registry import SOURCES


class RecordHome(NamedTuple):
    """A folder or file in which an agent keeps records."""

    agent: str
    below_home: str


UNREAD_HOMES: tuple[RecordHome, ...] = (
    RecordHome("amp", ".local/share/amp/threads"),
    RecordHome("goose", ".local/share/goose/sessions"),
    RecordHome("grok-build", ".grok/sessions"),
    RecordHome("kiro", ".kiro/sessions"),
    RecordHome("windsurf", ".codeium/windsurf"),
    RecordHome("zed", ".local/share/zed/threads"),
)
"""Agents that no source reads, where public parsers of their records find them."""


def read_homes() -> tuple[RecordHome, ...]:
    """Return where the agents keep their records whose sources we have."""
    return tuple(
        RecordHome(source.AGENT, home) for source in SOURCES.values() for home in source.HOMES
    )


def agent_at(path: str) -> str | None:
    """Return the agent in whose home a file lies; ``None``: in nobody's.

    >>> agent_at("/home/ann/.codex/sessions/2026/09/a.jsonl"), agent_at("/tmp/a.jsonl")
    ('codex', None)
    """
    whole = f"{path.replace(chr(92), '/')}/"
    inside = [home for home in (*read_homes(), *UNREAD_HOMES) if f"/{home.below_home}/" in whole]
    return max(inside, key=lambda home: len(home.below_home)).agent if inside else None
