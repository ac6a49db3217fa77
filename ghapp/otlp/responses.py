"""The answers to OTLP requests, in the encoding of the request.

https://github.com/open-telemetry/opentelemetry-proto/blob/main/docs/specification.md#otlphttp-response
"""

from enum import IntEnum, StrEnum

import msgspec

from ghapp.otlp.bodies import MediaType
from ghapp.otlp.frames import varint_bytes


class TelemetrySignal(StrEnum):
    """What a request carries."""

    METRICS = "metrics"
    LOGS = "logs"
    TRACES = "traces"


class StatusCode(IntEnum):
    """The code of a ``google.rpc.Status``, by HTTP's status.

    https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
    """

    INVALID_ARGUMENT = 3
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


_CODES = {
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    413: StatusCode.RESOURCE_EXHAUSTED,
    429: StatusCode.RESOURCE_EXHAUSTED,
    500: StatusCode.INTERNAL,
    503: StatusCode.UNAVAILABLE,
}
_REJECTED = {
    TelemetrySignal.METRICS: "rejectedDataPoints",
    TelemetrySignal.LOGS: "rejectedLogRecords",
    TelemetrySignal.TRACES: "rejectedSpans",
}


def success(
    media: MediaType, signal: TelemetrySignal, rejected: int = 0, message: str = ""
) -> bytes:
    """Return the body of an answer with status 200.

    ``rejected`` and a sentence about them make it a partial success, after which a sender must
    not send again.
    """
    if media is MediaType.JSON:
        partial = {_REJECTED[signal]: str(rejected), "errorMessage": message}
        return msgspec.json.encode({"partialSuccess": partial} if rejected or message else {})
    # All three responses are alike: field 1 is the partial success with a number and a text.
    partial_bytes = _number(1, rejected) + _text(2, message)
    return _bytes(1, partial_bytes) if partial_bytes else b""


def failure(media: MediaType, status: int, message: str) -> bytes:
    """Return the body of an answer with another status: a ``google.rpc.Status``."""
    code = _CODES.get(status, StatusCode.INVALID_ARGUMENT)
    if media is MediaType.JSON:
        return msgspec.json.encode({"code": int(code), "message": message})
    return _number(1, code) + _text(2, message)


def _number(field: int, value: int) -> bytes:
    return varint_bytes(field << 3) + varint_bytes(value) if value else b""


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode()) if value else b""


def _bytes(field: int, value: bytes) -> bytes:
    return varint_bytes(field << 3 | 2) + varint_bytes(len(value)) + value
