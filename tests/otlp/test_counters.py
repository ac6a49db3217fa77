"""Cumulative counters become deltas that add up to what was counted, over resets and gaps."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.otlp.counters import SeriesState, advance, cumulative, deltas
from ghapp.otlp.nouns import SECOND, MetricPoint
from ghapp.otlp.refusals import RefusalReason
from tests.otlp.sent import AT, CUMULATIVE, START, metric, metrics, point, read_metrics
from tests.searching import searched

(POINT,) = read_metrics(metrics(metric([point(0)], temporality=CUMULATIVE))).points


def at(time: int, value: int, start: int = 100) -> MetricPoint:
    """Return a point of one series."""
    return POINT._replace(start=start, at=time, value=value)


def counted(points: list[MetricPoint], first_contact: int = 50) -> list[int | RefusalReason]:
    """Return what each point adds, when they come one after another."""
    state: SeriesState | None = None
    found: list[int | RefusalReason] = []
    for one in points:
        step = advance(state, one, first_contact)
        if isinstance(step, RefusalReason):
            found.append(step)
        else:
            delta, state = step
            found.append(delta)
    return found


def test_a_reset_counts_whole() -> None:
    points = [at(110, 1000), at(120, 1700), at(130, 1700), at(150, 250, start=140)]
    assert counted(points) == [1000, 700, 0, 250]


def test_a_smaller_value_is_a_reset_without_a_new_start() -> None:
    assert counted([at(110, 1000), at(120, 250), at(130, 300)]) == [1000, 250, 50]


@pytest.mark.parametrize(("first_contact", "first"), [(99, 1000), (100, 0), (500, 0)])
def test_a_counter_that_began_before_the_first_contact_is_where_counting_begins(
    first_contact: int, first: int
) -> None:
    assert counted([at(110, 1000), at(120, 1100)], first_contact) == [first, 100]


def test_a_counter_without_a_start_is_where_counting_begins() -> None:
    assert counted([at(110, 1000, start=0), at(120, 1100, start=0)]) == [0, 100]


def test_a_repeated_point_counts_once() -> None:
    assert counted([at(110, 10), at(110, 10), at(120, 15), at(120, 15)]) == [10, 0, 5, 0]


def test_an_older_point_is_refused() -> None:
    late = RefusalReason.OUT_OF_ORDER
    assert counted([at(110, 10), at(130, 30), at(120, 20), at(140, 40)]) == [10, 20, late, 10]
    assert counted([at(110, 10), at(110, 11)]) == [10, late]


def test_two_processes_of_one_series_are_never_counted_twice() -> None:
    # https://github.com/anthropics/claude-code/issues/56317
    one, other = ([at(t + s, 10 * t, start=s) for t in range(1, 9)] for s in (100, 105))
    mixed = sorted([*one, *other], key=lambda step: step.at)
    found = [delta for delta in counted(mixed) if not isinstance(delta, RefusalReason)]
    assert 80 <= sum(found) <= 160


def test_states_come_and_go_by_series() -> None:
    about = [{"model": "a"}, {"model": "b"}, {"model": "a", "effort": "high"}]
    points = [point(10 * at, about=one) for at, one in enumerate(about, 1)]
    read = read_metrics(metrics(metric([*points, point(7)]), metric(points, temporality=2)))
    found = deltas(read.points, {}, 0)
    # Attributes that are dropped tell series apart.
    assert cumulative(read.points) == found.states.keys()
    assert [one.value for one in found.points] == [10, 20, 30, 7, 10, 20, 30]
    again = deltas(read.points, found.states, 0)
    assert [one.value for one in again.points] == [10, 20, 30, 7]
    assert again.states == found.states


def test_two_points_of_a_series_in_one_request_follow_each_other() -> None:
    points = [point(number, timeUnixNano=str(AT + number)) for number in (10, 25)]
    read = read_metrics(metrics(metric(points, temporality=CUMULATIVE)))
    found = deltas(read.points, {}, START - SECOND)
    assert [one.value for one in found.points] == [10, 15]
    assert list(found.states.values()) == [SeriesState(start=START, at=AT + 25, value=25)]


def test_refused_points_are_counted_and_keep_their_state() -> None:
    points = [point(number, timeUnixNano=str(AT - late)) for number, late in ((10, 0), (5, 9))]
    found = deltas(read_metrics(metrics(metric(points, temporality=CUMULATIVE))).points, {}, 0)
    assert found.refused == {RefusalReason.OUT_OF_ORDER: 1}
    assert [one.value for one in found.points] == [10]
    assert [one.value for one in found.states.values()] == [10]


def test_a_delta_of_nothing_is_no_point() -> None:
    assert deltas(read_metrics(metrics(metric([point(0)]))).points, {}, 0).points == []


# --- against a slow count ------------------------------------------------------------------------


@dataclass
class Process:
    """A process that counts and now and then exports: what it counted, by time."""

    start: int
    counts: list[tuple[int, int]]
    """Time and increment."""
    exports: list[int]

    def points(self) -> Iterator[MetricPoint]:
        """Yield what it exports."""
        for time in self.exports:
            value = sum(one for when, one in self.counts if when <= time)
            yield at(time, value, self.start)

    def seen(self, first_contact: int) -> int:
        """Return all that was counted between the first contact and the last export."""
        if not self.exports:
            return 0
        since = self.start if self.start > first_contact else self.exports[0]
        last = self.exports[-1]
        return sum(
            one
            for when, one in self.counts
            if when <= last and (when > since or self.start > first_contact)
        )


@st.composite
def lives(draw: st.DrawFn) -> list[Process]:
    """Draw processes that live one after another."""
    found, clock = [], 100
    for _ in range(draw(st.integers(1, 4))):
        start = clock
        times = draw(st.lists(st.integers(1, 20), max_size=6))
        counts, exports = [], []
        for step in times:
            clock += step
            counts.append((clock, draw(st.integers(0, 50))))
            if draw(st.booleans()):
                exports.append(clock)
        clock += 1
        found.append(Process(start, counts, exports))
    return found


@given(lives(), st.booleans())
@searched(300)
def test_deltas_add_up_to_what_was_counted(processes: list[Process], repeats: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    points = [one for process in processes for one in process.points()]
    given_points = [one for one in points for _ in range(1 + repeats)]
    found = counted(given_points, first_contact=50)
    assert not any(isinstance(one, RefusalReason) for one in found)
    assert sum(one for one in found if isinstance(one, int)) == sum(
        process.seen(50) for process in processes
    )


@given(lives())
@searched(200)
def test_nothing_from_before_the_first_contact_is_counted(processes: list[Process]) -> None:
    first = processes[0]
    points = [one for process in processes for one in process.points()]
    found = [one for one in counted(points, first_contact=first.start) if isinstance(one, int)]
    # The state begins with the first export of all.
    known = next((process for process in processes if process.exports), None)
    expected = sum(process.seen(first.start if process is known else 0) for process in processes)
    assert sum(found) == expected
    assert all(one >= 0 for one in found)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 99)), max_size=9))
@searched(300)
def test_whatever_comes_nothing_is_negative_or_larger_than_its_value(
    steps: list[tuple[int, int, int]],
) -> None:
    points = [at(time, value, start) for start, time, value in steps]
    for one, delta in zip(points, counted(points), strict=True):
        assert delta is RefusalReason.OUT_OF_ORDER or 0 <= delta <= one.value
