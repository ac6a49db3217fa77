"""The nouns of a decoded request: series, points and events with what is kept of them.

None of them has room for a text of any kind beyond the short values of `kept`.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from ghapp.attribution.model import Struct
from ghapp.otlp.kept import Attributes, Value
from ghapp.otlp.refusals import Refusals
from ghapp.otlp.told import SeriesMeasure

MOST_POINTS = 10_000
"""Data points or log records of a request."""
MOST_PARTS = 20_000
"""Resources, scopes and metrics of a request, with all their fields."""
LONGEST_NAME = 200
"""Characters of a name of a scope, metric, unit or event; the rest is cut off."""
SECOND = 1_000_000_000
"""Nanoseconds."""


class MetricKind(StrEnum):
    """The kind of a metric's points."""

    SUM = "sum"
    HISTOGRAM = "histogram"
    OTHER = "other"


class AggregationTemporality(StrEnum):
    """Whether a point counts since the last one, or since its start."""

    DELTA = "delta"
    CUMULATIVE = "cumulative"


class TelemetryFacts(Struct, frozen=True):
    """What is kept of a series or an event."""

    scope: str
    """Name of the instrumentation scope."""
    name: str
    """Of the metric or event."""
    resource: Attributes
    attributes: Attributes

    def get(self, key: str) -> Value | None:
        """Return an attribute, else the resource's; ``None``: neither has it."""
        found = self.attributes.get(key)
        return self.resource.get(key) if found is None else found

    def text(self, *keys: str) -> str | None:
        """Return the first of some attributes that is there."""
        own, around = self.attributes, self.resource
        for key in keys:
            found = own.get(key)
            if found is None:
                found = around.get(key)
            if isinstance(found, str):
                return found
        return None

    def count(self, key: str) -> int | None:
        """Return an attribute that is a count; ``None``: it is not there."""
        found = self.attributes.get(key)
        return None if found is None else int(found)


class MetricSeries(TelemetryFacts, frozen=True):
    """What all points of one series have in common."""

    unit: str
    temporality: AggregationTemporality
    measure: SeriesMeasure
    """What its points count."""
    identity: bytes = b""
    """16 bytes of all attributes, dropped ones too; empty: a delta needs none."""


class MetricPoint(NamedTuple):
    """One number of a series. Times are nanoseconds since 1970."""

    series: MetricSeries
    start: int
    """When counting began; 0: unknown."""
    at: int
    value: int
    """Of a sum, or the sum of a histogram."""


class LogEvent(TelemetryFacts, frozen=True):
    """One event of an agent."""

    at: int
    """Nanoseconds since 1970."""


class MetricsRead(Struct, frozen=True):
    """What a request to ``/v1/metrics`` holds."""

    points: list[MetricPoint]
    refused: Refusals
    left_out: int
    """Points that are right and say nothing about usage."""


class LogsRead(Struct, frozen=True):
    """What a request to ``/v1/logs`` holds."""

    events: list[LogEvent]
    refused: Refusals
    left_out: int


def to_datetime(at: int) -> datetime:
    """Return nanoseconds since 1970 as a time; a datetime holds microseconds."""
    return datetime.fromtimestamp(at // SECOND, UTC).replace(microsecond=at % SECOND // 1000)
