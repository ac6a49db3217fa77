"""Tokens in OpenCode's messages: files, rows of a database, and exports.

Forks and upgrades copy messages under new ids, so an answer is known by its times and counts.
"""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

import msgspec
from msgspec import Raw

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
from ghapp.usage.answers import TokenCounts, UsageRecord
from ghapp.usage.believed import Told, counts, disbelieved, left_out

AGENT = "opencode"
UNREADABLE = "messages that cannot be read"


class _Cache(msgspec.Struct, gc=False):
    read: Any = None
    write: Any = None


class _Tokens(msgspec.Struct, gc=False):
    """Input excludes what was cached, output excludes reasoning."""

    input: Any = None
    output: Any = None
    reasoning: Any = None
    cache: Raw = Raw()


class _Time(msgspec.Struct, gc=False):
    created: Any = None
    completed: Any = None


class _Path(msgspec.Struct, gc=False):
    cwd: Any = None


class _Model(msgspec.Struct, gc=False):
    id: Any = None


class _Message(msgspec.Struct, gc=False, rename={"session": "sessionID", "by": "modelID"}):
    """A message of either generation; a row tells directory and version beside it."""

    id: Any = None
    session: Any = None
    by: Any = None
    model: Raw = Raw()
    time: Raw = Raw()
    path: Raw = Raw()
    directory: Any = None
    version: Any = None
    tokens: Raw = Raw()


class _Turn(msgspec.Struct, gc=False):
    info: Raw = Raw()


class _Export(msgspec.Struct, gc=False):
    info: Raw = Raw()
    messages: Raw = Raw()


_MESSAGES = msgspec.json.Decoder(_Message)
_EXPORTS = msgspec.json.Decoder(_Export)
_TURNS = msgspec.json.Decoder(list[Raw])
_TURN = msgspec.json.Decoder(_Turn)
_TOKENS = msgspec.json.Decoder(_Tokens)
_CACHES = msgspec.json.Decoder(_Cache)
_TIMES = msgspec.json.Decoder(_Time)
_PATHS = msgspec.json.Decoder(_Path)
_MODELS = msgspec.json.Decoder(_Model)


def read(name: str, records: Iterable[bytes]) -> Iterator[Told]:
    """Yield the tokens of a message, of an export's messages, or of a database's rows."""
    if PurePosixPath(name).suffix == ".db":
        for line in records:
            try:
                yield from _answer(name, decoded(_MESSAGES, line), _Message())
            except RecordError:
                yield left_out(AGENT, UNREADABLE)
        return
    try:
        text = document(records)
        export = decoded(_EXPORTS, text)
    except RecordError:  # named by ghapp.evidence
        return
    if not export.messages:
        yield from _answer(name, optional(_MESSAGES, Raw(text)) or _Message(), _Message())
        return
    whole = optional(_MESSAGES, export.info) or _Message()
    for raw in optional(_TURNS, export.messages) or ():
        turn = optional(_TURN, raw)
        # Version 2 exports its messages as they are, without ``info``.
        told = optional(_MESSAGES, turn.info if turn and turn.info else raw)
        yield from _answer(name, told or _Message(), whole)


def _answer(name: str, message: _Message, whole: _Message) -> Iterator[Told]:
    """Yield what a message tells; ``whole`` is the agent session that an export describes."""
    if not is_given(message.tokens):
        return
    time = optional(_TIMES, message.time) or _Time()
    at = to_time_of_milliseconds(time.created)
    told = optional(_TOKENS, message.tokens)
    tokens = None if told is None else _tokens(told)
    if tokens is None or at is None:
        yield disbelieved(AGENT, tokens)
    elif tokens.total:
        path = optional(_PATHS, message.path)
        model = optional(_MODELS, message.model)
        cwd = path.cwd if path else message.directory
        numbers = msgspec.structs.astuple(tokens)
        session = some_text(message.session) or some_text(whole.id) or stem(name)
        yield UsageRecord(
            agent=AGENT,
            agent_session=session,
            at=at,
            model=some_text(message.by) or (some_text(model.id) if model else None),
            tokens=tokens,
            message=":".join(map(str, (time.created, time.completed, *numbers))),
            request=AGENT,
            version=some_text(message.version) or some_text(whole.version),
            project=some_text(cwd) or some_text(whole.directory),
        )


def _tokens(told: _Tokens) -> TokenCounts | None:
    cache = optional(_CACHES, told.cache) or _Cache()
    found = counts(told.input, told.output, told.reasoning, cache.read, cache.write)
    if found is None:
        return None
    fresh, output, reasoning, read_, written = found
    return TokenCounts(
        input=fresh,
        output=output + reasoning,
        cache_read=read_,
        cache_write_5m=written,
        reasoning=None if told.reasoning is None else reasoning,
    )
