"""OTLP's JSON, decoded. The shapes name only what is kept; attributes stay bytes until asked for.

https://github.com/open-telemetry/opentelemetry-proto/blob/main/docs/specification.md#json-protobuf-encoding
Names are in lowerCamelCase, 64-bit integers are texts or numbers, a null list is an absent one.
"""

from typing import TypeVar

import msgspec
from msgspec import Raw

from ghapp.otlp.bodies import RequestRefusedError
from ghapp.otlp.frames import DamagedError
from ghapp.otlp.kept import CHECKS, MOST_ATTRIBUTES
from ghapp.otlp.nouns import LONGEST_NAME, Kind
from ghapp.otlp.reading import (
    Checks,
    LogsReader,
    MetricHead,
    MetricsReader,
    Pairs,
    TooManyAttributesError,
)

MOST_OBJECTS = 500_000
"""Objects in a body: the shortest has two bytes, and takes eighty when it is decoded."""
_NUMBER_DIGITS = 20

_Number = int | str
_Shape = TypeVar("_Shape")


class _KeyValue(msgspec.Struct, gc=False):
    key: str = ""
    value: Raw = Raw()


class _Value(msgspec.Struct, gc=False):
    stringValue: str | None = None  # noqa: N815  (the names are the format's)
    intValue: _Number | None = None  # noqa: N815
    doubleValue: float | str | None = None  # noqa: N815
    boolValue: bool | None = None  # noqa: N815


class _Point(msgspec.Struct, gc=False):
    """A point of a sum or of a histogram."""

    attributes: Raw = Raw()
    startTimeUnixNano: _Number | None = None  # noqa: N815
    timeUnixNano: _Number | None = None  # noqa: N815
    asDouble: float | str | None = None  # noqa: N815
    asInt: _Number | None = None  # noqa: N815
    sum: float | str | None = None
    flags: int | None = None


class _Data(msgspec.Struct, gc=False):
    dataPoints: list[_Point] | None = None  # noqa: N815
    aggregationTemporality: _Number | None = None  # noqa: N815
    isMonotonic: bool | None = None  # noqa: N815


class _Metric(msgspec.Struct, gc=False):
    name: str | None = None
    unit: str | None = None
    sum: _Data | None = None
    gauge: _Data | None = None
    histogram: _Data | None = None
    exponentialHistogram: _Data | None = None  # noqa: N815
    summary: _Data | None = None


class _Resource(msgspec.Struct, gc=False):
    attributes: Raw = Raw()


class _Scope(msgspec.Struct, gc=False):
    name: str | None = None


class _ScopeMetrics(msgspec.Struct, gc=False):
    scope: _Scope | None = None
    metrics: list[_Metric] | None = None


class _ResourceMetrics(msgspec.Struct, gc=False):
    resource: _Resource | None = None
    scopeMetrics: list[_ScopeMetrics] | None = None  # noqa: N815


class _Metrics(msgspec.Struct, gc=False):
    resourceMetrics: list[_ResourceMetrics] | None = None  # noqa: N815


class _Record(msgspec.Struct, gc=False):
    timeUnixNano: _Number | None = None  # noqa: N815
    observedTimeUnixNano: _Number | None = None  # noqa: N815
    eventName: str | None = None  # noqa: N815
    body: Raw = Raw()
    attributes: Raw = Raw()


class _ScopeLogs(msgspec.Struct, gc=False):
    scope: _Scope | None = None
    logRecords: list[_Record] | None = None  # noqa: N815


class _ResourceLogs(msgspec.Struct, gc=False):
    resource: _Resource | None = None
    scopeLogs: list[_ScopeLogs] | None = None  # noqa: N815


class _Logs(msgspec.Struct, gc=False):
    resourceLogs: list[_ResourceLogs] | None = None  # noqa: N815


_METRICS = msgspec.json.Decoder(_Metrics)
_LOGS = msgspec.json.Decoder(_Logs)
_PAIRS = msgspec.json.Decoder(list[_KeyValue] | None)
_VALUE = msgspec.json.Decoder(_Value | None)
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


def read_metrics(body: bytes, reader: MetricsReader) -> None:
    """Give a request's points to a reader. Raises `DamagedError` and `RequestRefusedError`."""
    for one in _decoded(_METRICS, body).resourceMetrics or ():
        resource = bytes(one.resource.attributes) if one.resource else b""
        for scoped in one.scopeMetrics or ():
            scope = _cut(scoped.scope.name) if scoped.scope else ""
            for metric in scoped.metrics or ():
                _read_metric(metric, resource, scope, reader)


