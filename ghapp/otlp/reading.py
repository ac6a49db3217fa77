"""What both encodings of a request have in common: limits, checks, and what becomes of a point.

The two decoders say where things lie (``protobuf`` and ``json_bodies``, beside this module).
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from ghapp.attribution.model import many
from ghapp.otlp.bodies import RequestRefusedError
from ghapp.otlp.kept import Attributes, Checked, Value, count
from ghapp.otlp.nouns import (
    MOST_POINTS,
    SECOND,
    AggregationTemporality,
    LogEvent,
    LogsRead,
    MetricKind,
    MetricPoint,
    MetricSeries,
    MetricsRead,
    TelemetryFacts,
)
from ghapp.otlp.refusals import RefusalReason, Refusals
from ghapp.otlp.senders.registry import EVENTS, METRICS, full_name, is_known
from ghapp.otlp.told import RowHead, SeriesMeasure
from ghapp.usage.answers import MOST

Pairs = list[tuple[str, object]]
"""Attributes as they are sent; a value that is a list or a map is ``None``."""
Checks = list[tuple[str, Checked]]
"""The attributes on the list, with what their checks make of the values."""


class ReadAttributes(Protocol):
    """Decodes attributes in one encoding.

    Both raise `TooManyAttributesError`, and `DamagedError` if the bytes are no attributes.
    """

    def checked(self, block: bytes) -> Checks:
        """Return the attributes that are kept, none of the others."""

    def all(self, block: bytes) -> Pairs:
        """Return all attributes, to tell series apart. They are not kept."""


EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)
"""No agent sent telemetry before."""
AHEAD = timedelta(days=1)
"""How far a clock may be ahead."""
MOST_REMEMBERED = 4_096
"""Series that a process remembers."""
LONGEST_REMEMBERED = 4_096
"""Bytes of a series that is remembered."""
NO_VALUE = 1
"""Flag of a point that says that nothing was recorded."""
_TEMPORALITIES = {1: AggregationTemporality.DELTA, 2: AggregationTemporality.CUMULATIVE}


class TooManyAttributesError(ValueError):
    """Raised if a resource, point or record has more attributes than are read."""


class MetricHead(NamedTuple):
    """What a metric says before its points."""

    name: str
    unit: str
    kind: MetricKind
    temporality: int
    is_monotonic: bool


class MetricContext(NamedTuple):
    """A metric of a resource and scope, with the series that are already known."""

    head: MetricHead
    temporality: AggregationTemporality
    scope: str
    resource: Attributes
    resource_block: bytes
    known: dict[bytes, MetricSeries | RefusalReason | None]
    """A series' attributes as they are sent → the series, why it is refused, or left out."""


MetricContextKey = tuple[bytes, str, MetricHead]


class SeriesMemory:
    """What series mean, by their bytes: a sender repeats each of them every minute.

    It holds no number and decides nothing: with an empty memory the same comes out.
    """

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._series = 0
        self._contexts: dict[MetricContextKey, MetricContext] = {}
        self._heads: dict[RowHead, RowHead] = {}

    def context(self, key: MetricContextKey) -> MetricContext | None:
        """Return what is known of a metric."""
        return self._contexts.get(key)

    def keep(self, key: MetricContextKey, context: MetricContext) -> None:
        """Remember a metric, unless its resource is large."""
        if len(key[0]) <= LONGEST_REMEMBERED:
            self._make_room()
            self._contexts[key] = context

    def keep_series(
        self, context: MetricContext, block: bytes, found: MetricSeries | RefusalReason | None
    ) -> None:
        """Remember a series, unless it is large."""
        if len(block) <= LONGEST_REMEMBERED:
            self._make_room()
            context.known[block] = found

    def measure(self, found: SeriesMeasure) -> SeriesMeasure:
        """Return a measure whose head is one and the same object as that of its equals."""
        return replace(found, head=self._heads.setdefault(found.head, found.head))

    def _make_room(self) -> None:
        self._series += 1
        if self._series > self._most:
            self._series = 0
            self._contexts.clear()
            self._heads.clear()


