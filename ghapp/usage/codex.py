"""Tokens in Codex's rollouts: `token_count` events, with the copies of forked threads left out.

A fork or a subagent's thread may begin with its parent's history, whose events it repeats under new
times. Such a copy is written at once, which shows it; it also has its parent's running totals, so
an event is known by these and the oldest thread that the file names
(https://github.com/ccusage/ccusage/issues/1349, /1371). Since 0.147 a fork names its parent and
holds its own records only.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw

from ghapp.evidence.codex import PAUSE
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
from ghapp.usage.believed import IMPOSSIBLE, Told, counts, disbelieved, left_out

AGENT = "codex"

_Numbers = tuple[int, ...]
"""Input with what was cached and written, cached, written, output with reasoning, reasoning."""


class _Counts(msgspec.Struct, gc=False):
    input_tokens: Any = None
    cached_input_tokens: Any = None
    cache_write_input_tokens: Any = None
    output_tokens: Any = None
    reasoning_output_tokens: Any = None


class _Info(msgspec.Struct, gc=False):
    total_token_usage: Raw = Raw()
    last_token_usage: Raw = Raw()


class _Payload(msgspec.Struct, gc=False):
    """What is used of the records that `_SIGNS` names."""

    type: Any = None
    id: Any = None
    cwd: Any = None
    cli_version: Any = None
    forked_from_id: Any = None
    parent_thread_id: Any = None
    source: Raw = Raw()
    model: Any = None
    info: Raw = Raw()
    response_id: Any = None
    usage: Raw = Raw()
    compaction_response_id: Any = None


class _Spawn(msgspec.Struct, gc=False):
    parent_thread_id: Any = None


class _Subagent(msgspec.Struct, gc=False):
    thread_spawn: _Spawn | None = None


class _Source(msgspec.Struct, gc=False):
    subagent: _Subagent | None = None


class _Line(msgspec.Struct, gc=False):
    type: Any = None
    timestamp: Any = None
    payload: Raw = Raw()


_LINE = msgspec.json.Decoder(_Line)
_PAYLOAD = msgspec.json.Decoder(_Payload)
_INFO = msgspec.json.Decoder(_Info)
_COUNTS = msgspec.json.Decoder(_Counts)
_SOURCE = msgspec.json.Decoder(_Source)
_SIGNS = (
    *(b'"token_count"', b'"session_meta"', b'"turn_context"'),
    *(b'"token_usage_record"', b'"compacted"'),
)


def read(name: str, records: Iterable[bytes]) -> Iterator[Told]:
    """Yield the tokens of each model request that a rollout counts, but for a copy at its start."""
    thread = _Thread(name)
    for line in records:
        is_told = any(sign in line for sign in _SIGNS)
        if not is_told and not thread.is_copying:
            continue
        for record in each_record(_LINE, line, _is_record):
            if isinstance(record, RecordError):
                continue
            at = to_time(record.timestamp)
            thread.follow(at)
            payload = optional(_PAYLOAD, record.payload) if is_told else None
            if payload is not None:
                yield from thread.take(record.type, payload, at)


def _is_record(value: dict[str, Any]) -> bool:
    return "payload" in value and "type" in value


class _Thread:
    """The state of reading one rollout."""

    def __init__(self, name: str) -> None:
        self.is_copying = False
        self._last: datetime | None = None
        self._id: str | None = None
        self._name = stem(name)
        self._root: str | None = None
        self._is_aside = False
        self._model: str | None = None
        self._cwd: str | None = None
        self._version: str | None = None
        self._totals: _Numbers | None = None
        self._compacted: set[str] = set()
        self._requests: dict[str, UsageRecord] = {}
        """Requests that count if a compaction names them, by the id of their response."""

    def follow(self, at: datetime | None) -> None:
        """Notice the end of a copy, as `ghapp.evidence.codex` does."""
        if self.is_copying and at and self._last and at - self._last >= PAUSE:
            self.is_copying = False
        self._last = at or self._last

    def take(self, kind: object, payload: _Payload, at: datetime | None) -> Iterator[Told]:
        """Yield what a record tells of a request."""
        if kind == "session_meta":
            self._meta(payload)
        elif kind == "turn_context":
            self._model = some_text(payload.model) or self._model
            self._cwd = some_text(payload.cwd) or self._cwd
        elif kind == "token_usage_record":
            yield from self._request(payload, at)
        elif kind == "compacted":
            yield from self._compaction(payload)
        elif kind == "event_msg" and payload.type == "token_count" and not self.is_copying:
            info = optional(_INFO, payload.info)
            if info is not None:
                yield from self._counted(info, at)

    def _meta(self, payload: _Payload) -> None:
        """Take a thread's description: the first is the file's own, others are its ancestors'."""
        own = some_text(payload.id)
        spawned = some_text(payload.parent_thread_id) or _spawned_by(payload.source)
        parent = some_text(payload.forked_from_id) or spawned
        if self._id is None:
            self._id = own
            self._is_aside = spawned is not None
            self._cwd, self._version = some_text(payload.cwd), some_text(payload.cli_version)
        elif own != self._id and own is not None:
            self.is_copying = True
        self._root = parent or own or self._root

    def _counted(self, info: _Info, at: datetime | None) -> Iterator[Told]:
        """Yield the tokens of the event's last request; nothing if it only repeats the totals."""
        totals, last = _numbers(info.total_token_usage), _numbers(info.last_token_usage)
        before, self._totals = self._totals, totals or self._totals
        if totals is None or last is None:
            yield left_out(AGENT, IMPOSSIBLE)
            return
        if not info.last_token_usage and totals:
            # Early versions tell the totals alone.
            last = tuple(now - was for now, was in zip(totals, before or (0,) * 5, strict=True))
        self._requests = {
            id_: one for id_, one in self._requests.items() if one.tokens != _tokens(last)
        }
        root = self._root or self._name
        known_by = ":".join(map(str, (root, *totals, *last))) if totals else None
        yield from self._answer(last, at, known_by, root)

    def _request(self, payload: _Payload, at: datetime | None) -> Iterator[Told]:
        """Take a request that may have compacted the context: no event may count it.

        https://github.com/ccusage/ccusage/blob/main/rust/adapters/codex/src/README.md
        """
        id_ = some_text(payload.response_id)
        if id_ is None or self.is_copying:
            return
        for one in self._answer(_numbers(payload.usage) or (), at, id_, None):
            if not isinstance(one, UsageRecord) or id_ in self._compacted:
                yield one
            else:
                self._requests[id_] = one

    def _compaction(self, payload: _Payload) -> Iterator[Told]:
        id_ = some_text(payload.compaction_response_id)
        if id_ is None:
            return
        self._compacted.add(id_)
        if id_ in self._requests:
            yield self._requests.pop(id_)

    def _answer(
        self, last: _Numbers, at: datetime | None, known_by: str | None, request: str | None
    ) -> Iterator[Told]:
        if not any(last):
            return
        tokens = _tokens(last)
        if tokens is None or at is None:
            yield disbelieved(AGENT, tokens)
            return
        yield UsageRecord(
            agent=AGENT,
            agent_session=self._id or self._name,
            at=at,
            model=self._model,
            tokens=tokens,
            message=known_by,
            request=request,
            is_aside=self._is_aside,
            version=self._version,
            project=self._cwd,
        )


def _spawned_by(source: Raw) -> str | None:
    found = optional(_SOURCE, source)
    spawn = found.subagent.thread_spawn if found and found.subagent else None
    return some_text(spawn.parent_thread_id) if spawn else None


def _numbers(raw: Raw) -> _Numbers | None:
    """Return the counts, empty if there are none; ``None``: they cannot be believed."""
    if not is_given(raw):
        return ()
    told = optional(_COUNTS, raw)
    return None if told is None else counts(*msgspec.structs.astuple(told))


def _tokens(numbers: _Numbers) -> TokenCounts | None:
    """Return the tokens; ``None``: the counts do not fit together."""
    if not numbers:
        return None
    whole, read_, written, output, reasoning = numbers
    fresh = whole - read_ - written
    if fresh < 0:
        return None
    return TokenCounts(
        input=fresh,
        output=output,
        cache_read=read_,
        cache_write_5m=written,
        reasoning=reasoning if reasoning <= output else None,
    )
