"""Agent sessions from the Compliance API, as lines of a Claude Code transcript. It asks no server.

Only tool calls and their results are taken from a message. What people and the model said is
dropped first.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ghapp.attribution.model import UnreadEvidence
from ghapp.evidence import claude_code
from ghapp.evidence.source import Found, WantedPath

NAME = "compliance"
SURFACE = "claude_code"
"""``product_surface`` of the agent sessions that edit files."""


class LocalSession(msgspec.Struct, frozen=True):
    """An agent session on a developer's machine."""

    id: str
    created_at: str
    product_surface: str | None = None
    updated_at: str | None = None
    """A newer member of the API; ``None``: the server does not send it."""


class SessionBlock(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of a message. Texts are not decoded."""

    type: str
    id: str | None = None
    name: str | None = None
    input: str | msgspec.Raw | None = None
    """Arguments, as JSON in a string or as an object."""
    tool_use_id: str | None = None
    is_error: bool | None = None
    content: Any = None
    truncated: bool = False


class SessionMessage(msgspec.Struct, frozen=True):
    """One turn of a person or of the model."""

    id: str
    role: str
    created_at: str
    content: tuple[SessionBlock, ...] | str | None = None


def edits(
    agent_session: LocalSession, messages: Iterable[SessionMessage], wanted: WantedPath
) -> Iterator[Found]:
    """Yield the edits of an agent session, given its messages with the oldest first.

    A call with truncated arguments becomes an `UnreadEvidence`.
    """
    lines: list[bytes] = []
    for message in messages:
        blocks = message.content if isinstance(message.content, tuple) else ()
        cut = [block for block in blocks if block.type == "tool_use" and block.truncated]
        for block in cut:
            problem = f"the arguments of call {block.id} were cut: its edit is left out"
            yield UnreadEvidence(source=agent_session.id, line=None, problem=problem)
        kept = [_kept(block) for block in blocks if block not in cut and _is_of_tool(block)]
        if kept:
            lines.append(_as_line(agent_session, message, kept))
    yield from claude_code.read(agent_session.id, lines, wanted)


def _is_of_tool(block: SessionBlock) -> bool:
    return block.type in ("tool_use", "tool_result")


def _kept(block: SessionBlock) -> SessionBlock:
    """Return a block; only a failed call's result and a file that was read keep their text."""
    if block.type == "tool_use" or block.is_error or (block.name == "Read" and not block.truncated):
        return block
    return msgspec.structs.replace(block, content=None)


def _as_line(
    agent_session: LocalSession, message: SessionMessage, blocks: list[SessionBlock]
) -> bytes:
    """Return a message as a line of a transcript."""
    record = {
        "type": "assistant" if message.role == "assistant" else "user",
        "sessionId": agent_session.id,
        "timestamp": message.created_at,
        "message": {"role": message.role, "content": blocks},
    }
    return msgspec.json.encode(record)