class MetricsReader:
    """Takes a request's points one by one."""

    def __init__(self, now: datetime, memory: SeriesMemory, read: ReadAttributes) -> None:
        self.earliest, self.latest = _limits(now)
        self._memory = memory
        self._read = read
        self._seen = 0
        self.points: list[tuple[MetricSeries, int, int, int]] = []
        """Series, start, time and value of each point that is kept."""
        self._refused = Refusals()
        self._left_out = 0

    def result(self) -> MetricsRead:
        """Return what was found."""
        points = many(MetricPoint, self.points)
        return MetricsRead(points=points, refused=self._refused, left_out=self._left_out)

    def metric(
        self, resource: bytes, scope: str, head: MetricHead, points: int
    ) -> MetricContext | None:
        """Take a metric; ``None``: its points are refused or left out, all alike.

        Raises `RequestRefusedError` if the request has too many points.
        """
        self._seen += points
        if self._seen > MOST_POINTS:
            raise _too_many("data points")
        why = _why_not(head)
        if why is not None:
            self._refused[why] += points
            return None
        if head.name not in METRICS:
            self._left_out += points
            return None
        key = (resource, scope, head)
        context = self._memory.context(key)
        if context is None:
            try:
                kept = _kept(self._read.checked(resource))
            except TooManyAttributesError:
                self._refused[RefusalReason.TOO_MANY_ATTRIBUTES] += points
                return None
            temporality = _TEMPORALITIES[head.temporality]
            context = MetricContext(head, temporality, scope, kept, resource, {})
            self._memory.keep(key, context)
        return context

    def series(self, context: MetricContext, block: bytes) -> MetricSeries | RefusalReason | None:
        """Return the series of a block of attributes."""
        if block in context.known:
            return context.known[block]
        try:
            found = self._series_of(context, block)
        except TooManyAttributesError:
            return RefusalReason.TOO_MANY_ATTRIBUTES
        self._memory.keep_series(context, block, found)
        return found

    def _series_of(
        self, context: MetricContext, block: bytes
    ) -> MetricSeries | RefusalReason | None:
        head = context.head
        is_cumulative = context.temporality is AggregationTemporality.CUMULATIVE
        attributes = _kept(self._read.checked(block))
        facts = TelemetryFacts(
            scope=context.scope, name=head.name, resource=context.resource, attributes=attributes
        )
        measure = METRICS[head.name][1](facts)
        if measure is None or isinstance(measure, RefusalReason):
            return measure
        identity = b""
        if is_cumulative:
            around, own = self._read.all(context.resource_block), self._read.all(block)
            identity = _identity(around, context.scope, head, own)
        return MetricSeries(
            scope=context.scope,
            name=head.name,
            resource=context.resource,
            attributes=attributes,
            unit=head.unit,
            temporality=context.temporality,
            measure=self._memory.measure(measure),
            identity=identity,
        )

    def refuse(self, why: RefusalReason) -> None:
        """Refuse a point before it is read."""
        self._refused[why] += 1

    def point(
        self,
        series: MetricSeries | RefusalReason | None,
        start: int,
        at: int,
        value: object,
        flags: int,
    ) -> None:
        """Take a point of a series."""
        if series is None or flags & NO_VALUE:
            self._left_out += 1
            return
        if isinstance(series, RefusalReason):
            self._refused[series] += 1
            return
        found = int(value) if type(value) is float and 0 <= value <= MOST else value
        if found != value or type(found) is not int or not 0 <= found <= MOST:
            # Not as most numbers are.
            found = count(value)
        if isinstance(found, RefusalReason):
            self._refused[found] += 1
        elif not self.earliest <= at <= self.latest or start > at:
            self._refused[RefusalReason.WRONG_TIME] += 1
        else:
            self.points.append((series, start, at, found))


