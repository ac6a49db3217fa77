"""Tokens in Gemini CLI's chats. A message is written again when it grows; its id stays."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

import msgspec
from msgspec import Raw

from ghapp.evidence.json_records import (
    RecordError,
    decoded,
    document,
    each_record,
    is_given,
    optional,
    some_text,
    to_time,
)
from ghapp.evidence.paths import stem
from ghapp.usage.answers import TokenCounts, UsageRecord
from ghapp.usage.believed import Told, counts, disbelieved

AGENT = "gemini-cli"


class _Tokens(msgspec.Struct, gc=False):
    """Output excludes thoughts; ``tool`` is what tools put into the prompt."""

    input: Any = None
    output: Any = None
    cached: Any = None
    thoughts: Any = None
    tool: Any = None
    total: Any = None


class _Message(msgspec.Struct, gc=False, rename={"changed": "$set"}):
    """A line, a whole chat, or one of its messages."""

    id: Any = None
    sessionId: Any = None  # noqa: N815  (the names are the format's)
    timestamp: Any = None
    model: Any = None
    tokens: Raw = Raw()
    messages: Raw = Raw()
    changed: Raw = Raw()
    """Members of the chat that a later line writes again, perhaps all its messages."""


_MESSAGE = msgspec.json.Decoder(_Message)
_MESSAGES = msgspec.json.Decoder(list[Raw])
_TOKENS = msgspec.json.Decoder(_Tokens)


def read(name: str, records: Iterable[bytes]) -> Iterator[Told]:
    """Yield the tokens of each message of a chat, whether it is one document or lines."""
    agent_session: str | None = None
    for told in _told(records):
        agent_session = agent_session or some_text(told.sessionId)
        changed = optional(_MESSAGE, told.changed)
        of_chat = (told.messages, changed.messages if changed else Raw())
        found = (
            optional(_MESSAGE, one) for raw in of_chat for one in optional(_MESSAGES, raw) or ()
        )
        for message in chain([told], found):
            if message is not None and is_given(message.tokens):
                yield from _answer(message, agent_session or stem(name))


def _told(records: Iterable[bytes]) -> Iterator[_Message]:
    lines = iter(records)
    first = next((line for line in lines if not line.isspace()), b"")
    if first.rstrip().endswith(b"}"):
        for line in chain([first], lines):
            for one in each_record(_MESSAGE, line, _is_message):
                if not isinstance(one, RecordError):
                    yield one
        return
    try:
        yield decoded(_MESSAGE, document(chain([first], lines)))
    except RecordError:
        return


def _is_message(value: dict[str, Any]) -> bool:
    return "$set" in value or "sessionId" in value or ("id" in value and "timestamp" in value)


def _answer(message: _Message, agent_session: str) -> Iterator[Told]:
    told, at = optional(_TOKENS, message.tokens), to_time(message.timestamp)
    tokens = None if told is None else _tokens(told)
    if tokens is None or at is None:
        yield disbelieved(AGENT, tokens)
    elif tokens.total:
        yield _record(message, agent_session, at, tokens)


def _record(
    message: _Message, agent_session: str, at: datetime, tokens: TokenCounts
) -> UsageRecord:
    return UsageRecord(
        agent=AGENT,
        agent_session=agent_session,
        at=at,
        model=some_text(message.model),
        tokens=tokens,
        message=some_text(message.id),
        request=AGENT,  # ids of messages are drawn by chance
    )


def _tokens(told: _Tokens) -> TokenCounts | None:
    found = counts(told.input, told.output, told.cached, told.thoughts, told.tool)
    if found is None:
        return None
    prompt, output, cached, thoughts, tool = found
    # The API's prompt includes what was cached; the total shows where a version subtracted it.
    is_beside = cached > prompt or (
        cached > 0 and told.total == prompt + output + cached + thoughts + tool
    )
    return TokenCounts(
        input=(prompt if is_beside else prompt - cached) + tool,
        output=output + thoughts,
        cache_read=cached,
        reasoning=None if told.thoughts is None else thoughts,
    )
