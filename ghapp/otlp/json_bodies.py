"""OTLP's JSON, decoded. The shapes name only what is kept; attributes stay bytes until asked for.

https://github.com/open-telemetry/opentelemetry-proto/blob/main/docs/specification.md#json-protobuf-encoding
Names are in lowerCamelCase, 64-bit integers are texts or numbers, a null list is an absent one.
"""

from typing import TypeVar

import msgspec
from msgspec import Raw

from ghapp.otlp.bodies import RequestRefusedError
from ghapp.otlp.frames import DamagedError
from ghapp.otlp.kept import CHECKS, MOST_ATTRIBUTES, Checked, to_number
from ghapp.otlp.nouns import LONGEST_NAME, MetricKind
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


class _Value(msgspec.Struct, gc=False):
    stringValue: str | None = None  # noqa: N815  (the names are the format's)
    intValue: _Number | None = None  # noqa: N815
    doubleValue: float | str | None = None  # noqa: N815
    boolValue: bool | None = None  # noqa: N815


class _KeyValue(msgspec.Struct, gc=False):
    key: str = ""
    value: _Value | None = None


class _RawKeyValue(msgspec.Struct, gc=False):
    key: str = ""
    value: Raw = Raw()


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
_RAW_PAIRS = msgspec.json.Decoder(list[_RawKeyValue])
_VALUE = msgspec.json.Decoder(_Value | None)
_UNKNOWN = "\0"
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
        (MetricKind.SUM, metric.sum),
        (MetricKind.OTHER, metric.gauge),
        (MetricKind.HISTOGRAM, metric.histogram),
        (MetricKind.HISTOGRAM, metric.exponentialHistogram),
        (MetricKind.OTHER, metric.summary),
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
    # Most points of an export have the same times.
    times: dict[_Number | None, int] = {}
    for one in points:
        block = bytes(one.attributes)
        series = known[block] if block in known else reader.series(context, block)
        value = _value(one) if kind is MetricKind.SUM else _special(one.sum)
        for time in (one.startTimeUnixNano, one.timeUnixNano):
            if time not in times:
                times[time] = _whole(time)
        start, at = times[one.startTimeUnixNano], times[one.timeUnixNano]
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
    found = _scalar(_read(body))
    return found if isinstance(found, str) and len(found) <= LONGEST_NAME else ""


class AttributeLists:
    """Decodes the attributes of one request, and checks each different text once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Checked] = {}

    def checked(self, block: bytes) -> Checks:
        """Return the attributes that are kept."""
        return [(key, self._check(key, one)) for key, one in _attributes(block) if key in CHECKS]

    def _check(self, key: str, value: _Value | None) -> Checked:
        text = value.stringValue if value is not None else None
        if text is None:
            return CHECKS[key](_scalar(value))
        known = self._known.get((key, text), _UNKNOWN)
        if known is _UNKNOWN:
            known = self._known[key, text] = CHECKS[key](text)
        return known

    def all(self, block: bytes) -> Pairs:
        """Return all attributes, to tell series apart."""
        return [(key, _scalar(one)) for key, one in _attributes(block)]


def _attributes(block: bytes) -> list[tuple[str, _Value | None]]:
    if not block:
        return []
    try:
        found = [(one.key, one.value) for one in _PAIRS.decode(block) or ()]
    except _UNREADABLE:
        found = _patiently(block)
    if len(found) > MOST_ATTRIBUTES:
        raise TooManyAttributesError
    return found


def _patiently(block: bytes) -> list[tuple[str, _Value | None]]:
    """Return attributes of which one has a value that cannot be read: it alone has none then."""
    try:
        found = _RAW_PAIRS.decode(block)
    except _UNREADABLE:
        raise DamagedError("attributes are not a list of keys and values") from None
    return [(one.key, _read(one.value)) for one in found]


def _read(raw: Raw) -> _Value | None:
    try:
        return _VALUE.decode(raw) if raw else None
    except _UNREADABLE:
        return None


def _scalar(value: _Value | None) -> object:
    """Return a value that is no list and no map; ``None``: it is."""
    if value is None:
        return None
    if value.stringValue is not None:
        return value.stringValue
    if value.intValue is not None:
        return _integer(value.intValue)
    return value.boolValue if value.doubleValue is None else _special(value.doubleValue)


def _special(value: float | str | None) -> float | None:
    """Return a double: what JSON has no number for comes as text, and so may any other."""
    if isinstance(value, str):
        value = to_number(value)
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
