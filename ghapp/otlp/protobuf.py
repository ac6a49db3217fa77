"""OTLP's protobuf, decoded. Frames are counted before anything is built from them.

Attributes are decoded with the generated classes of ``opentelemetry-proto``, and of log records
those on the list alone. The numbers of fields are those of
https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto
"""

import struct
from typing import NamedTuple

from ghapp.otlp.frames import (
    BYTES,
    FIXED64,
    VARINT,
    DamagedError,
    ProtobufField,
    TooManyFieldsError,
    fields,
    inside,
    leading,
)
from ghapp.otlp.kept import CHECKS, KEPT, MOST_ATTRIBUTES, Attributes, Checked
from ghapp.otlp.nouns import LONGEST_NAME, MOST_PARTS, MOST_POINTS, MetricKind, MetricSeries
from ghapp.otlp.reading import (
    Checks,
    LogsReader,
    MetricContext,
    MetricHead,
    MetricsReader,
    Pairs,
    TooManyAttributesError,
)
from ghapp.otlp.refusals import RefusalReason
from ghapp.usage.answers import MOST

_POINT_FIELDS = MOST_ATTRIBUTES + 64
"""Fields of a point or record: its attributes, and the fixed ones."""
_SUM, _HISTOGRAM, _EXPONENTIAL = 7, 9, 10
_KINDS = {
    5: MetricKind.OTHER,
    _SUM: MetricKind.SUM,
    _HISTOGRAM: MetricKind.HISTOGRAM,
    _EXPONENTIAL: MetricKind.HISTOGRAM,
    11: MetricKind.OTHER,
}


class _Shape(NamedTuple):
    """The numbers of a point's fields."""

    attributes: int
    double: int
    whole: int
    flags: int


_SHAPES = {
    _SUM: _Shape(attributes=7, double=4, whole=6, flags=8),
    _HISTOGRAM: _Shape(attributes=9, double=5, whole=0, flags=10),
    _EXPONENTIAL: _Shape(attributes=1, double=5, whole=0, flags=10),
}
_START, _AT = 2, 3
# Where SDKs write a point of a sum: start, time and value, and then the attributes.
_FRONT = struct.Struct("<BQBQBd")
_START_TAG, _AT_TAG, _DOUBLE_TAG = 0x11, 0x19, 0x21
_POINT_TAG = 0x0A
_ATTRIBUTE = b"\x3a"
_KEY_FIRST = b"\x0a"
_KEPT_KEYS = {key.encode() for key in KEPT}
_SCALARS = {"string_value", "int_value", "double_value", "bool_value"}
_DOUBLE = struct.Struct("<d")
_WHOLE = struct.Struct("<q")
_TIME = struct.Struct("<Q")


def read_metrics(body: bytes, reader: MetricsReader) -> None:
    """Give a request's points to a reader. Raises `DamagedError` and `RequestRefusedError`."""
    parts = _Parts(body)
    for resource_metrics in inside(parts.fields(0, len(body)), 1):
        inner = parts.fields(*resource_metrics)
        resource = parts.resource(inner)
        for scope_metrics in inside(inner, 2):
            scoped = parts.fields(*scope_metrics)
            scope = parts.scope(scoped)
            for metric in inside(scoped, 2):
                _read_metric(parts, parts.fields(*metric), reader, (resource, scope))


def _read_metric(
    parts: "_Parts", metric: list[ProtobufField], reader: MetricsReader, around: tuple[bytes, str]
) -> None:
    body = parts.body
    found = [one for one in metric if one.number in _KINDS and one.wire == BYTES]
    if not found:
        return
    if len(found) > 1:
        raise DamagedError("a metric has more than one kind of data")
    data = found[0]
    points, at = leading(body, data.value, data.end, _POINT_TAG, MOST_POINTS)
    inner = fields(body, at, data.end, MOST_PARTS)
    points += inside(inner, 1)
    head = MetricHead(
        name=_name(body, metric, 1),
        unit=_name(body, metric, 3),
        kind=_KINDS[data.number],
        temporality=_number(inner, 2),
        is_monotonic=bool(_number(inner, 3)),
    )
    context = reader.metric(*around, head, len(points))
    if context is None:
        return
    if data.number == _SUM:
        _read_sums(body, points, context, reader)
    else:
        for place in points:
            _read_point(body, place, _SHAPES[data.number], context, reader)


