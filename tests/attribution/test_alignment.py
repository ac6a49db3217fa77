"""Lines are paired in order: as many as can be, then those that differ least."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution import alignment
from ghapp.attribution.alignment import aligned, difference
from ghapp.attribution.codebook import Codebook
from tests.searching import searched

FIFTH = Fraction(1, 5)


def pairs(own: list[str], added: list[str], limit: Fraction = FIFTH) -> list[tuple[int, int]]:
    book = Codebook()
    found = aligned(book.numbers(own), book.numbers(added), book, limit)
    return [(pair.own, pair.added) for pair in found]


@pytest.mark.parametrize(
    ("other", "value"),
    [("abcdefghij", 0.0), ("abcdefghxy", 0.2), ("abcdefgxyz", None), ("abcdefghijkl", 1 / 6)],
)
def test_a_difference_of_exactly_the_limit_is_within_it(other: str, value: float | None) -> None:
    book = Codebook()
    one, two = book.numbers(["abcdefghij", other])
    assert difference(one, two, book, FIFTH) == difference(two, one, book, FIFTH) == value


def test_the_longer_line_is_the_whole() -> None:
    book = Codebook()
    four, five = book.numbers(["abcd", "abcde"])
    assert difference(four, five, book, FIFTH) == 0.2


def test_two_touched_lines_come_before_one_equal_line() -> None:
    own = ["value_one = load(a)", "value_two = load(a)"]
    added = ["value_two = load(a)", "value_two = load(b)"]
    assert pairs(own, added) == [(0, 0), (1, 1)]
    assert pairs(own, added, Fraction(0)) == [(1, 0)]


def test_of_equal_pairings_the_earliest_lines_are_taken() -> None:
    assert pairs(["same line"], ["same line", "same line"]) == [(0, 0)]
    assert pairs(["same line", "same line"], ["same line"]) == [(0, 0)]


def test_the_smallest_sum_of_differences_decides() -> None:
    assert pairs(["abcdefghij"], ["abcdefghxy", "abcdefghix"]) == [(0, 1)]


LINES = st.lists(st.text("ab", min_size=8, max_size=10), min_size=1, max_size=5)


@searched(300)
@given(line=st.text("ab", min_size=8, max_size=10), lines=LINES, mine=st.booleans())
def test_a_single_line_is_paired_as_among_others(
    line: str, lines: list[str], *, mine: bool
) -> None:
    # A line that is like nothing makes the other stretch longer, so that all pairings are weighed.
    book = Codebook()
    one, other, alone = book.numbers([line]), book.numbers(lines), book.numbers(["-" * 9])
    own, added = (one, other) if mine else (other, one)
    longer = aligned([*own, *alone], [*added, *alone], book, FIFTH)
    assert aligned(own, added, book, FIFTH) == longer[:-1]


def test_pairs_never_cross() -> None:
    assert pairs(["first line", "other text"], ["other text", "first line"]) == [(0, 1)]


@pytest.mark.parametrize(("own", "added"), [([], ["a b c"]), (["a b c"], []), (["abc"], ["xyz"])])
def test_nothing_alike_is_no_pair(own: list[str], added: list[str]) -> None:
    assert pairs(own, added) == []


def test_two_long_stretches_are_compared_around_the_diagonal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = ["needle", *(f"own line {at}" for at in range(9))]
    added = [*(f"{at} is added" for at in range(9)), "needle"]
    assert pairs(own, added, Fraction(0)) == [(0, 9)]
    monkeypatch.setattr(alignment, "LARGEST", 50)
    assert pairs(own, added, Fraction(0)) == []
    assert pairs(own, own, Fraction(0)) == [(at, at) for at in range(10)]
