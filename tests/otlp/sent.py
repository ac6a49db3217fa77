"""Requests as agents send them, in both encodings. All names and numbers are made up.

Protobuf is made by the generated classes of the protocol, so that it is nobody's opinion.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from ghapp.otlp.bodies import MediaType
from ghapp.otlp.counters import SeriesState, deltas
from ghapp.otlp.meaning import RequestMeaning, told_by_events, told_by_points
from ghapp.otlp.nouns import SECOND, LogsRead, MetricsRead
from ghapp.otlp.requests import decode_logs, decode_metrics

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
AT = int(NOW.timestamp()) * SECOND
START = AT - 60 * SECOND
AGENT_SESSION = "3f1d0c9e-6b52-4c0a-9a1e-2f4b7d8c9e01"
CLAUDE = {"service.name": "claude-code", "service.version": "2.1.274"}
CLAUDE_SCOPE = "com.anthropic.claude_code"
DELTA, CUMULATIVE = 1, 2
BOTH = tuple(MediaType)
Request = dict[str, Any]


def value(of: object) -> Request:
    """Return an attribute's value in OTLP's words."""
    match of:
        case bool():
            return {"boolValue": of}
        case int():
            return {"intValue": str(of)}
        case float():
            return {"doubleValue": of}
        case list():
            return {"arrayValue": {"values": [value(one) for one in of]}}
        case _:
            return {"stringValue": of}


def attributes(of: Mapping[str, object]) -> list[Request]:
    return [{"key": key, "value": value(one)} for key, one in of.items()]


def point(number: float | str | None = 1, **more: Any) -> Request:
    """Return a data point of a sum; attributes are given by their names in ``about``."""
    about = {"session.id": AGENT_SESSION, "type": "output", "model": "claude-opus-5"}
    found: Request = {
        "attributes": attributes(about | more.pop("about", {})),
        "startTimeUnixNano": str(START),
        "timeUnixNano": str(AT),
        "asDouble": number,
    }
    found |= more
    return {key: one for key, one in found.items() if one is not None}


def bucketed(number: float, about: Mapping[str, object]) -> Request:
    """Return a data point of a histogram."""
    return {
        "attributes": attributes(about),
        "startTimeUnixNano": str(START),
        "timeUnixNano": str(AT),
        "count": "1",
        "sum": number,
        "bucketCounts": ["1"],
    }


def metric(
    points: Iterable[Request],
    name: str = "claude_code.token.usage",
    kind: str = "sum",
    temporality: int = DELTA,
    **more: Any,
) -> Request:
    data: Request = {"dataPoints": list(points)}
    if kind in ("sum", "histogram", "exponentialHistogram"):
        data["aggregationTemporality"] = temporality
    if kind == "sum":
        data["isMonotonic"] = True
    return {"name": name, "unit": "tokens", kind: data | more}


def metrics(
    *of: Request, resource: Mapping[str, object] = CLAUDE, scope: str = CLAUDE_SCOPE
) -> Request:
    scoped = {"scope": {"name": scope, "version": "1"}, "metrics": list(of)}
    around = {"attributes": attributes(resource)}
    return {"resourceMetrics": [{"resource": around, "scopeMetrics": [scoped]}]}


def record(name: str | None, about: Mapping[str, object], **more: Any) -> Request:
    named = {} if name is None else {"event.name": name}
    return {
        "timeUnixNano": str(AT),
        "attributes": attributes({"session.id": AGENT_SESSION} | named | dict(about)),
    } | more


def logs(
    *of: Request,
    resource: Mapping[str, object] = CLAUDE,
    scope: str = f"{CLAUDE_SCOPE}.events",
) -> Request:
    scoped = {"scope": {"name": scope}, "logRecords": list(of)}
    around = {"attributes": attributes(resource)}
    return {"resourceLogs": [{"resource": around, "scopeLogs": [scoped]}]}


def encoded(request: Request, media: MediaType) -> bytes:
    """Return a request's bytes."""
    if media is MediaType.JSON:
        return json.dumps(request).encode()
    is_metrics = "resourceMetrics" in request
    message = ExportMetricsServiceRequest() if is_metrics else ExportLogsServiceRequest()
    json_format.ParseDict(request, message)
    return bytes(message.SerializeToString())


def read_metrics(request: Request) -> MetricsRead:
    """Return what a request holds, which is the same in both encodings."""
    first, second = (decode_metrics(encoded(request, one), one, None, NOW) for one in BOTH)
    assert first == second
    return first


def read_logs(request: Request) -> LogsRead:
    """Return what a request holds, which is the same in both encodings."""
    first, second = (decode_logs(encoded(request, one), one, None, NOW) for one in BOTH)
    assert first == second
    return first


def told(request: Request, states: Mapping[bytes, SeriesState] | None = None) -> RequestMeaning:
    """Return what a request tells, all of whose series are new and whole."""
    if "resourceLogs" in request:
        return told_by_events(read_logs(request).events)
    return told_by_points(deltas(read_metrics(request).points, states or {}, 0).points)
