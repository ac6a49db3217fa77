"""Tokens in Claude Code's transcripts. Every assistant record repeats the usage of its answer.

Fields as in transcripts of 2.1.45 to 2.1.240 (docs/usage.md). Progress records, in which older
versions show a subagent's messages again, are no records of answers: the subagent's own
transcript is.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Raw

from ghapp.evidence.json_records import (
    RecordError,
    each_record,
    is_given,
    optional,
    some_text,
    to_time,
)
from ghapp.evidence.paths import stem
from ghapp.usage.answers import TokenCounts, UsageRecord
from ghapp.usage.believed import Told, counts, disbelieved, reasoning_of
from ghapp.usage.price_class import variant_of

AGENT = "claude-code"
SYNTHETIC = "<synthetic>"
"""Stands for the model where Claude Code itself wrote the answer, such as an error."""


class _CacheWrites(msgspec.Struct, gc=False):
    ephemeral_5m_input_tokens: Any = None
    ephemeral_1h_input_tokens: Any = None


class _OutputDetails(msgspec.Struct, gc=False):
    thinking_tokens: Any = None


class _Usage(msgspec.Struct, gc=False):
    input_tokens: Any = None
    output_tokens: Any = None
    cache_read_input_tokens: Any = None
    cache_creation_input_tokens: Any = None
    cache_creation: Raw = Raw()
    output_tokens_details: Raw = Raw()
    speed: Any = None
    service_tier: Any = None
    inference_geo: Any = None


class _Message(msgspec.Struct, gc=False):
    id: Any = None
    model: Any = None
    usage: Raw = Raw()


class _Record(msgspec.Struct, gc=False):
    type: Any = None
    message: Raw = Raw()
    timestamp: Any = None
    requestId: Any = None  # noqa: N815  (the names are the format's)
    sessionId: Any = None  # noqa: N815
    isSidechain: Any = None  # noqa: N815
    isApiErrorMessage: Any = None  # noqa: N815
    version: Any = None
    cwd: Any = None


_RECORD = msgspec.json.Decoder(_Record)
_MESSAGE = msgspec.json.Decoder(_Message)
_USAGE = msgspec.json.Decoder(_Usage)
_WRITES = msgspec.json.Decoder(_CacheWrites)
_DETAILS = msgspec.json.Decoder(_OutputDetails)


def read(name: str, records: Iterable[bytes]) -> Iterator[Told]:
    """Yield what the assistant records of a transcript say of their answers.

    Synthetic answers and errors used no tokens. Damaged lines are for `ghapp.evidence` to name.
    """
    for line in records:
        if b'"usage"' not in line or b'"assistant"' not in line:
            continue
        for record in each_record(_RECORD, line, _is_record):
            if not isinstance(record, RecordError) and record.type == "assistant":
                yield from _answer(name, record)


def _is_record(value: dict[str, Any]) -> bool:
    return isinstance(value.get("type"), str) and isinstance(value.get("sessionId"), str)


def _answer(name: str, record: _Record) -> Iterator[Told]:
    message = optional(_MESSAGE, record.message)
    if message is None or not is_given(message.usage):
        return
    if message.model == SYNTHETIC or record.isApiErrorMessage:
        return
    usage, at = optional(_USAGE, message.usage), to_time(record.timestamp)
    tokens = None if usage is None else _tokens(usage)
    if usage is None or tokens is None or at is None:
        yield disbelieved(AGENT, tokens)
        return
    yield UsageRecord(
        agent=AGENT,
        agent_session=some_text(record.sessionId) or stem(name),
        at=at,
        model=some_text(message.model),
        tokens=tokens,
        message=some_text(message.id),
        request=some_text(record.requestId),
        is_aside=record.isSidechain is True,
        version=some_text(record.version),
        project=some_text(record.cwd),
        variant=variant_of(speed=usage.speed, tier=usage.service_tier, region=usage.inference_geo),
    )


def _tokens(usage: _Usage) -> TokenCounts | None:
    """Return the counts; ``None``: one of them is none, so none can be believed."""
    parts = optional(_WRITES, usage.cache_creation) or _CacheWrites()
    found = counts(
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_input_tokens,
        usage.cache_creation_input_tokens,
        parts.ephemeral_5m_input_tokens,
        parts.ephemeral_1h_input_tokens,
    )
    if found is None:
        return None
    fresh, output, read_, written, minutes, hour = found
    details = optional(_DETAILS, usage.output_tokens_details) or _OutputDetails()
    return TokenCounts(
        input=fresh,
        output=output,
        cache_read=read_,
        cache_write_5m=max(written - hour, minutes),
        cache_write_1h=hour,
        reasoning=reasoning_of(details.thinking_tokens),
    )
