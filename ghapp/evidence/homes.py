"""Where agents keep their records below a person's home, also agents that nobody reads here.

It opens nothing. A source's own ``HOMES`` say where the agents are that we read.
"""

from typing import NamedTuple

from ghapp.evidence.registry import SOURCES


class RecordHome(NamedTuple):
    """A folder or file in which an agent keeps records."""

    agent: str
    below_home: str


_KNOWN: tuple[RecordHome, ...] = (
    RecordHome("amp", ".local/share/amp/threads"),
    RecordHome("antigravity", ".gemini/antigravity"),
    RecordHome("antigravity", ".gemini/antigravity-cli"),
    RecordHome("cline", ".cline/data"),
    RecordHome("cline", ".config/Code/User/globalStorage/saoudrizwan.claude-dev"),
    RecordHome("copilot", ".config/Code/User/workspaceStorage"),
    RecordHome("cursor", ".cursor/projects"),
    RecordHome("factory-droid", ".factory/sessions"),
    RecordHome("goose", ".local/share/goose/sessions"),
    RecordHome("grok-build", ".grok/sessions"),
    RecordHome("kilo-code", ".config/Code/User/globalStorage/kilocode.kilo-code"),
    RecordHome("kimi", ".kimi-code/sessions"),
    RecordHome("kiro", ".kiro/sessions"),
    RecordHome("pi", ".pi/agent/sessions"),
    RecordHome("qwen-code", ".qwen/projects"),
    RecordHome("roo-code", ".config/Code/User/globalStorage/rooveterinaryinc.roo-cline"),
    RecordHome("windsurf", ".codeium/windsurf"),
    RecordHome("zed", ".local/share/zed/threads"),
)
"""Places that public parsers of the agents' records name; docs/evidence.md lists them."""


def read_homes() -> tuple[RecordHome, ...]:
    """Return where the agents keep their records whose sources we have."""
    return tuple(
        RecordHome(source.AGENT, home) for source in SOURCES.values() for home in source.HOMES
    )


def unread_homes() -> tuple[RecordHome, ...]:
    """Return where agents keep records that no source reads."""
    read = [f"{home.below_home}/" for home in read_homes()]
    return tuple(
        home
        for home in _KNOWN
        for below in [f"{home.below_home}/"]
        if not any(below.startswith(one) or one.startswith(below) for one in read)
    )


def agent_at(path: str) -> str | None:
    """Return the agent in whose home a file lies; ``None``: in nobody's.

    >>> agent_at("/home/ann/.codex/sessions/2026/09/a.jsonl"), agent_at("/tmp/a.jsonl")
    ('codex', None)
    """
    whole = f"{path.replace(chr(92), '/')}/"
    inside = [home for home in (*read_homes(), *_KNOWN) if f"/{home.below_home}/" in whole]
    return max(inside, key=lambda home: len(home.below_home)).agent if inside else None
