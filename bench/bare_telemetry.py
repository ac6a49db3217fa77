"""A Flask route that decodes an OTLP request and keeps nothing: what ours is measured against."""

from flask import Flask, Response, request
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

app = Flask(__name__)


@app.post("/v1/metrics")
def metrics() -> Response:
    """Decode, and answer with success."""
    ExportMetricsServiceRequest.FromString(request.get_data())
    return Response(b"", content_type="application/x-protobuf")


@app.get("/readyz")
def ready() -> str:
    """Answer the probe."""
    return "ok"
