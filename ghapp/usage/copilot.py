"""Tokens in the events of Copilot CLI: sums by model, when an agent session shuts down.

A session that is resumed shuts down again, with sums that go on, or that begin anew in older
versions. Nothing tells the tokens of a session that is open or was killed.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import msgspec
from msgspec import Raw

from ghapp.evidence.json_records import RecordError, each_record, optional, some_text, to_time
from ghapp.evidence.paths import stem
from ghapp.usage.answers import TokenCounts, UsageRecord
from ghapp.usage.believed import IMPOSSIBLE, Told, count, counts, disbelieved, left_out

AGENT = "copilot"
OPEN = "agent sessions that tell no tokens before they shut down"

_Numbers = tuple[int, ...]
"""Input with what was cached and written, output with reasoning, cached, written, reasoning."""


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    timestamp: Any = None
    data: Raw = Raw()


class _Context(msgspec.Struct, gc=False):
    cwd: Any = None


class _Data(msgspec.Struct, gc=False):
    sessionId: Any = None  # noqa: N815  (the names are the format's)
    copilotVersion: Any = None  # noqa: N815
    context: Raw = Raw()
    modelMetrics: Raw = Raw()  # noqa: N815


class _Metrics(msgspec.Struct, gc=False):
    requests: Raw = Raw()
    usage: Raw = Raw()


class _Requests(msgspec.Struct, gc=False):
    count: Any = None


class _Usage(msgspec.Struct, gc=False, rename="camel"):
    input_tokens: Any = None
    output_tokens: Any = None
    cache_read_tokens: Any = None
    cache_write_tokens: Any = None
    reasoning_tokens: Any = None


_EVENT = msgspec.json.Decoder(_Event)
_DATA = msgspec.json.Decoder(_Data)
_CONTEXT = msgspec.json.Decoder(_Context)
_MODELS = msgspec.json.Decoder(dict[str, Raw])
_METRICS = msgspec.json.Decoder(_Metrics)
_REQUESTS = msgspec.json.Decoder(_Requests)
_USAGE = msgspec.json.Decoder(_Usage)
_SIGNS = (b'"session.', b'"assistant.message"')


def read(name: str, records: Iterable[bytes]) -> Iterator[Told]:
    """Yield what each shutdown adds to the tokens of the one before, by model."""
    session = _Session(name)
    for line in records:
        if any(sign in line for sign in _SIGNS):
            for event in each_record(_EVENT, line, _is_event):
                if not isinstance(event, RecordError):
                    yield from session.take(event)
    if session.is_open:
        yield left_out(AGENT, OPEN)


def _is_event(value: dict[str, Any]) -> bool:
    return "data" in value and "type" in value


class _Session:
    """The state of reading one file of events."""

    def __init__(self, name: str) -> None:
        folder = stem(str(PurePosixPath(name).parent))
        self._id = folder if folder and stem(name) == "events" else stem(name)
        self._cwd: str | None = None
        self._version: str | None = None
        self._before: dict[str, _Numbers] = {}
        self._asked: dict[str, int] = {}
        """Model → its requests so far, as far as they were told."""
        self.is_open = False
        """Whether models answered since the last shutdown."""

    def take(self, event: _Event) -> Iterator[Told]:
        """Yield what an event tells."""
        if event.type == "assistant.message":
            self.is_open = True
            return
        data = optional(_DATA, event.data)
        if data is None or not isinstance(event.type, str):
            return
        if event.type in ("session.start", "session.resume"):
            context = optional(_CONTEXT, data.context) or _Context()
            self._id = some_text(data.sessionId) or self._id
            self._version = some_text(data.copilotVersion) or self._version
            self._cwd = some_text(context.cwd) or self._cwd
        elif event.type == "session.shutdown":
            models = optional(_MODELS, data.modelMetrics)
            self.is_open = self.is_open and models is None
            for model, raw in (models or {}).items():
                yield from self._sum(model, raw, to_time(event.timestamp))

    def _sum(self, model: str, raw: Raw, at: datetime | None) -> Iterator[Told]:
        metrics = optional(_METRICS, raw) or _Metrics()
        usage = optional(_USAGE, metrics.usage)
        sums = counts(*msgspec.structs.astuple(usage)) if usage else None
        if sums is None or at is None:
            yield disbelieved(AGENT, sums)
            return
        before = self._before.get(model, (0,) * len(sums))
        if sums == before:
            return
        goes_on = all(now >= was for now, was in zip(sums, before, strict=True))
        added = tuple(now - was for now, was in zip(sums, before, strict=True)) if goes_on else sums
        self._before[model] = sums
        answers = self._requests(model, metrics, goes_on=goes_on)
        tokens = _tokens(added)
        if tokens is None:
            yield left_out(AGENT, IMPOSSIBLE)
        elif tokens.total:
            yield UsageRecord(
                agent=AGENT,
                agent_session=self._id,
                at=at,
                model=some_text(model),
                tokens=tokens,
                message=":".join(map(str, (model, *sums))),
                request=self._id,
                version=self._version,
                project=self._cwd,
                answers=answers,
            )

    def _requests(self, model: str, metrics: _Metrics, *, goes_on: bool) -> int | None:
        """Return how many requests a sum adds; ``None``: it does not say so."""
        told = optional(_REQUESTS, metrics.requests)
        requests = count(told.count) if told else None
        before = self._asked.get(model, 0) if goes_on else 0
        self._asked[model] = requests or before
        return requests - before if requests and requests > before else None


def _tokens(numbers: _Numbers) -> TokenCounts | None:
    """Return the tokens; ``None``: the counts do not fit together."""
    whole, output, read_, written, reasoning = numbers
    if whole < read_ + written:
        return None
    return TokenCounts(
        input=whole - read_ - written,
        output=output,
        cache_read=read_,
        cache_write_5m=written,
        reasoning=min(reasoning, output),
    )
