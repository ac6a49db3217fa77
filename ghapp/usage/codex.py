"""Tokens in Codex's rollouts: `token_count` events, with the copies of forked threads left out.

A fork or a subagent's thread begins with its parent's history, whose events it repeats under new
times. An event is therefore known by its running totals and the oldest thread that the file
names (https://github.com/ccusage/ccusage/issues/1349, /1371).
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Raw

from ghapp.evidence.json_records import UNREADABLE, some_text, to_time
from ghapp.evidence.paths import stem
from ghapp.usage.answers import TokenCounts, UsageRecord

AGENT = "codex"


class _Counts(msgspec.Struct, gc=False, frozen=True):
    """Input includes what was cached; output includes reasoning."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_output_tokens: int = 0


class _Info(msgspec.Struct, gc=False):
    total_token_usage: _Counts | None = None
    last_token_usage: _Counts | None = None


class _Payload(msgspec.Struct, gc=False):
    """What is used of `session_meta`, `turn_context` and `token_count`."""

    type: Any = None
    id: Any = None
    cwd: Any = None
    cli_version: Any = None
    forked_from_id: Any = None
    parent_thread_id: Any = None
    model: Any = None
    info: _Info | None = None


class _Line(msgspec.Struct, gc=False):
    type: str | None = None
    timestamp: Any = None
    payload: Raw = Raw()


_LINE = msgspec.json.Decoder(_Line)
_PAYLOAD = msgspec.json.Decoder(_Payload)
_SIGNS = (b'"token_count"', b'"session_meta"', b'"turn_context"')


def read(name: str, records: Iterable[bytes]) -> Iterator[UsageRecord]:
    """Yield the tokens of each model request that a rollout counts, copies of a fork included."""
    thread = _Thread(name)
    for line in records:
        if not any(sign in line for sign in _SIGNS):
            continue
        try:
            record = _LINE.decode(line)
            payload = _PAYLOAD.decode(record.payload)
        except UNREADABLE:
            continue
        if record.type == "session_meta":
            thread.meta(payload)
        elif record.type == "turn_context":
            thread.turn(payload)
        elif record.type == "event_msg" and payload.type == "token_count" and payload.info:
            found = thread.counted(payload.info, record.timestamp)
            if found is not None:
                yield found


class _Thread:
    """The state of reading one rollout."""

    def __init__(self, name: str) -> None:
        self._id: str | None = None
        self._name = stem(name)
        self._root: str | None = None
        self._is_aside = False
        self._model: str | None = None
        self._cwd: str | None = None
        self._version: str | None = None

    def meta(self, payload: _Payload) -> None:
        """Take a thread's description: the first is the file's own, others are its ancestors'."""
        own = some_text(payload.id)
        parent = some_text(payload.forked_from_id) or some_text(payload.parent_thread_id)
        if self._id is None:
            self._id = own
            self._is_aside = some_text(payload.parent_thread_id) is not None
            self._cwd, self._version = some_text(payload.cwd), some_text(payload.cli_version)
        self._root = parent or own or self._root

    def turn(self, payload: _Payload) -> None:
        """Take the model of the requests that follow."""
        self._model = some_text(payload.model) or self._model
        self._cwd = some_text(payload.cwd) or self._cwd

    def counted(self, info: _Info, timestamp: object) -> UsageRecord | None:
        """Return the tokens of one request; ``None``: the event tells none, or at no time."""
        last, at = info.last_token_usage, to_time(timestamp)
        tokens = _tokens(last) if last else None
        if tokens is None or at is None:
            return None
        totals = info.total_token_usage
        return UsageRecord(
            agent=AGENT,
            agent_session=self._id or self._name,
            at=at,
            model=self._model,
            tokens=tokens,
            message=_known_by(totals, last) if totals and last else None,
            request=self._root or self._name,
            is_aside=self._is_aside,
            version=self._version,
            project=self._cwd,
        )


def _known_by(totals: _Counts, last: _Counts) -> str:
    numbers = (*msgspec.structs.astuple(totals), *msgspec.structs.astuple(last))
    return ":".join(map(str, numbers))


def _tokens(counts: _Counts) -> TokenCounts | None:
    """Return the counts; ``None``: they do not fit together, or nothing was used."""
    read_, written = counts.cached_input_tokens, counts.cache_write_input_tokens
    fresh = counts.input_tokens - read_ - written
    if min(msgspec.structs.astuple(counts)) < 0 or fresh < 0:
        return None
    found = TokenCounts(
        input=fresh,
        output=counts.output_tokens,
        cache_read=read_,
        cache_write_5m=written,
        reasoning=counts.reasoning_output_tokens,
    )
    return found if counts.input_tokens or counts.output_tokens else None
