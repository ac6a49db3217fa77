"""Tokens in the documents of Cline's command line.

The tasks of the editors' agents keep theirs in other files (``ui_messages.json``), which nobody
reads here.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Raw

from ghapp.evidence.cline import agent_of
from ghapp.evidence.json_records import (
    RecordError,
    decoded,
    document,
    is_given,
    optional,
    some_text,
    to_time_of_milliseconds,
)
from ghapp.evidence.paths import stem
from ghapp.usage.answers import UsageRecord
from ghapp.usage.believed import Told, disbelieved, known_by, left_out, uncached

AGENT = "cline"
ELSEWHERE = "tasks whose tokens stand in files that nobody reads"


class _Metrics(msgspec.Struct, gc=False, rename="camel"):
    """Input excludes what was cached."""

    input_tokens: Any = None
    output_tokens: Any = None
    cache_read_tokens: Any = None
    cache_write_tokens: Any = None


class _ModelInfo(msgspec.Struct, gc=False):
    id: Any = None


class _Message(msgspec.Struct, gc=False):
    id: Any = None
    role: Any = None
    ts: Any = None
    modelInfo: Raw = Raw()  # noqa: N815  (the names are the format's)
    metrics: Raw = Raw()


class _Document(msgspec.Struct, gc=False):
    sessionId: Any = None  # noqa: N815
    messages: Raw = Raw()


_DOCUMENT = msgspec.json.Decoder(_Document)
_MESSAGES = msgspec.json.Decoder(list[Raw])
_MESSAGE = msgspec.json.Decoder(_Message)
_METRICS = msgspec.json.Decoder(_Metrics)
_MODEL_INFO = msgspec.json.Decoder(_ModelInfo)


def read(name: str, records: Iterable[bytes]) -> Iterator[Told]:
    """Yield the tokens of each answer in a document of the command line."""
    try:
        text = document(records)
        if text.lstrip()[:1] == b"[":
            yield left_out(agent_of(name), ELSEWHERE)
            return
        told = decoded(_DOCUMENT, text)
    except RecordError:  # damaged: ghapp.evidence names it
        return
    session = some_text(told.sessionId) or stem(name)
    for raw in optional(_MESSAGES, told.messages) or ():
        message = optional(_MESSAGE, raw)
        if message is not None and message.role == "assistant" and is_given(message.metrics):
            yield from _answer(message, session)


def _answer(message: _Message, session: str) -> Iterator[Told]:
    metrics, at = optional(_METRICS, message.metrics), to_time_of_milliseconds(message.ts)
    tokens = uncached(metrics)
    if tokens is None or at is None:
        yield disbelieved(AGENT, tokens)
    elif tokens.total:
        model = optional(_MODEL_INFO, message.modelInfo)
        yield UsageRecord(
            agent=AGENT,
            agent_session=session,
            at=at,
            model=some_text(model.id) if model else None,
            tokens=tokens,
            message=known_by(message.ts, tokens),
            request=session,
        )
