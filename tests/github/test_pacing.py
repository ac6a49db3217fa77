"""One installation's pace, shared through a real Valkey."""

from datetime import UTC, datetime, timedelta

import pytest

from ghapp.github.answers import Headroom, LimitKind, RateLimited
from ghapp.github.pacing import InstallationPace, WriteAllowance
from ghapp.queue.enqueue import connect

START = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


class Time:
    """A clock that sleeping moves on."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


def pace(url: str, time: Time, **allowed: object) -> InstallationPace:
    return InstallationPace(connect(url, quick=True), WriteAllowance(**allowed), time, time.sleep)  # type: ignore[arg-type]


def test_two_workers_write_a_second_apart(redis_url: str, time: Time) -> None:
    one, other = pace(redis_url, time), pace(redis_url, time)
    at = []
    for worker in (one, other, one, other):
        worker.before_write(5)
        at.append(time.now - START)
    assert at == [timedelta(seconds=count) for count in range(4)]
    other.before_write(6)
    assert time.now - START == at[-1]


def test_a_second_passes_between_two_requests_however_late_they_are_sent(
    redis_url: str, time: Time
) -> None:
    """A publisher notes what it makes between its turn and its request; GitHub may be slow."""
    one, other = pace(redis_url, time), pace(redis_url, time)
    one.before_write(5)
    time.sleep(0.02)
    one.wrote(5)
    sent = time.now
    time.sleep(0.3)
    one.wrote(5)
    answered = time.now
    other.before_write(5)
    assert time.now - answered >= timedelta(seconds=1)
    other.wrote(5)
    assert time.now - sent >= timedelta(seconds=1.3)


def test_a_turn_that_was_taken_before_a_late_request_waits_for_it(
    redis_url: str, time: Time
) -> None:
    late, sent = Time(), []
    one = pace(redis_url, time)
    one.before_write(5)

    def slept(seconds: float) -> None:
        if not sent:
            # While the other waits for its turn, the first one's request leaves, too late.
            time.now += timedelta(seconds=0.4)
            one.wrote(5)
            sent.append(time.now)
        late.sleep(seconds)

    waiting = InstallationPace(connect(redis_url, quick=True), WriteAllowance(), late, slept)
    waiting.before_write(5)
    assert late.now - sent[0] >= timedelta(seconds=1)


def test_the_hour_s_writes_end_and_begin_anew(redis_url: str, time: Time) -> None:
    own = pace(redis_url, time, pause=timedelta(0), writes_an_hour=10)
    for _ in range(10):
        own.before_write(5)
        time.sleep(60)
    with pytest.raises(RateLimited) as limited:
        own.before_write(5)
    assert limited.value.kind is LimitKind.OWN
    assert limited.value.until == START + timedelta(hours=1)
    time.now = limited.value.until
    own.before_write(5)


def test_audits_of_the_past_leave_writes_to_live_ones(redis_url: str, time: Time) -> None:
    own = pace(redis_url, time, pause=timedelta(0), writes_an_hour=10)
    for _ in range(6):
        own.before_write(5, background=True)
    with pytest.raises(RateLimited):
        own.before_write(5, background=True)
    own.before_write(5)


def test_what_one_worker_is_told_holds_for_all(redis_url: str, time: Time) -> None:
    pace(redis_url, time).park(5, START + timedelta(minutes=7))
    other = pace(redis_url, time)
    other.park(5, START + timedelta(minutes=2))
    assert other.parked_until(5) == START + timedelta(minutes=7)
    assert other.ready_at(5, background=False) == START + timedelta(minutes=7)
    assert other.ready_at(6, background=False) is None
    with pytest.raises(RateLimited):
        other.before_write(5)


def test_little_room_is_left_to_live_audits(redis_url: str, time: Time) -> None:
    own, resets = pace(redis_url, time), START + timedelta(minutes=30)
    own.note(5, Headroom(limit=5_000, remaining=1_499, resets_at=resets))
    assert own.ready_at(5, background=True) == resets
    assert own.ready_at(5, background=False) is None
    assert own.headroom(5) == Headroom(limit=5_000, remaining=1_499, resets_at=resets)


def test_writes_are_counted_by_kind_for_an_hour(redis_url: str, time: Time) -> None:
    one, other = pace(redis_url, time), pace(redis_url, time)
    assert one.writes_of(5, ("label", "comment")) == {"label": 0, "comment": 0}
    one.note_writes(5, "label", 2)
    time.sleep(1_800)
    other.note_writes(5, "label", 1)
    other.note_writes(6, "comment", 4)
    assert one.writes_of(5, ("label", "comment")) == {"label": 3, "comment": 0}
    time.sleep(1_801)
    assert one.writes_of(5, ("label", "comment")) == {"label": 1, "comment": 0}
    assert pace("redis://127.0.0.1:1/0", time).writes_of(5, ("label",)) is None


def test_without_redis_each_worker_waits_for_itself(time: Time) -> None:
    own = pace("unix:///nowhere/valkey.sock", time)
    own.before_write(5)
    own.park(5, START + timedelta(minutes=7))
    assert time.now - START == timedelta(seconds=1)
    assert own.ready_at(5, background=True) is None