def _read_metric(metric: _Metric, resource: bytes, scope: str, reader: MetricsReader) -> None:
    kinds = (
        (Kind.SUM, metric.sum),
        (Kind.OTHER, metric.gauge),
        (Kind.HISTOGRAM, metric.histogram),
        (Kind.HISTOGRAM, metric.exponentialHistogram),
        (Kind.OTHER, metric.summary),
    )
    found = [(kind, data) for kind, data in kinds if data is not None]
    if not found:
        return
    if len(found) > 1:
        raise DamagedError("a metric has more than one kind of data")
    kind, data = found[0]
    points = data.dataPoints or []
    temporality = data.aggregationTemporality
    head = MetricHead(
        name=_cut(metric.name),
        unit=_cut(metric.unit),
        kind=kind,
        temporality=temporality if isinstance(temporality, int) else 0,
        is_monotonic=bool(data.isMonotonic),
    )
    context = reader.metric(resource, scope, head, len(points))
    if context is None:
        return
    known = context.known
    for one in points:
        block = bytes(one.attributes)
        series = known[block] if block in known else reader.series(context, block)
        value = _value(one) if kind is Kind.SUM else _special(one.sum)
        start, at = _whole(one.startTimeUnixNano), _whole(one.timeUnixNano)
        reader.point(series, start, at, value, one.flags or 0)


def _value(one: _Point) -> object:
    """Return the number of a sum's point."""
    return _special(one.asDouble) if one.asInt is None else _integer(one.asInt)


def read_logs(body: bytes, reader: LogsReader) -> None:
    """Give a request's records to a reader. Raises `DamagedError` and `RequestRefusedError`."""
    for one in _decoded(_LOGS, body).resourceLogs or ():
        scopes = one.scopeLogs or []
        records = sum(len(scoped.logRecords or ()) for scoped in scopes)
        resource = reader.resource(bytes(one.resource.attributes) if one.resource else b"", records)
        if resource is None:
            continue
        for scoped in scopes:
            scope = _cut(scoped.scope.name) if scoped.scope else ""
            for record in scoped.logRecords or ():
                at = _whole(record.timeUnixNano) or _whole(record.observedTimeUnixNano)
                names = filter(None, (_cut(record.eventName), _body_name(record.body)))
                reader.record(resource, scope, bytes(record.attributes), names, at)


def _body_name(body: Raw) -> str:
    """Return a record's body if it is as short as an event's name; it is not kept."""
    if not body or len(memoryview(body)) > 2 * LONGEST_NAME:
        return ""
    found = _scalar(body)
    return found if isinstance(found, str) and len(found) <= LONGEST_NAME else ""


class AttributeLists:
    """Decodes the attributes of one request."""

    def checked(self, block: bytes) -> Checks:
        """Return the attributes that are kept."""
        found = _attributes(block)
        return [
            (one.key, CHECKS[one.key](_scalar(one.value))) for one in found if one.key in CHECKS
        ]

    def all(self, block: bytes) -> Pairs:
        """Return all attributes, to tell series apart."""
        return [(one.key, _scalar(one.value)) for one in _attributes(block)]


def _attributes(block: bytes) -> list[_KeyValue]:
    if not block:
        return []
    try:
        found = _PAIRS.decode(block) or []
    except _UNREADABLE:
        raise DamagedError("attributes are not a list of keys and values") from None
    if len(found) > MOST_ATTRIBUTES:
        raise TooManyAttributesError
    return found


def _scalar(raw: Raw) -> object:
    """Return a value that is no list and no map; ``None``: it is, or it cannot be read."""
    if not raw:
        return None
    try:
        found = _VALUE.decode(raw)
    except _UNREADABLE:
        return None
    if found is None:
        return None
    if found.stringValue is not None:
        return found.stringValue
    if found.intValue is not None:
        return _integer(found.intValue)
    return found.boolValue if found.doubleValue is None else _special(found.doubleValue)


def _special(value: float | str | None) -> float | None:
    """Return a double: what JSON has no number for comes as text, and so may any other."""
    if isinstance(value, str):
        try:
            return float(value) if value.isascii() and len(value) <= _NUMBER_DIGITS else None
        except ValueError:
            return None
    return None if value is None else float(value)


def _integer(value: _Number) -> int | None:
    """Return an integer, which may come as text; ``None``: it is none of 64 bits."""
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal()) or len(digits) > _NUMBER_DIGITS:
            return None
        value = int(value)
    return value if -(2**63) <= value < 2**63 else None


def _whole(value: _Number | None) -> int:
    """Return a time; 0: there is none, or it is no number."""
    if value is None:
        return 0
    return max(_integer(value) or 0, 0)


def _cut(name: str | None) -> str:
    return (name or "")[:LONGEST_NAME]


def _decoded(decoder: msgspec.json.Decoder[_Shape], body: bytes) -> _Shape:
    if body.count(b"{") > MOST_OBJECTS:
        message = f"the body has more than {MOST_OBJECTS:,} objects: export smaller batches"
        raise RequestRefusedError(413, message)
    try:
        return decoder.decode(body)
    except RecursionError:
        raise DamagedError("the JSON is nested too deeply") from None
    except _UNREADABLE as problem:
        raise DamagedError(f"the JSON cannot be read: {problem}") from None
