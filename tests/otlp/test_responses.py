"""Answers are what the generated classes of the protocol read, in both encodings."""

import json
from typing import Any

import pytest
from google.protobuf import json_format
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from ghapp.otlp.bodies import MediaType
from ghapp.otlp.responses import TelemetrySignal, failure, success

RESPONSES: dict[TelemetrySignal, Any] = {
    TelemetrySignal.METRICS: ExportMetricsServiceResponse,
    TelemetrySignal.LOGS: ExportLogsServiceResponse,
    TelemetrySignal.TRACES: ExportTraceServiceResponse,
}
SAID = "2 data points were refused: 2 negative, “quoted”."


def parsed(body: bytes, media: MediaType, kind: Any) -> Any:
    return kind.FromString(body) if media is MediaType.PROTOBUF else json_format.Parse(body, kind())


@pytest.mark.parametrize("signal", TelemetrySignal)
@pytest.mark.parametrize("media", MediaType)
def test_a_success_is_empty(signal: TelemetrySignal, media: MediaType) -> None:
    body = success(media, signal)
    assert body == (b"{}" if media is MediaType.JSON else b"")
    assert parsed(body, media, RESPONSES[signal]) == RESPONSES[signal]()


@pytest.mark.parametrize("signal", TelemetrySignal)
@pytest.mark.parametrize("rejected", [0, 1, 127, 128, 2**40])
def test_a_partial_success_is_read_as_it_is_meant(signal: TelemetrySignal, rejected: int) -> None:
    first, second = (
        parsed(success(media, signal, rejected, SAID), media, RESPONSES[signal])
        for media in MediaType
    )
    assert first == second
    partial = first.partial_success
    (number,) = (
        getattr(partial, one.name) for one in partial.DESCRIPTOR.fields if "rejected" in one.name
    )
    assert (number, partial.error_message) == (rejected, SAID)


@pytest.mark.parametrize(
    ("status", "code"), [(400, 3), (413, 8), (415, 3), (401, 16), (403, 7), (429, 8), (503, 14)]
)
@pytest.mark.parametrize("media", MediaType)
def test_a_failure_is_a_status(status: int, code: int, media: MediaType) -> None:
    found = parsed(failure(media, status, SAID), media, Status)
    assert (found.code, found.message) == (code, SAID)


def test_json_has_64_bit_integers_as_text() -> None:
    body = json.loads(success(MediaType.JSON, TelemetrySignal.LOGS, 3, "why"))
    assert body == {"partialSuccess": {"rejectedLogRecords": "3", "errorMessage": "why"}}