def _read_sums(
    body: bytes, points: list[tuple[int, int]], context: MetricContext, reader: MetricsReader
) -> None:
    """Give the points of a sum to the reader: at once those of known series that look as usual."""
    known, shape, take = context.known, _SHAPES[_SUM], reader.points.append
    size, unpack, tags = _FRONT.size, _FRONT.unpack_from, (_START_TAG, _AT_TAG, _DOUBLE_TAG)
    earliest, latest = reader.earliest, reader.latest
    for at, end in points:
        series: MetricSeries | RefusalReason | None = None
        if end - at >= size:
            tag, start, tag_at, time, tag_value, value = unpack(body, at)
            if (tag, tag_at, tag_value) == tags:
                block = body[at + size : end]
                series = known.get(block) or _series(block, context, reader)
        if not isinstance(series, MetricSeries):
            _read_point(body, (at, end), shape, context, reader)
        elif (
            earliest <= time <= latest
            and start <= time
            and 0 <= value <= MOST
            and value.is_integer()
        ):
            take((series, start, time, int(value)))
        else:
            reader.point(series, start, time, value, 0)


def _series(
    block: bytes, context: MetricContext, reader: MetricsReader
) -> MetricSeries | RefusalReason | None:
    """Return the series of the bytes behind a point's numbers; ``None``: they are not usual."""
    if block[:1] != _ATTRIBUTE:
        return None
    try:
        return reader.series(context, block)
    except OddBlockError:
        return None


def _read_point(
    body: bytes,
    place: tuple[int, int],
    shape: _Shape,
    context: MetricContext,
    reader: MetricsReader,
) -> None:
    """Give a point to the reader, whatever the order of its fields."""
    inner = _own_fields(body, place, reader)
    if inner is None:
        return
    numbers = _fixed(body, inner)
    value: object = numbers.get(shape.double)
    if shape.whole in numbers:
        (value,) = _WHOLE.unpack(_TIME.pack(numbers[shape.whole]))
    elif value is not None:
        (value,) = _DOUBLE.unpack(_TIME.pack(numbers[shape.double]))
    series = reader.series(context, _block(body, inner, shape.attributes))
    flags = _number(inner, shape.flags)
    reader.point(series, numbers.get(_START, 0), numbers.get(_AT, 0), value, flags)


def _own_fields(
    body: bytes, place: tuple[int, int], reader: MetricsReader | LogsReader
) -> list[ProtobufField] | None:
    """Return the fields of a point or record; ``None``: there are too many, and it is refused."""
    try:
        return fields(body, *place, _POINT_FIELDS)
    except TooManyFieldsError:
        reader.refuse(RefusalReason.TOO_MANY_ATTRIBUTES)
        return None


def read_logs(body: bytes, reader: LogsReader) -> None:
    """Give a request's records to a reader. Raises `DamagedError` and `RequestRefusedError`."""
    parts = _Parts(body)
    for resource_logs in inside(parts.fields(0, len(body)), 1):
        inner = parts.fields(*resource_logs)
        scopes = [parts.fields(*one) for one in inside(inner, 2)]
        records = sum(len(inside(one, 2)) for one in scopes)
        resource = reader.resource(parts.resource(inner), records)
        if resource is None:
            continue
        for scoped in scopes:
            scope = parts.scope(scoped)
            for place in inside(scoped, 2):
                _read_record(body, place, resource, scope, reader)


def _read_record(
    body: bytes, place: tuple[int, int], resource: Attributes, scope: str, reader: LogsReader
) -> None:
    inner = _own_fields(body, place, reader)
    if inner is None:
        return
    numbers = _fixed(body, inner)
    names = [_name(body, inner, 12), _body_name(body, inner)]
    at = numbers.get(1) or numbers.get(11) or 0
    reader.record(resource, scope, _block(body, inner, 6), filter(None, names), at)


def _body_name(body: bytes, record: list[ProtobufField]) -> str:
    """Return a record's body if it is as short as an event's name; it is not kept."""
    for at, end in inside(record, 5):
        text = [body[a:b] for a, b in inside(fields(body, at, end, _POINT_FIELDS), 1)]
        if text and len(text[-1]) <= LONGEST_NAME:
            return text[-1].decode("utf-8", "replace")
    return ""


