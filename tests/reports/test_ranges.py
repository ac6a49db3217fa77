"""Lines grouped for display: trivial lines inside a range belong to it."""

from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.model import LineVerdict
from ghapp.reports.ranges import ranges
from tests.reports.audits import lines
from tests.searching import searched


def spans(*told: LineVerdict) -> list[tuple[int, int, str]]:
    found = ranges(told, lambda line: line.reason)
    return [(run[0].line, run[-1].line, run[0].reason) for run in found]


def test_a_trivial_line_inside_a_range_ends_nothing() -> None:
    assert spans(*lines("run", "trivial_line", "trivial_line", "run")) == [(1, 4, "run")]


def test_trivial_lines_between_two_ranges_are_one_of_their_own() -> None:
    assert spans(*lines("trivial_line", "run", "trivial_line", "no_match", "trivial_line")) == [
        (1, 1, "trivial_line"),
        (2, 2, "run"),
        (3, 3, "trivial_line"),
        (4, 4, "no_match"),
        (5, 5, "trivial_line"),
    ]


def test_a_missing_number_ends_a_range() -> None:
    assert spans(*lines("run"), *lines("run", first=3)) == [(1, 1, "run"), (3, 3, "run")]
    assert spans() == []


@searched(60)
@given(st.lists(st.sampled_from(["run", "no_match", "trivial_line", "gap"]), max_size=12))
def test_no_line_is_lost_or_moved(reasons: list[str]) -> None:
    told = [line for line in lines(*reasons) if line.reason != "gap"]
    found = list(ranges(told, lambda line: line.reason))
    assert [line for run in found for line in run] == told
    for run in found:
        assert [line.line for line in run] == list(range(run[0].line, run[-1].line + 1))
        assert {line.reason for line in run} <= {run[0].reason, "trivial_line"}
