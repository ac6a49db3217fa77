"""Where touched lines may be: between anchors, and a little beyond the outer ones."""

from itertools import pairwise

import pytest

from ghapp.attribution.gaps import GapAnchors, LineGap, gaps, rising


def between(pairs: list[tuple[int, int]], own: int, added: int, slack: int) -> list[LineGap]:
    """Return the gaps of an edit and a file that have a place for each line."""
    anchors = GapAnchors()
    anchors.add(pairs)
    return gaps(anchors, list(range(own)), list(range(added)), slack)


def test_without_an_anchor_there_is_no_gap() -> None:
    assert not GapAnchors()
    assert between([], 5, 5, slack=3) == []


def test_everything_between_two_anchors_is_in_the_gap() -> None:
    assert between([(0, 0), (2, 90)], 3, 91, slack=0) == [LineGap(range(1, 2), range(1, 90))]


def test_the_ends_reach_twice_the_own_lines_and_the_slack() -> None:
    first, last = between([(2, 50)], 4, 100, slack=3)
    assert first == LineGap(range(2), range(43, 50))
    assert last == LineGap(range(3, 4), range(51, 56))


def test_a_gap_has_lines_on_both_sides() -> None:
    assert between([(0, 0), (1, 9)], 2, 10, slack=3) == []
    assert between([(0, 0), (9, 1)], 10, 2, slack=3) == []


@pytest.mark.parametrize(
    ("pairs", "chain"),
    [
        ([(2, 2), (0, 0), (1, 1)], [(0, 0), (1, 1), (2, 2)]),
        ([(0, 5), (1, 1), (2, 2)], [(1, 1), (2, 2)]),
        ([(0, 0), (0, 1), (0, 2)], [(0, 0)]),
        ([(0, 3), (1, 3), (2, 3)], [(0, 3)]),
        ([(1, 1), (1, 1)], [(1, 1)]),
        ([], []),
    ],
)
def test_a_chain_rises_on_both_sides(
    pairs: list[tuple[int, int]], chain: list[tuple[int, int]]
) -> None:
    found = rising(pairs)
    assert len(found) == len(chain)
    assert found == rising(pairs[::-1])
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(found))


def test_a_new_anchor_makes_the_chain_anew() -> None:
    anchors = GapAnchors()
    anchors.add([(5, 5)])
    assert [opening[:2] for opening in anchors.openings] == [(-1, -1), (5, 5)]
    anchors.add([(1, 1), (2, 2)])
    assert [opening[:2] for opening in anchors.openings] == [(-1, -1), (2, 2), (5, 5)]
