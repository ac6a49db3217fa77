"""Claude Code's agent sessions as the Compliance API tells them, as lines of a transcript.

Only tool calls and their results are taken from a message: what people and the model said is left
out before anything is made of it. It asks no server.
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
    """Newer; ``None``: the server does not say."""


class SessionBlock(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of a message; texts are decoded as nothing."""

    type: str
    id: str | None = None
    name: str | None = None
    input: str | msgspec.Raw | None = None
    """Arguments as JSON in a string."""
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
    """Yield the edits of an agent session, given its messages from the oldest on.

    A call whose arguments were cut is yielded as `UnreadEvidence`.
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
    """Return a block; a result's text only where it says why it failed, or what a file held."""
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
