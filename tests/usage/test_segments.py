"""No number of a table of segments is of fewer than five people, under a filter or without."""

from collections.abc import Iterable
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from ghapp.usage.counts import OTHERS
from ghapp.usage.segments import MonthlyNumber, PersonMonth, ShownNumbers
from tests.searching import searched

MONTHS = [date(2026, month, 1) for month in range(1, 6)]
NAMES = ("a", "b", "c")
GROUP = {person: (*NAMES, None)[person % 4] for person in range(1, 41)}

parts = st.lists(st.tuples(st.sampled_from(MONTHS), st.integers(1, 40)), unique=True, max_size=150)


def measure(told: Iterable[tuple[date, int]], within: range) -> MonthlyNumber[frozenset[int]]:
    """Return a number that says who is behind it."""
    return MonthlyNumber(
        tuple(
            PersonMonth(month, who, GROUP[who], who in within, frozenset({who}))
            for month, who in told
        )
    )


def shown(told: list[tuple[date, int]], within: range) -> ShownNumbers[frozenset[int]]:
    return measure(told, within).shown(NAMES, lambda values: frozenset().union(*values))


def is_few(people: Iterable[int]) -> bool:
    return 0 < len({*people}) < 5


@given(told=parts, first=st.integers(1, 12), size=st.integers(20, 40))
@searched(40)
def test_no_number_is_of_few_people(told: list[tuple[date, int]], first: int, size: int) -> None:
    within = range(first, first + size)
    every, some = shown(told, range(1, 41)), shown(told, within)
    for found in (every, some):
        for one in found.of.values():
            assert one.people == len(one.value)
            assert not is_few(one.value)
    groups = {who for name, one in every.of.items() if name in NAMES for who in one.value}
    if None in every.of:
        # What the groups leave of everybody is a row of its own, or nobody.
        assert OTHERS in every.of or every.of[None].value == groups
