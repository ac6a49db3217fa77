"""Where agents keep their records below a person's home, also agents that nobody reads here.

It opens nothing. A source's own ``HOMES`` say where the agents are that we read.
"""

import re
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


_UNREAD_FILES = re.compile(
    r"/\.local/share/amp/threads/T-[^/]+\.json|/goose/sessions/sessions\.db"
    r"|/\.kiro/sessions/(?:(?!\.kiro/)[^/]+/)*[^/]+\.json|/windsurf/cascade/[^/]+\.pb"
    r"|/zed/threads/threads\.db|/workspaceStorage/[^/]+/chatSessions/[^/]+\.json"
)
"""Records with names that no source's files have; the last are Copilot's before its transcripts."""


def is_unread(path: str) -> bool:
    """Return whether a file holds records of a known agent, by a name that no source reads.

    >>> is_unread("/home/ann/.local/share/goose/sessions/sessions.db"), is_unread("/tmp/a.db")
    (True, False)
    """
    whole = path.replace("\\", "/")
    found = _UNREAD_FILES.search(whole)
    return found is not None and found.end() == len(whole)


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
