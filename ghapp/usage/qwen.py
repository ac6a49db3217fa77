"""Tokens in Qwen Code's chats: one record for each answer, in the words of Gemini's interface."""

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
from ghapp.usage.believed import Told, counts, disbelieved

AGENT = "qwen-code"


class _Usage(msgspec.Struct, gc=False, rename="camel"):
    """The prompt includes what was cached."""

    prompt_token_count: Any = None
    candidates_token_count: Any = None
    thoughts_token_count: Any = None
    cached_content_token_count: Any = None
    total_token_count: Any = None


class _Record(msgspec.Struct, gc=False):
    type: Any = None
    uuid: Any = None
    sessionId: Any = None  # noqa: N815  (the names are the format's)
    timestamp: Any = None
    cwd: Any = None
    version: Any = None
    model: Any = None
    usageMetadata: Raw = Raw()  # noqa: N815


_RECORD = msgspec.json.Decoder(_Record)
_USAGE = msgspec.json.Decoder(_Usage)


def read(name: str, records: Iterable[bytes]) -> Iterator[Told]:
    """Yield the tokens of each answer in a chat."""
    for line in records:
        if b'"usageMetadata"' not in line:
            continue
        for record in each_record(_RECORD, line, _is_record):
            if not isinstance(record, RecordError) and record.type == "assistant":
                yield from _answer(name, record)


def _is_record(value: dict[str, Any]) -> bool:
    return "sessionId" in value and "type" in value


def _answer(name: str, record: _Record) -> Iterator[Told]:
    if not is_given(record.usageMetadata):
        return
    usage, at = optional(_USAGE, record.usageMetadata), to_time(record.timestamp)
    tokens = None if usage is None else _tokens(usage)
    if tokens is None or at is None:
        yield disbelieved(AGENT, tokens)
    elif tokens.total:
        session = some_text(record.sessionId) or stem(name)
        uuid = some_text(record.uuid)
        yield UsageRecord(
            agent=AGENT,
            agent_session=session,
            at=at,
            model=some_text(record.model),
            tokens=tokens,
            message=f"{uuid}@{at.isoformat()}" if uuid else None,
            request=AGENT,
            version=some_text(record.version),
            project=some_text(record.cwd),
        )


def _tokens(usage: _Usage) -> TokenCounts | None:
    found = counts(
        usage.prompt_token_count,
        usage.candidates_token_count,
        usage.thoughts_token_count,
        usage.cached_content_token_count,
    )
    if found is None:
        return None
    prompt, output, thoughts, cached = found
    # Models with OpenAI's interface count their thoughts in the output: the total shows it.
    are_in_output = usage.total_token_count == prompt + output and thoughts <= output
    return TokenCounts(
        input=prompt - cached if cached <= prompt else prompt,
        output=output if are_in_output else output + thoughts,
        cache_read=cached,
        reasoning=None if usage.thoughts_token_count is None else thoughts,
    )
