"""What OTLP requests cost: reading beside bare decoding, storing beside a bare route, memory."""

import gzip
import json
import multiprocessing
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from bench.console import say, table
from bench.memory import peak
from bench.telemetry_route import DATABASES, route_costs
from ghapp.otlp.bodies import MediaType, RequestRefusedError
from ghapp.otlp.counters import deltas
from ghapp.otlp.frames import varint_bytes
from ghapp.otlp.meaning import told_by_points
from ghapp.otlp.nouns import SECOND
from ghapp.otlp.reading import SeriesMemory
from ghapp.otlp.requests import decode_metrics

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
AT = int(NOW.timestamp()) * SECOND
KINDS = ("input", "output", "cacheRead", "cacheCreation")
ROUNDS = 40
_COMMON = {
    "user.id": "1c5f0e2b9d7a4c3e8f6a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4",
    "organization.id": "7a6b5c4d-3e2f-4a1b-8c9d-0e1f2a3b4c5d",
    "user.email": "ada.example@example.com",
    "user.account_uuid": "0b9c8d7e-6f5a-4b3c-9d2e-1f0a9b8c7d6e",
    "user.account_id": "user_01EXAMPLEexampleEXAMPLE",
    "terminal.type": "iTerm.app",
    "team.id": "platform",
    "cost_center": "eng-123",
    "vcs.repository.url.full": "https://github.com/acme/app",
    "vcs.owner.name": "acme",
    "vcs.repository.name": "app",
    "vcs.provider.name": "github",
    "query_source": "main",
    "effort": "high",
}


def run(points: int, *, as_json: bool) -> int:
    """Print CPU time for each request, as a share of bare decoding in the same run."""
    request = _request(points)
    found = {media.name.lower(): _measured(request, media) for media in MediaType}
    memory = {name: _in_a_child(task) for name, task in MEMORY.items()}
    stored = {name: route_costs(request, name) for name in DATABASES}
    if as_json:
        say(json.dumps({"points": points, "cpu": found, "route": stored, "bomb": memory}))
        return 0
    rows = [
        (name, what, f"{micros:,.0f}", f"{micros / costs['bare']:.2f}")
        for name, costs in found.items()
        for what, micros in costs.items()
    ]
    say(f"{points} points, microseconds of CPU for each request")
    say(table(rows, ("encoding", "what", "µs", "of bare")))
    say()
    say("the web process, with gunicorn; ours is durable when it answers")
    routes = [
        (name, what, f"{micros:,.0f}", f"{micros / costs['bare']:.2f}")
        for name, costs in stored.items()
        for what, micros in costs.items()
    ]
    say(table(routes, ("database", "route", "µs", "of bare")))
    say()
    say(
        f"{len(gzip.compress(_bomb())):,} bytes of gzip, all of them empty attributes of one metric"
    )
    more = [(name, f"{size / 1_000_000:,.0f}") for name, size in memory.items()]
    say(table(more, ("read by", "MB more")))
    return 0


def _request(points: int) -> dict[str, Any]:
    """Return a request of one developer's machine: agent sessions of two models each."""
    about = [
        {
            "session.id": f"3f1d0c9e-6b52-4c0a-9a1e-{at // 8:012}",
            **_COMMON,
            "model": f"claude-model-{at // 4 % 2}",
            "type": KINDS[at % 4],
        }
        for at in range(points)
    ]
    data = [
        {
            "attributes": _attributes(one),
            "startTimeUnixNano": str(AT - 60 * SECOND),
            "timeUnixNano": str(AT),
            "asDouble": 100.0 + at,
        }
        for at, one in enumerate(about)
    ]
    tokens = {
        "name": "claude_code.token.usage",
        "unit": "tokens",
        "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": data},
    }
    scoped = {"scope": {"name": "com.anthropic.claude_code"}, "metrics": [tokens]}
    resource = _attributes({"service.name": "claude-code", "service.version": "2.1.274"})
    around = {"resource": {"attributes": resource}, "scopeMetrics": [scoped]}
    return {"resourceMetrics": [around]}


def _attributes(of: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": one}} for key, one in of.items()]


def _measured(request: dict[str, Any], media: MediaType) -> dict[str, float]:
    body, bare = json.dumps(request).encode(), msgspec.json.decode
    if media is MediaType.PROTOBUF:
        message = ExportMetricsServiceRequest()
        json_format.ParseDict(request, message)
        body, bare = message.SerializeToString(), ExportMetricsServiceRequest.FromString
    memory = SeriesMemory()

    def known() -> None:
        _tell(body, media, memory)

    def new() -> None:
        _tell(body, media, SeriesMemory())

    tasks: dict[str, Callable[[], object]] = {"bare": lambda: bare(body)}
    if media is MediaType.PROTOBUF:
        tasks["bare, attributes too"] = lambda: _looked_at(body)
    tasks |= {"ours, known series": known, "ours, new series": new}
    return _costs(tasks)


def _tell(body: bytes, media: MediaType, memory: SeriesMemory) -> None:
    read = decode_metrics(body, media, None, NOW, memory)
    told_by_points(deltas(read.points, {}, 0).points)


def _looked_at(body: bytes) -> list[dict[str, str]]:
    """Decode a request as far as its attributes are Python's own texts."""
    return [
        {one.key: one.value.string_value for one in point.attributes}
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.sum.data_points
    ]


def _costs(tasks: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return microseconds of CPU for each task; they take turns, so that all meet the same."""
    spent = dict.fromkeys(tasks, 0)
    for turn in range(ROUNDS + 1):
        for name, task in tasks.items():
            start = time.process_time_ns()
            task()
            # The first turn imports and fills caches.
            spent[name] += time.process_time_ns() - start if turn else 0
    return {name: nanos / ROUNDS / 1_000 for name, nanos in spent.items()}


# --- a bomb ---------------------------------------------------------------------------------------


def _bomb() -> bytes:
    """Return a request of almost the largest size: a metric with eight million empty points."""
    empty = b"\x0a\x00" * (8 * 1024 * 1024 - 64)
    metric = _message(1, b"claude_code.token.usage") + _message(7, empty)
    return _message(1, _message(2, _message(2, metric)))


def _message(number: int, payload: bytes) -> bytes:
    return varint_bytes(number << 3 | 2) + varint_bytes(len(payload)) + payload


def _generated(body: bytes) -> None:
    ExportMetricsServiceRequest.FromString(body)


def _ours(body: bytes) -> None:
    try:
        decode_metrics(body, MediaType.PROTOBUF, None, NOW)
    except RequestRefusedError:
        return


MEMORY = {"the generated classes": _generated, "ours": _ours}


def _in_a_child(task: Callable[[bytes], None]) -> int:
    """Return how much a task adds to the peak memory of a process of its own."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_report, args=(task, theirs))
    child.start()
    found: int = ours.recv()
    child.join()
    return found


def _report(task: Callable[[bytes], None], answer: Any) -> None:
    body = _bomb()
    before = peak()
    task(body)
    answer.send(peak() - before)
