"""Counts are believed only if they can be."""

from hypothesis import given
from hypothesis import strategies as st

from ghapp.usage.believed import MOST_OF_ONE, count, counts, reasoning_of

anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none())


@given(anything)
def test_a_count_is_a_whole_number_that_can_be(value: object) -> None:
    found = count(value)
    assert found is None or 0 <= found <= MOST_OF_ONE
    assert value is not None or found == 0
    assert found is None or value is None or found == value


@given(st.lists(anything))
def test_one_bad_count_spoils_all(values: list[object]) -> None:
    found = [count(value) for value in values]
    assert counts(*values) == (None if None in found else tuple(found))


def test_reasoning_that_nobody_recorded_is_unknown() -> None:
    assert (reasoning_of(None), reasoning_of(0), reasoning_of(-1)) == (None, 0, None)
