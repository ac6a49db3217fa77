"""Stretches with other line breaks: whole, in order, and of two lines on one side at least."""

from ghapp.attribution.rewrap import LONGEST, WrappedText


def stretches(
    own: list[str], added: list[str], *, taken: tuple[int, ...] = ()
) -> list[tuple[list[int], list[int]]]:
    free = set(range(len(added))) - set(taken)
    text = WrappedText(added)
    return list(text.stretches(range(len(own)), own, range(len(added)), free.__contains__))


def test_a_broken_line_and_joined_lines_are_found() -> None:
    assert stretches(["call_of_abc"], ["call_of", "_abc"]) == [([0], [0, 1])]
    assert stretches(["call_of", "_abc"], ["call_of_abc"]) == [([0, 1], [0])]
    assert stretches(["ab", "cd"], ["abc", "d"]) == [([0, 1], [0, 1])]


def test_an_equal_line_is_no_stretch() -> None:
    assert stretches(["call_of_abc"], ["call_of_abc"]) == []


def test_half_of_a_line_is_no_stretch() -> None:
    assert stretches(["call_of_abc"], ["call_of", "_xyz"]) == []
    assert stretches(["call_of_abc"], ["call_of"]) == []
    assert stretches(["call_of"], ["call", "_of_abc"]) == []


def test_a_line_that_is_taken_is_in_no_stretch() -> None:
    assert stretches(["call_of_abc"], ["call_of", "_abc"], taken=(1,)) == []
    assert stretches(["call_of_abc"], ["call_of", "_abc"] * 2, taken=(0,)) == [([0], [2, 3])]


def test_stretches_come_in_order_and_share_no_line() -> None:
    added = ["call_of", "_abc", "call_of", "_abc"]
    assert stretches(["call_of_abc"] * 3, added) == [([0], [0, 1]), ([1], [2, 3])]
    assert stretches(["one_call", "two_call"], ["two", "_call", "one", "_call"]) == [([0], [2, 3])]


def test_lines_shorter_than_the_index_are_found_from_both_sides() -> None:
    assert stretches(["a", "b"], ["ab"]) == [([0, 1], [0])]
    assert stretches(["abcdefghijk"], ["a", "bcdefghijk"]) == [([0], [0, 1])]


def test_a_blank_line_begins_nothing() -> None:
    assert stretches(["", "ab"], ["", "a", "b"]) == [([1], [1, 2])]


def test_a_stretch_has_an_end() -> None:
    assert stretches(["x" * LONGEST], ["x"] * LONGEST) == [([0], list(range(LONGEST)))]
    assert stretches(["x" * (LONGEST + 2)], ["x"] * (LONGEST + 2)) == []
