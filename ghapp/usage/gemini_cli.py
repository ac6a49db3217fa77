"""Tokens in Gemini CLI's chats. A message is written again when it grows; its id stays."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ghapp.evidence.json_records import UNREADABLE, RecordError, document, some_text, to_time
from ghapp.evidence.paths import stem
from ghapp.usage.answers import TokenCounts, UsageRecord

AGENT = "gemini-cli"


class _Tokens(msgspec.Struct, gc=False):
    """Input includes what was cached; output excludes thoughts."""

    input: int = 0
    output: int = 0
    cached: int = 0
    thoughts: int = 0
    tool: int = 0


class _Message(msgspec.Struct, gc=False):
    id: Any = None
    sessionId: Any = None  # noqa: N815  (the names are the format's)
    timestamp: Any = None
    model: Any = None
    tokens: _Tokens | None = None


class _Chat(msgspec.Struct, gc=False):
    sessionId: Any = None  # noqa: N815
    messages: list[_Message] = []


_MESSAGE = msgspec.json.Decoder(_Message)
_CHAT = msgspec.json.Decoder(_Chat)


def read(name: str, records: Iterable[bytes]) -> Iterator[UsageRecord]:
    """Yield the tokens of each message of a chat, whether it is one document or lines."""
    lines = list(records)
    chat = _whole(lines)
    messages = chat.messages if chat else _by_line(lines)
    agent_session = some_text(chat.sessionId) if chat else None
    for message in messages:
        agent_session = agent_session or some_text(message.sessionId)
        found = _answer(message, agent_session or stem(name))
        if found is not None:
            yield found


def _whole(lines: list[bytes]) -> _Chat | None:
    try:
        chat = _CHAT.decode(document(lines))
    except (*UNREADABLE, RecordError):
        return None
    return chat if chat.messages else None


def _by_line(lines: Iterable[bytes]) -> Iterator[_Message]:
    for line in lines:
        try:
            yield _MESSAGE.decode(line)
        except UNREADABLE:
            continue


def _answer(message: _Message, agent_session: str) -> UsageRecord | None:
    counts, at = message.tokens, to_time(message.timestamp)
    if counts is None or at is None or min(msgspec.structs.astuple(counts)) < 0:
        return None
    return UsageRecord(
        agent=AGENT,
        agent_session=agent_session,
        at=at,
        model=some_text(message.model),
        tokens=TokenCounts(
            input=max(counts.input - counts.cached, 0) + counts.tool,
            output=counts.output + counts.thoughts,
            cache_read=counts.cached,
            reasoning=counts.thoughts,
        ),
        message=some_text(message.id),
        request=agent_session,
    )
