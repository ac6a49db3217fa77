"""Tokens in agent sessions of the Pi coding agent: each answer tells its own."""

from collections.abc import Iterable, Iterator
from datetime import datetime
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
from ghapp.usage.answers import UsageRecord
from ghapp.usage.believed import Told, disbelieved, uncached

AGENT = "pi"


class _Usage(msgspec.Struct, gc=False, rename="camel"):
    """Input excludes what was cached; output includes reasoning."""

    input: Any = None
    output: Any = None
    cache_read: Any = None
    cache_write: Any = None


class _Message(msgspec.Struct, gc=False):
    role: Any = None
    model: Any = None
    usage: Raw = Raw()


class _Record(msgspec.Struct, gc=False):
    type: Any = None
    id: Any = None
    timestamp: Any = None
    cwd: Any = None
    message: Raw = Raw()


_RECORD = msgspec.json.Decoder(_Record)
_MESSAGE = msgspec.json.Decoder(_Message)
_USAGE = msgspec.json.Decoder(_Usage)


def read(name: str, records: Iterable[bytes]) -> Iterator[Told]:
    """Yield the tokens of each answer in an agent session."""
    session, cwd = stem(name), None
    for line in records:
        if b'"usage"' not in line and b'"session"' not in line:
            continue
        for record in each_record(_RECORD, line, _is_record):
            if isinstance(record, RecordError):
                continue
            if record.type == "session":
                session = some_text(record.id) or session
                cwd = some_text(record.cwd) or cwd
            elif record.type == "message":
                yield from _answer(record, session, cwd)


def _is_record(value: dict[str, Any]) -> bool:
    return value.get("type") in ("message", "session") and "id" in value


def _answer(record: _Record, session: str, cwd: str | None) -> Iterator[Told]:
    message = optional(_MESSAGE, record.message)
    if message is None or message.role != "assistant":
        return
    if not is_given(message.usage):
        return
    usage, at = optional(_USAGE, message.usage), to_time(record.timestamp)
    tokens = uncached(usage)
    if tokens is None or at is None:
        yield disbelieved(AGENT, tokens)
    elif tokens.total:
        yield UsageRecord(
            agent=AGENT,
            agent_session=session,
            at=at,
            model=some_text(message.model),
            tokens=tokens,
            message=_known_by(record.id, at),
            request=AGENT,
            project=cwd,
        )


def _known_by(id_: object, at: datetime) -> str | None:
    """Return what an answer is known by: ids are short, and a fork copies them with their times."""
    return f"{id_}@{at.isoformat()}" if some_text(id_) else None
