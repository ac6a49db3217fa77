"""Tokens in Claude Code's transcripts. Every assistant record repeats the usage of its answer.

Fields as in transcripts of 2.1.45 to 2.1.240 (docs/usage.md).
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ghapp.evidence.json_records import UNREADABLE, to_time
from ghapp.evidence.paths import stem
from ghapp.usage.answers import TokenCounts, UsageRecord

AGENT = "claude-code"
SYNTHETIC = "<synthetic>"
"""Stands for the model where Claude Code itself wrote the answer, such as an error."""


class _CacheWrites(msgspec.Struct, gc=False):
    ephemeral_5m_input_tokens: int | None = 0
    ephemeral_1h_input_tokens: int | None = 0


class _OutputDetails(msgspec.Struct, gc=False):
    thinking_tokens: int | None = None


class _Usage(msgspec.Struct, gc=False):
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    cache_read_input_tokens: int | None = 0
    cache_creation_input_tokens: int | None = 0
    cache_creation: _CacheWrites | None = None
    output_tokens_details: _OutputDetails | None = None


class _Message(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    usage: _Usage | None = None


class _Record(msgspec.Struct, gc=False):
    type: str | None = None
    message: _Message | None = None
    timestamp: Any = None
    requestId: str | None = None  # noqa: N815  (the names are the format's)
    sessionId: str | None = None  # noqa: N815
    isSidechain: bool | None = None  # noqa: N815
    isApiErrorMessage: bool | None = None  # noqa: N815
    version: str | None = None
    cwd: str | None = None


_RECORD = msgspec.json.Decoder(_Record)


def read(name: str, records: Iterable[bytes]) -> Iterator[UsageRecord]:
    """Yield what the assistant records of a transcript say of their answers.

    Records of another shape, synthetic answers and errors are passed over: they used no tokens.
    """
    for line in records:
        if b'"usage"' not in line or b'"assistant"' not in line:
            continue
        try:
            record = _RECORD.decode(line)
        except UNREADABLE:
            continue
        found = _answer(name, record)
        if found is not None:
            yield found


def _answer(name: str, record: _Record) -> UsageRecord | None:
    message, at = record.message, to_time(record.timestamp)
    if record.type != "assistant" or message is None or message.usage is None or at is None:
        return None
    if message.model == SYNTHETIC or record.isApiErrorMessage:
        return None
    tokens = _tokens(message.usage)
    if tokens is None:
        return None
    return UsageRecord(
        agent=AGENT,
        agent_session=record.sessionId or stem(name),
        at=at,
        model=message.model,
        tokens=tokens,
        message=message.id,
        request=record.requestId,
        is_aside=bool(record.isSidechain),
        version=record.version,
        project=record.cwd,
    )


def _tokens(usage: _Usage) -> TokenCounts | None:
    """Return the counts; ``None``: one of them is negative, so none can be believed."""
    parts = usage.cache_creation or _CacheWrites()
    hour = parts.ephemeral_1h_input_tokens or 0
    written = usage.cache_creation_input_tokens or 0
    minutes = max(written - hour, parts.ephemeral_5m_input_tokens or 0)
    details = usage.output_tokens_details or _OutputDetails()
    counts = TokenCounts(
        input=usage.input_tokens or 0,
        output=usage.output_tokens or 0,
        cache_read=usage.cache_read_input_tokens or 0,
        cache_write_5m=minutes,
        cache_write_1h=hour,
        reasoning=details.thinking_tokens,
    )
    return counts if min(one or 0 for one in msgspec.structs.astuple(counts)) >= 0 else None
