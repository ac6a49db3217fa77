"""Copies and other repositories are dropped; the rest is sorted by result and by time."""

from datetime import timedelta

from msgspec.structs import replace

from ghapp.attribution.candidates import CandidateEdits, candidates, first_hand, in_order
from ghapp.attribution.model import (
    Change,
    Edit,
    EditHunk,
    EditLines,
    EditResult,
    Evidence,
    FileDiff,
    FileStatus,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED
from tests.attribution.strategies import MERGED, ROOT, SUBJECT

FILE = FileDiff(path="src/a.py")
RENAMED = FileDiff(path="src/new.py", previous_path="src/old.py", status=FileStatus.RENAMED)
COPIED = FileDiff(path="src/copy.py", previous_path="src/old.py", status=FileStatus.COPIED)


def edit(name: str, *, hours: int = 5, path: str = "src/a.py", own: int = 1, **more: str) -> Edit:
    lines = EditLines((EditHunk((), ("line",) * own, ()),))
    return Edit(
        id=name,
        agent="claude-code",
        agent_session=more.get("session", "one"),
        at=MERGED - timedelta(hours=hours),
        path=path,
        outcome=EditResult(more.get("outcome", "applied")),
        tool=more.get("tool", "Edit"),
        lines=lines,
    )


def sorted_into(*edits: Edit, files: tuple[FileDiff, ...] = (FILE,)) -> CandidateEdits:
    evidence = Evidence(edits=edits, roots=(ROOT,))
    return candidates(SUBJECT, Change(files=files), evidence, CLAUDE_CODE_V1)


def ids(edits: list[Edit]) -> list[str]:
    return [one.id for one in edits]


def test_an_edit_is_usable_outside_the_window_or_not_applied() -> None:
    found = sorted_into(edit("in"), edit("late", hours=-100), edit("no", outcome="refused"))
    assert ids(found.of(found.usable, FILE)) == ["in"]
    assert ids(found.of(found.outside_window, FILE)) == ["late"]
    assert ids(found.of(found.not_applied, FILE)) == ["no"]
    assert ids(found.considered()) == ["in"]


def test_an_edit_elsewhere_is_dropped_and_one_of_another_file_is_considered() -> None:
    found = sorted_into(edit("out", path="/srv/x/src/a.py"), edit("other", path="src/other.py"))
    assert found.of(found.usable, FILE) == []
    assert ids(found.considered()) == ["other"]
    assert found.compared(CLAUDE_CODE_V1) == []
    assert ids(found.compared(CLAUDE_CODE_V1_MOVED)) == ["other"]


def test_a_renamed_file_has_the_edits_of_both_names_in_order_and_a_copied_one_does_not() -> None:
    some = (edit("1", path="src/new.py"), edit("2", path="src/old.py", hours=4))
    found = sorted_into(*some, files=(RENAMED, COPIED))
    assert ids(found.of(found.usable, RENAMED)) == ["2", "1"]
    assert found.of(found.usable, COPIED) == []


def test_lines_by_number_give_way_to_the_sessions_own_edits() -> None:
    note, other = edit("n", tool="git_ai_notes"), edit("m", tool="agent_trace", session="two")
    assert ids(first_hand([edit("e"), note, other])) == ["e", "m"]
    assert first_hand([note, other]) == [note, other]


def test_ties_go_to_what_was_there_at_the_merge_then_to_the_latest_then_to_the_smaller_id() -> None:
    at_merge = replace(edit("c"), at=MERGED)
    some = [edit("late", hours=-1), edit("b"), edit("a"), edit("old", hours=9), at_merge]
    assert ids(in_order(some, MERGED)) == ["c", "a", "b", "old", "late"]
    assert in_order(some[::-1], MERGED) == in_order(some, MERGED)
