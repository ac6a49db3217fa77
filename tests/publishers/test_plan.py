"""What is left out where an hour has no room: the order, and that labels keep theirs."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ghapp.publishers.plan import EVERYTHING, PublishingPlan, WriteKind, caught_up, needs
from ghapp.store import MergeRate
from tests.searching import searched

COUNTS = st.integers(0, 2_000)


def plan(expected: MergeRate, written: Counter[WriteKind], most: int = 500) -> PublishingPlan:
    """Return a plan that counts what it notes."""

    def note(kind: WriteKind, count: int) -> None:
        written[kind] += count

    return PublishingPlan(
        writes_an_hour=most, needed=lambda: needs(expected), written=lambda: written, note=note
    )


def test_a_quiet_hour_has_room_for_everything() -> None:
    made = plan(MergeRate(merged=30, assisted=12), Counter())
    assert all(map(made.has_room, WriteKind))
    assert made.spare == 500 - 12 - 12 - 18 - 30


def test_a_peak_leaves_out_all_but_labels_and_some_check_runs() -> None:
    # 10,000 merged in ten hours, 40 % of them with an agent.
    written: Counter[WriteKind] = Counter()
    made = plan(MergeRate(merged=1_000, assisted=400), written)
    assert [kind for kind in WriteKind if made.has_room(kind)] == [
        WriteKind.LABEL,
        WriteKind.ASSISTED_RUN,
    ]
    made.note(WriteKind.ASSISTED_RUN, 100)
    assert [kind for kind in WriteKind if made.has_room(kind)] == [WriteKind.LABEL]
    assert made.spare == 0


def test_nothing_is_left_out_where_nothing_is_known() -> None:
    assert all(map(EVERYTHING.has_room, WriteKind))
    assert EVERYTHING.spare is None
    assert "Redis is away" in caught_up(3, EVERYTHING.spare)


@searched(60)
@given(st.tuples(COUNTS, COUNTS).map(sorted), st.integers(1, 1_000), st.data())
def test_what_has_room_leaves_labels_theirs(
    expected: list[int], most: int, data: st.DataObject
) -> None:
    assisted, merged = expected
    written: Counter[WriteKind] = Counter()
    made = plan(MergeRate(merged=merged, assisted=assisted), written, most)
    for kind in data.draw(st.lists(st.sampled_from(WriteKind), max_size=60)):
        rooms = [made.has_room(one) for one in WriteKind]
        # A kind that has room has it before each that is left out earlier.
        assert rooms == sorted(rooms, reverse=True)
        if made.has_room(kind) and kind is not WriteKind.LABEL:
            made.note(kind, 1)
    others = sum(count for kind, count in written.items() if kind is not WriteKind.LABEL)
    assert others == 0 or others + assisted <= most
