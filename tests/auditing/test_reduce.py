"""A reduced case is small, and its line has the same reason from the same edit."""

from hypothesis import given
from msgspec.structs import replace

from ghapp.attribution.model import EditResult
from ghapp.auditing.line_case import LineCase, as_told, with_found_checkouts
from ghapp.auditing.reduce import ENOUGH, NEAREST, nearest, reduce
from tests.attribution.strategies import Case, cases
from tests.auditing.line_cases import (
    case_of,
    each_line,
    each_reason,
    new_file,
    of_story,
    some_code,
    written,
)
from tests.searching import searched

CODE = some_code("order", 400)


def ids(case: LineCase) -> list[str]:
    return [edit.id for edit in case.evidence.edits]


@searched(40)
@given(cases())
def test_the_verdict_stays_and_nothing_is_added(story: Case) -> None:
    for case, verdict in each_reason(of_story(story)):
        found = with_found_checkouts(case)
        small = reduce(found)
        assert small.verdict() == as_told(verdict)
        assert set(ids(small)) <= set(ids(found))
        assert small.size <= found.size


def test_of_a_large_change_little_is_left() -> None:
    files = [new_file(f"src/{n}.py", some_code(f"order{n}", 200)) for n in range(5)]
    edits = [written(f"src/{n}.py", some_code(f"order{n}", 200), n) for n in range(5)]
    small = reduce(case_of(100, files, edits))
    assert [file.path for file in small.change.files] == ["src/0.py"]
    assert ids(small) == ["toolu_0"]
    assert small.size <= ENOUGH


def test_a_small_case_keeps_all_lines_of_its_hunk() -> None:
    case = case_of(10, [new_file("a.py", CODE[:20])], [written("a.py", CODE[:20])])
    assert reduce(case) == case


def test_an_edit_outside_of_the_file_is_dropped_unless_a_line_of_it_is_like_this_one() -> None:
    edits = [written("a.py", CODE[20:40], 1), written("b.py", CODE[:1], 2)]
    other = [written("b.py", ["something_else = quite_different()"], 3)]
    case = case_of(1, [new_file("a.py", [CODE[0].upper() + " + 1234567890123"])], edits + other)
    assert "toolu_2" in ids(reduce(case))
    assert "toolu_3" not in ids(reduce(case))


def test_a_line_that_does_not_count_needs_no_edit() -> None:
    case = case_of(1, [new_file("a.py", ["}", *CODE[:5]])], [written("a.py", ["}", *CODE[:5]])])
    assert ids(reduce(case)) == []


def test_what_a_reason_rests_on_stays_also_in_other_files() -> None:
    edits = [
        written("a.py", CODE[:1], 1),
        replace(written("a.py", CODE[:9], 2), outcome=EditResult.REFUSED),
    ]
    case = case_of(3, [new_file("a.py", [*CODE[:3], *CODE[:3]])], edits)
    reasons = {verdict.line: verdict.reason for _, verdict in each_line(case)}
    assert (reasons[1], reasons[4]) == ("line", "credited_elsewhere")
    small = reduce(replace(case, line=4))
    assert 1 in [line.number for line in small.change.files[0].added()]


def test_the_nearest_edits_come_first_and_others_not_at_all() -> None:
    edits = [written("a.py", [line], n) for n, line in enumerate(CODE[:12])]
    found = nearest(edits, "order_7_total = price_of(order, customer=77)")
    assert (found[0], len(found)) == ("toolu_7", NEAREST)
    assert nearest(edits, "something_else()") == []
