"""Tokens in wire logs of Kimi Code: a record for each turn, in its two generations."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from ghapp.evidence.json_records import (
    RecordError,
    each_record,
    is_given,
    optional,
    some_text,
    to_time_of_milliseconds,
)
from ghapp.evidence.kimi import session_of
from ghapp.usage.answers import UsageRecord
from ghapp.usage.believed import Told, disbelieved, known_by, uncached

AGENT = "kimi"


class _Usage(msgspec.Struct, gc=False, rename="camel"):
    input_other: Any = None
    output: Any = None
    input_cache_read: Any = None
    input_cache_creation: Any = None


class _OlderUsage(msgspec.Struct, gc=False):
    input_other: Any = None
    output: Any = None
    input_cache_read: Any = None
    input_cache_creation: Any = None


class _Payload(msgspec.Struct, gc=False):
    token_usage: Raw = Raw()


class _Message(msgspec.Struct, gc=False):
    type: Any = None
    payload: Raw = Raw()


class _Record(msgspec.Struct, gc=False):
    type: Any = None
    time: Any = None
    cwd: Any = None
    model: Any = None
    usage: Raw = Raw()
    usageScope: Any = None  # noqa: N815  (the names are the format's)
    timestamp: Any = None
    message: Raw = Raw()


_RECORD = msgspec.json.Decoder(_Record)
_USAGE = msgspec.json.Decoder(_Usage)
_OLDER_USAGE = msgspec.json.Decoder(_OlderUsage)
_MESSAGE = msgspec.json.Decoder(_Message)
_PAYLOAD = msgspec.json.Decoder(_Payload)
_SIGNS = (b'"usage.record"', b'"token_usage"', b'"config.update"')


class _Place(NamedTuple):
    """The agent session of a log, and the working directory that it named last."""

    agent_session: str
    cwd: str | None


def read(name: str, records: Iterable[bytes]) -> Iterator[Told]:
    """Yield the tokens of each turn in a log; records of a whole agent session only add them up."""
    place = _Place(session_of(name), None)
    for line in records:
        if not any(sign in line for sign in _SIGNS):
            continue
        for record in each_record(_RECORD, line, _is_record):
            if isinstance(record, RecordError):
                continue
            if record.type == "config.update":
                place = place._replace(cwd=some_text(record.cwd) or place.cwd)
            elif record.type == "usage.record":
                if record.usageScope in (None, "turn"):
                    told = optional(_USAGE, record.usage)
                    yield from _answer(place, record, told, record.time)
            else:
                yield from _older(place, record)


def _is_record(value: dict[str, Any]) -> bool:
    return "type" in value or "message" in value


def _older(place: _Place, record: _Record) -> Iterator[Told]:
    """Yield the tokens of a status; its time is in seconds."""
    message = optional(_MESSAGE, record.message)
    payload = optional(_PAYLOAD, message.payload) if message else None
    if message is None or message.type != "StatusUpdate":
        return
    if payload is None or not is_given(payload.token_usage):
        return
    told = optional(_OLDER_USAGE, payload.token_usage)
    seconds = record.timestamp
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    time = seconds * 1000 if is_number else None
    yield from _answer(place, record, told, time)


def _answer(
    place: _Place, record: _Record, told: _Usage | _OlderUsage | None, time: object
) -> Iterator[Told]:
    at, tokens = to_time_of_milliseconds(time), uncached(told)
    if tokens is None or at is None:
        yield disbelieved(AGENT, tokens)
    elif tokens.total:
        yield UsageRecord(
            agent=AGENT,
            agent_session=place.agent_session,
            at=at,
            model=some_text(record.model),
            tokens=tokens,
            message=known_by(time, tokens),
            request=place.agent_session,
            project=place.cwd,
        )
