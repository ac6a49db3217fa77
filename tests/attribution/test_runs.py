"""Runs are maximal, stay inside a stretch, and start only at lines that are rare in the file."""

from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.runs import GAP, SEED_LIMIT, EqualRun, equal_runs, index
from tests.searching import searched


def runs(file: list[int], edit: list[int]) -> list[tuple[int, int, int]]:
    return [tuple(run) for run in equal_runs(file, index(file), edit)]


def test_a_run_reaches_as_far_as_both_sides_are_equal() -> None:
    assert runs([9, 1, 2, 3, 8], [7, 1, 2, 3, 6]) == [(1, 1, 3)]


def test_a_gap_ends_a_run_and_equals_nothing() -> None:
    assert runs([1, GAP, 2], [1, GAP, 2]) == [(0, 0, 1), (2, 2, 1)]
    assert index([1, GAP, 1]) == {1: [0, 2]}


def test_runs_come_by_their_place_in_the_edit_then_in_the_file() -> None:
    assert runs([5, 1, 5], [1, 5]) == [(1, 0, 2), (0, 1, 1)]


def test_a_line_that_is_everywhere_starts_no_run_but_belongs_to_one() -> None:
    often = [0] * (SEED_LIMIT + 1)
    assert runs(often, [0]) == []
    assert runs([*often, 1], [0, 1]) == [(SEED_LIMIT, 0, 2)]
    assert len(runs([0] * SEED_LIMIT, [0])) == SEED_LIMIT


@searched(60)
@given(st.lists(st.integers(-1, 3), max_size=12), st.lists(st.integers(-1, 3), max_size=12))
def test_every_equal_pair_is_in_one_run(file: list[int], edit: list[int]) -> None:
    found = equal_runs(file, index(file), edit)
    pairs = [(run.at_file + at, run.at_edit + at) for run in found for at in range(run.length)]
    equal = [(i, j) for i, a in enumerate(file) for j, b in enumerate(edit) if a == b != GAP]
    assert sorted(pairs) == equal
    assert all(isinstance(run, EqualRun) for run in found)
