"""What the real OpenTelemetry SDK sends over HTTP is read, in both encodings, plain and packed."""

import http.server
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from opentelemetry.exporter.otlp.json.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.json.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import LogRecordExportResult, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExportResult,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource

from ghapp.otlp.bodies import media_of
from ghapp.otlp.counters import SeriesState, deltas
from ghapp.otlp.meaning import told_by_events, told_by_points
from ghapp.otlp.refusals import sentence
from ghapp.otlp.requests import decode_logs, decode_metrics
from ghapp.otlp.responses import TelemetrySignal, success
from ghapp.otlp.told import ToldUsage
from ghapp.usage.answers import TokenCounts
from tests.otlp.sent import AGENT_SESSION, CLAUDE, CLAUDE_SCOPE
from tests.receivers import serving
from tests.waiting import START_SECONDS

JSON = {"Content-Type": "application/json"}
ABOUT = {"session.id": AGENT_SESSION, "model": "claude-opus-5", "user.email": "ada@example.com"}


class Door(http.server.ThreadingHTTPServer):
    """Reads what it is sent, as the web door does, and keeps what that tells."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: list[ToldUsage] = []
        self.states: dict[bytes, SeriesState] = {}
        self.headers: list[Any] = []

    def take(self, path: str, headers: Any, body: bytes) -> bytes:
        """Return the answer's body."""
        self.headers.append(headers)
        media, encoding = media_of(headers["Content-Type"]), headers["Content-Encoding"]
        now = datetime.now(UTC)
        if path == "/v1/logs":
            events = decode_logs(body, media, encoding, now)
            self.told.append(told_by_events(events.events).told)
            refused = events.refused
            signal, what = TelemetrySignal.LOGS, "log records"
        else:
            points = decode_metrics(body, media, encoding, now)
            found = deltas(points.points, self.states, 0)
            self.states |= found.states
            self.told.append(told_by_points(found.points).told)
            refused = points.refused
            signal, what = TelemetrySignal.METRICS, "data points"
        return success(media, signal, refused.total(), sentence(refused, what))


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Door

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.take(self.path, self.headers, body)
        self.send_response(200)
        self.send_header("Content-Type", self.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
        """Log nothing."""


@pytest.fixture
def door() -> Iterator[Door]:
    server = Door()
    with serving(server):
        yield server


def address(door: Door, path: str) -> str:
    return f"http://127.0.0.1:{door.server_port}{path}"


class JsonMetricExporter(OTLPMetricExporter):
    """The SDK's own JSON encoding, posted."""

    def export(self, metrics_data: Any, *_: Any, **__: Any) -> MetricExportResult:
        """Post metrics."""
        body = encode_metrics(metrics_data).to_json()
        requests.post(self._endpoint, body, headers=JSON, timeout=START_SECONDS).raise_for_status()
        return MetricExportResult.SUCCESS


class JsonLogExporter(OTLPLogExporter):
    """The SDK's own JSON encoding, posted."""

    def export(self, batch: Sequence[Any]) -> LogRecordExportResult:
        """Post log records."""
        body = encode_logs(batch).to_json()
        requests.post(self._endpoint, body, headers=JSON, timeout=START_SECONDS).raise_for_status()
        return LogRecordExportResult.SUCCESS


@contextmanager
def metering(
    door: Door, kind: type[OTLPMetricExporter], temporality: Any, compression: Compression
) -> Iterator[MeterProvider]:
    """Yield a provider that exports when it is told to."""
    exporter = kind(
        endpoint=address(door, "/v1/metrics"),
        compression=compression,
        preferred_temporality=dict.fromkeys((Counter, Histogram), temporality),
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider([reader], Resource(CLAUDE), shutdown_on_exit=False)
    try:
        yield provider
    finally:
        provider.shutdown()


EXPORTERS = [
    pytest.param(OTLPMetricExporter, Compression.NoCompression, id="protobuf"),
    pytest.param(OTLPMetricExporter, Compression.Gzip, id="protobuf, packed"),
    pytest.param(JsonMetricExporter, Compression.NoCompression, id="json"),
]


@pytest.mark.parametrize(("kind", "compression"), EXPORTERS)
@pytest.mark.parametrize(
    "temporality", [AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE]
)
def test_what_a_counter_counts_is_told_once(
    door: Door, kind: type[OTLPMetricExporter], compression: Compression, temporality: Any
) -> None:
    with metering(door, kind, temporality, compression) as provider:
        counter = provider.get_meter(CLAUDE_SCOPE, "2.1.274").create_counter(
            "claude_code.token.usage", unit="tokens"
        )
        for output in (1000, 700, 0, 250):
            counter.add(12.0, ABOUT | {"type": "input"})
            counter.add(output, ABOUT | {"type": "output", "effort": "high"})
            assert provider.force_flush(10_000)
    tokens = [one for told in door.told for one in told.tokens]
    total = sum((one.tokens for one in tokens), TokenCounts())
    assert total == TokenCounts(input=48, output=1950)
    assert {one.teller.claims.email for one in tokens} == {"ada@example.com"}
    packed = {headers["Content-Encoding"] for headers in door.headers}
    assert packed == {"gzip" if compression is Compression.Gzip else None}


@pytest.mark.parametrize(("kind", "compression"), EXPORTERS)
def test_what_a_histogram_records_is_told_by_its_sums(
    door: Door, kind: type[OTLPMetricExporter], compression: Compression
) -> None:
    with metering(door, kind, AggregationTemporality.CUMULATIVE, compression) as provider:
        histogram = provider.get_meter("copilot-chat").create_histogram("gen_ai.client.token.usage")
        for tokens in (100, 40):
            for token_type, factor in (("input", 5), ("output", 1)):
                about = {"gen_ai.token.type": token_type, "gen_ai.request.model": "gpt-4o"}
                histogram.record(tokens * factor, about)
            assert provider.force_flush(10_000)
    counted = [one.tokens for told in door.told for one in told.tokens]
    assert counted == [TokenCounts(input=500, output=100), TokenCounts(input=200, output=40)]


@pytest.mark.parametrize("kind", [OTLPLogExporter, JsonLogExporter])
def test_an_event_is_told(door: Door, kind: type[OTLPLogExporter]) -> None:
    provider = LoggerProvider(Resource(CLAUDE), shutdown_on_exit=False)
    exporter = kind(endpoint=address(door, "/v1/logs"), compression=Compression.Gzip)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger(f"{CLAUDE_SCOPE}.events")
    at = int(datetime.now(UTC).timestamp() * 1_000_000_000)
    counts = {"input_tokens": 12, "output_tokens": 850, "request_id": "req_1", "prompt": "dropped"}
    logger.emit(
        timestamp=at,
        body="claude_code.api_request",
        attributes=ABOUT | counts | {"event.name": "api_request", "list": ["of", "texts"]},
    )
    provider.shutdown()
    (answer,) = [one for told in door.told for one in told.tokens]
    assert (answer.tokens, answer.key) == (TokenCounts(input=12, output=850), "req_1")
    assert answer.teller.agent_session == AGENT_SESSION


def test_an_exporter_takes_a_partial_success_as_a_success(door: Door) -> None:
    # It does not send again: it would never end.
    with metering(
        door, OTLPMetricExporter, AggregationTemporality.DELTA, Compression.NoCompression
    ) as provider:
        meter = provider.get_meter(CLAUDE_SCOPE)
        meter.create_counter("shop.orders").add(1)
        meter.create_counter("claude_code.token.usage").add(5, ABOUT | {"type": "output"})
        assert provider.force_flush(10_000)
    assert [one.tokens.output for told in door.told for one in told.tokens] == [5]
    assert len(door.headers) == 1