class AttributeFrames:
    """Decodes the attributes of one request, each different one once."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[str, Checked] | None] = {}

    def checked(self, block: bytes) -> Checks:
        """Return the attributes that are kept; the others are not decoded at all."""
        known = self._known
        found: Checks = []
        for at, end in _places(block):
            frame = block[at:end]
            pair = known.get(frame, _UNKNOWN)
            if pair is _UNKNOWN:
                pair = known[frame] = _checked(frame)
            if pair is not None:
                found.append(pair)
        return found

    def all(self, block: bytes) -> Pairs:
        """Return all attributes, to tell series apart."""
        return [_pair(block[at:end]) for at, end in _places(block)]


_UNKNOWN = ("", None)


class OddBlockError(DamagedError):
    """Raised if a block holds more than attributes."""


def _places(block: bytes) -> list[tuple[int, int]]:
    """Return where the attributes of a block lie, which have the same tag, all of them.

    Raises `OddBlockError` and `TooManyAttributesError`.
    """
    if not block:
        return []
    try:
        found, at = leading(block, 0, len(block), block[0], MOST_ATTRIBUTES)
    except TooManyFieldsError:
        raise TooManyAttributesError from None
    if at != len(block):
        raise OddBlockError(f"byte {at} of the attributes is none")
    return found


def _checked(frame: bytes) -> tuple[str, Checked] | None:
    """Return an attribute on the list; ``None``: it is not. Most are written with the key first."""
    if frame[:1] == _KEY_FIRST and len(frame) > 1:
        key = frame[2 : 2 + frame[1]]
        if key not in _KEPT_KEYS:
            return None
    name, value = _pair(frame)
    check = CHECKS.get(name)
    return (name, check(value)) if check else None


def _pair(frame: bytes) -> tuple[str, object]:
    # Imported with the first request: it takes a third of a second, and a worker needs it not.
    from google.protobuf.message import DecodeError  # noqa: PLC0415
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue  # noqa: PLC0415

    try:
        found = KeyValue.FromString(frame)
    except DecodeError:
        raise DamagedError("an attribute is not what OTLP's are") from None
    kind = found.value.WhichOneof("value")
    return found.key, getattr(found.value, kind) if kind in _SCALARS else None


class _Parts:
    """A body, and how many of its resources, scopes and metrics may still be read."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self._left = MOST_PARTS

    def fields(self, at: int, end: int) -> list[ProtobufField]:
        """Return the fields of a part."""
        found = fields(self.body, at, end, self._left)
        self._left -= len(found)
        return found

    def resource(self, inner: list[ProtobufField]) -> bytes:
        """Return the attributes of a resource, as they are sent."""
        messages = (self.fields(*place) for place in inside(inner, 1))
        return b"".join(_block(self.body, one, 1) for one in messages)

    def scope(self, inner: list[ProtobufField]) -> str:
        """Return the name of an instrumentation scope; empty: it has none."""
        names = [_name(self.body, self.fields(*place), 1) for place in inside(inner, 1)]
        return names[-1] if names else ""


def _block(body: bytes, message: list[ProtobufField], number: int) -> bytes:
    """Return all fields of a number, with their tags."""
    found = (one for one in message if one.number == number and one.wire == BYTES)
    return b"".join(body[one.begin : one.end] for one in found)


def _name(body: bytes, message: list[ProtobufField], number: int) -> str:
    """Return a short text; empty: there is none."""
    places = inside(message, number)
    if not places:
        return ""
    at, end = places[-1]
    return body[at : min(end, at + 4 * LONGEST_NAME)].decode("utf-8", "replace")[:LONGEST_NAME]


def _number(message: list[ProtobufField], number: int) -> int:
    """Return a varint; 0: there is none."""
    found = [one.value for one in message if one.number == number and one.wire == VARINT]
    return found[-1] if found else 0


def _fixed(body: bytes, message: list[ProtobufField]) -> dict[int, int]:
    """Return the fields of eight bytes by their numbers."""
    return {
        one.number: _TIME.unpack_from(body, one.value)[0] for one in message if one.wire == FIXED64
    }
