"""Smaller cases of a line: numbers stay, and parts put together again are the whole."""

import pytest
from hypothesis import given

from ghapp.attribution.candidates import once
from ghapp.attribution.model import Change, FileDiff, Hunk, HunkLine
from ghapp.auditing.line_case import (
    LinePart,
    as_told,
    change_parts,
    edit_parts,
    of_change_parts,
    of_edit_parts,
    verdict_on,
    with_found_checkouts,
)
from tests.attribution.strategies import Case, cases
from tests.attribution.test_audits import FOLDERS, audit_of
from tests.auditing.line_cases import case_of, each_line, new_file, of_folder, of_story, written
from tests.cases import names
from tests.searching import searched

MIXED = Hunk(
    old_start=10,
    old_lines=3,
    new_start=20,
    new_lines=4,
    lines=(
        HunkLine(" ", "one"),
        HunkLine("-", "two"),
        HunkLine("+", "deux"),
        HunkLine("+", "trois"),
        HunkLine(" ", "four"),
    ),
)


def cut(hunk: Hunk, start: int, stop: int) -> Hunk:
    case = case_of(1, [FileDiff(path="a.py", hunks=(hunk,))], [])
    return of_change_parts(case, [LinePart(0, 0, start, stop)]).change.files[0].hunks[0]


@pytest.mark.parametrize(
    ("start", "stop", "old", "new"),
    [
        (0, 5, (10, 3), (20, 4)),
        (1, 5, (11, 2), (21, 3)),
        (2, 3, (11, 0), (21, 1)),
        (1, 2, (11, 1), (20, 0)),
        (3, 5, (12, 1), (22, 2)),
    ],
)
def test_lines_of_a_part_keep_their_numbers(
    start: int, stop: int, old: tuple[int, int], new: tuple[int, int]
) -> None:
    part = cut(MIXED, start, stop)
    assert (part.old_start, part.old_lines) == old
    assert (part.new_start, part.new_lines) == new


def test_a_part_of_a_new_file_has_no_old_line() -> None:
    whole = new_file("a.py", ["one", "two", "three"]).hunks[0]
    part = cut(whole, 1, 3)
    assert (part.old_start, part.old_lines, part.new_start, part.new_lines) == (0, 0, 2, 2)


@searched(40)
@given(cases())
def test_all_parts_together_are_the_whole(story: Case) -> None:
    case = of_story(story)
    for size in (1, 3, 1000):
        again = of_edit_parts(
            of_change_parts(case, change_parts(case, size)), edit_parts(case, size)
        )
        assert again.change == Change(files=case.change.files)
        assert again.evidence == case.evidence


@searched(40)
@given(cases())
def test_added_lines_of_parts_are_lines_of_the_whole(story: Case) -> None:
    case = of_story(story)
    some = of_change_parts(case, change_parts(case, 2)[::2])
    for whole, part in zip(case.change.files, some.change.files, strict=True):
        assert set(part.added()) <= set(whole.added())


@pytest.mark.parametrize("folder", FOLDERS, ids=names(FOLDERS))
def test_with_its_checkouts_named_every_line_has_the_same_verdict(folder: object) -> None:
    case = of_folder(folder)  # type: ignore[arg-type]
    found = with_found_checkouts(case)
    for line, verdict in each_line(case):
        assert as_told(verdict) in [
            one for at, one in each_line(found) if (at.path, at.line) == (line.path, line.line)
        ]


def test_a_line_that_is_not_added_has_no_verdict() -> None:
    audit = audit_of(FOLDERS[0])
    assert verdict_on(audit, "src/store.py", 1) is None
    assert verdict_on(audit, "none.py", 12) is None


def test_copies_of_an_edit_are_dropped() -> None:
    edits = [written("a.py", ["one = 1"]), written("a.py", ["one = 1", "two = 2"])]
    case = with_found_checkouts(case_of(1, [new_file("a.py", ["one = 1"])], edits))
    assert list(case.evidence.edits) == once(edits)