class LogsReader:
    """Takes a request's log records one by one."""

    def __init__(self, now: datetime, read: ReadAttributes) -> None:
        self.earliest, self.latest = _limits(now)
        self._read = read
        self._seen = 0
        self._events: list[LogEvent] = []
        self._refused = Refusals()
        self._left_out = 0

    def result(self) -> LogsRead:
        """Return what was found."""
        return LogsRead(events=self._events, refused=self._refused, left_out=self._left_out)

    def resource(self, block: bytes, records: int) -> Attributes | None:
        """Take a resource; ``None``: its records are refused. Raises `RequestRefusedError`."""
        self._seen += records
        if self._seen > MOST_POINTS:
            raise _too_many("log records")
        try:
            return _kept(self._read.checked(block))
        except TooManyAttributesError:
            self._refused[RefusalReason.TOO_MANY_ATTRIBUTES] += records
            return None

    def record(
        self, resource: Attributes, scope: str, block: bytes, names: Iterable[str], at: int
    ) -> None:
        """Take a log record with the names that it goes by besides its attribute."""
        try:
            checked = dict(self._read.checked(block))
        except TooManyAttributesError:
            self._refused[RefusalReason.TOO_MANY_ATTRIBUTES] += 1
            return
        name = _name(scope, checked.get("event.name"), names)
        if name is None or name not in EVENTS:
            self._unread(name)
            return
        wrong = next((one for one in checked.values() if isinstance(one, RefusalReason)), None)
        if wrong is not None:
            self._refused[wrong] += 1
        elif not self.earliest <= at <= self.latest:
            self._refused[RefusalReason.WRONG_TIME] += 1
        else:
            kept = _kept(checked.items())
            self._events.append(
                LogEvent(scope=scope, name=name, resource=resource, attributes=kept, at=at)
            )

    def refuse(self, why: RefusalReason) -> None:
        """Refuse a record before it is read."""
        self._refused[why] += 1

    def _unread(self, name: str | None) -> None:
        if name is not None and is_known(name):
            self._left_out += 1
        else:
            self._refused[RefusalReason.UNKNOWN_EVENT] += 1


def _limits(now: datetime) -> tuple[int, int]:
    """Return the earliest and latest time that is believed, in nanoseconds."""
    return int(EARLIEST.timestamp()) * SECOND, int((now + AHEAD).timestamp()) * SECOND


def _why_not(head: MetricHead) -> RefusalReason | None:
    """Return why all points of a metric are refused; ``None``: they are not."""
    known = METRICS.get(head.name)
    if known is None:
        return None if is_known(head.name) else RefusalReason.UNKNOWN_METRIC
    if head.kind is not known[0]:
        return RefusalReason.WRONG_KIND
    if head.temporality not in _TEMPORALITIES:
        return RefusalReason.WRONG_TEMPORALITY
    if head.kind is MetricKind.SUM and not head.is_monotonic:
        return RefusalReason.NOT_MONOTONIC
    return None


def _kept(checked: Iterable[tuple[str, Checked]]) -> dict[str, Value]:
    """Return the attributes whose values have their form."""
    return {
        key: value
        for key, value in checked
        if value is not None and not isinstance(value, RefusalReason)
    }


def _name(scope: str, attribute: object, names: Iterable[str]) -> str | None:
    """Return an event's name: the first that somebody reads, else one that a sender has."""
    given = [*names, attribute] if isinstance(attribute, str) else list(names)
    full = [full_name(scope, one) for one in given]
    return next((one for one in full if one in EVENTS), next(filter(is_known, full), None))


def _identity(resource: Pairs, scope: str, head: MetricHead, attributes: Pairs) -> bytes:
    """Return what a series is known by. Attributes that are dropped tell series apart too."""
    parts = (sorted(resource, key=_key), scope, head.name, head.unit, sorted(attributes, key=_key))
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=16).digest()


def _key(pair: tuple[str, object]) -> str:
    return pair[0]


def _too_many(what: str) -> RequestRefusedError:
    message = f"the request has more than {MOST_POINTS:,} {what}: export smaller batches"
    return RequestRefusedError(413, message)
