"""Cumulative sums as deltas: what a series counted since its last point. It keeps no state.

https://opentelemetry.io/docs/specs/otel/metrics/data-model/#resets-and-gaps
"""

from collections.abc import Iterable, Mapping

from ghapp.attribution.model import Struct
from ghapp.otlp.nouns import AggregationTemporality, MetricPoint
from ghapp.otlp.refusals import RefusalReason, Refusals


class SeriesState(Struct, frozen=True):
    """The last point of a cumulative series. Times are nanoseconds since 1970."""

    start: int
    at: int
    value: int


class CounterDeltas(Struct, frozen=True):
    """What a request's points count, each since the last."""

    points: list[MetricPoint]
    """Deltas only, and none of nothing."""
    states: dict[bytes, SeriesState]
    """The new states of the cumulative series among them, by `MetricSeries.identity`."""
    refused: Refusals


def cumulative(points: Iterable[MetricPoint]) -> set[bytes]:
    """Return the identities of the series whose states `deltas` needs."""
    kinds = (one.series for one in points)
    return {one.identity for one in kinds if one.temporality is AggregationTemporality.CUMULATIVE}


def deltas(
    points: Iterable[MetricPoint], states: Mapping[bytes, SeriesState], first_contact: int
) -> CounterDeltas:
    """Return what points count since the last ones.

    ``first_contact`` is when the receiver first heard of the sender, in nanoseconds since 1970.
    """
    new: dict[bytes, SeriesState] = {}
    found: list[MetricPoint] = []
    refused = Refusals()
    for one in points:
        series = one[0]
        if series.temporality is AggregationTemporality.DELTA:
            if one[3]:
                found.append(one)
            continue
        key = series.identity
        step = advance(new.get(key) or states.get(key), one, first_contact)
        if isinstance(step, RefusalReason):
            refused[step] += 1
            continue
        delta, new[key] = step
        if delta:
            found.append(one._replace(value=delta))
    return CounterDeltas(points=found, states=new, refused=refused)


def advance(
    state: SeriesState | None, point: MetricPoint, first_contact: int
) -> tuple[int, SeriesState] | RefusalReason:
    """Return what a point of a cumulative series adds, and the series' new state.

    A new start, or a smaller value, is a reset: the value counts whole. The first point of an
    unknown series counts whole only if its series began after the first contact; else it is where
    counting begins. A point that is no later than the last is refused: it was counted, or it comes
    from another process that counts under the same name.
    """
    new = SeriesState(start=point.start, at=point.at, value=point.value)
    if state is None:
        return (point.value if point.start > first_contact else 0), new
    if point.start < state.start or point.at < state.at:
        return RefusalReason.OUT_OF_ORDER
    if point.start > state.start:
        return point.value, new
    if point.at == state.at:
        is_same = point.value == state.value
        return (0, state) if is_same else RefusalReason.OUT_OF_ORDER
    return point.value - state.value if point.value >= state.value else point.value, new
