"""Diffs and transcripts that we write read back as what they were written from."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from msgspec.structs import replace

from ghapp.attribution.candidates import once
from ghapp.attribution.model import (
    SEEN_BY_HOOK,
    Change,
    Edit,
    EditHunk,
    EditLines,
    EditResult,
    FileDiff,
    FileStatus,
    Hunk,
    HunkLine,
    UnreadEvidence,
)
from ghapp.attribution.unified_diff import parse_diff
from ghapp.documents.case_files import text_lines, to_diff, to_transcript
from ghapp.evidence import claude_code
from ghapp.evidence.source import everything
from tests.attribution.strategies import MERGED, Case, cases
from tests.searching import searched

HUNK = Hunk(
    old_start=3,
    old_lines=1,
    new_start=3,
    new_lines=2,
    lines=(HunkLine(" ", "one = 1"), HunkLine("+", "two = 2\r")),
)
NEW = Hunk(old_start=0, old_lines=0, new_start=1, new_lines=1, lines=(HunkLine("+", "```one```"),))


def read(edits: list[Edit]) -> list[Edit]:
    lines = to_transcript(edits).splitlines(keepends=True)
    found = list(claude_code.read("evidence.jsonl", lines, everything))
    assert not [one for one in found if isinstance(one, UnreadEvidence)]
    return [one for one in found if isinstance(one, Edit)]


# --- the diff -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file",
    [
        FileDiff(path="src/a.py", hunks=(HUNK,)),
        FileDiff(path="src/a.py", status=FileStatus.ADDED, hunks=(NEW,)),
        FileDiff(path="src/b.py", previous_path="src/a.py", status=FileStatus.RENAMED),
        FileDiff(path="b b.py", previous_path="a.py", status=FileStatus.RENAMED, hunks=(HUNK,)),
        FileDiff(path="b.py", previous_path="a.py", status=FileStatus.COPIED, hunks=(HUNK,)),
        FileDiff(path='say "a"\t\\.py', hunks=(HUNK,)),
        FileDiff(path="größe/my store.py", hunks=(HUNK,)),
        FileDiff(path="a.py"),
        FileDiff(path="logo.png", status=FileStatus.ADDED, binary=True),
        FileDiff(path="logo.png", binary=True),
        FileDiff(path="vendor/lib", submodule=True, hunks=(HUNK,)),
    ],
    ids=lambda file: f"{file.status}-{PurePosixPath(file.path).name}",
)
def test_a_diff_reads_back_as_its_file(file: FileDiff) -> None:
    (found,) = parse_diff(to_diff(Change(files=(file,))))
    assert replace(found, blobs=()) == file


@pytest.mark.parametrize("status", [FileStatus.ADDED, FileStatus.DELETED])
def test_an_empty_file_stays_one(status: FileStatus) -> None:
    (found,) = parse_diff(to_diff(Change(files=(FileDiff(path="a.py", status=status),))))
    assert (found.path, found.status, found.hunks) == ("a.py", status, ())


@searched(60)
@given(cases())
def test_every_change_reads_back(case: Case) -> None:
    found = parse_diff(to_diff(case.change))
    assert tuple(replace(file, blobs=()) for file in found) == case.change.files


# --- the transcript -----------------------------------------------------------------------------

LINES = EditLines(
    hunks=(
        EditHunk(("def f():",), ("\treturn 1", "", '    "x"'), ("",)),
        EditHunk((), ("tail = 'ü'",), ()),
    ),
    removed=("\treturn 0",),
)


def edit(outcome: EditResult = EditResult.APPLIED, tool: str = "Edit", **more: object) -> Edit:
    given = {
        "id": "toolu_0001",
        "agent": "claude-code",
        "agent_session": "agent-session-1",
        "at": MERGED,
        "path": "/home/dev/work/src/a.py",
        "cwd": "/home/dev/work",
        "lines": LINES,
    }
    return Edit(outcome=outcome, tool=tool, **given | more)  # type: ignore[arg-type]


APPLIED = pytest.mark.parametrize(
    "one",
    [
        edit(),
        edit(tool="Write"),
        edit(tool="Write", lines=EditLines(hunks=(EditHunk((), ("a = 1", "b = 2"), ()),))),
        edit(lines=EditLines(hunks=(), removed=("gone = 1",))),
        edit(lines=EditLines(hunks=())),
        edit(tool="Write", lines=EditLines(hunks=())),
        edit(path="src/a.py", cwd=None),
        edit(at=MERGED.replace(microsecond=123456)),
    ],
)


@APPLIED
def test_it_is_recognized_as_a_transcript(one: Edit) -> None:
    assert claude_code.recognizes("evidence.jsonl", to_transcript([one]))


@APPLIED
def test_an_applied_edit_reads_back_whole(one: Edit) -> None:
    assert read([one]) == [one]


NOT_APPLIED = sorted(set(EditResult) - {EditResult.APPLIED, EditResult.UNRECORDED, *SEEN_BY_HOOK})
"""What the hook observed stands in no transcript."""


def test_an_edit_without_an_outcome_is_told_as_applied() -> None:
    assert read([edit(EditResult.UNRECORDED)]) == [edit()]


@pytest.mark.parametrize("outcome", NOT_APPLIED)
@pytest.mark.parametrize("tool", ["Edit", "Write"])
def test_of_an_edit_that_was_not_applied_the_own_lines_read_back(
    outcome: EditResult, tool: str
) -> None:
    earlier = edit(tool="Write", id="toolu_0000", lines=EditLines((EditHunk((), ("a",), ()),)))
    _, found = read([earlier, edit(outcome, tool)])
    own = tuple(line for hunk in LINES.hunks for line in hunk.own)
    assert (found.outcome, found.at, found.path) == (outcome, MERGED, edit().path)
    assert text_lines(found).hunks == (EditHunk((), own, ()),)


@searched(60)
@given(cases())
def test_all_edits_of_a_story_read_back(case: Case) -> None:
    recorded = [one for one in case.evidence.edits if one.outcome not in SEEN_BY_HOOK]
    edits = sorted(once(recorded), key=lambda one: (one.at, one.id))
    told = {one.id: one for one in read(edits)}
    assert set(told) == {one.id for one in edits}
    for one in edits:
        assert (told[one.id].at, told[one.id].path) == (one.at, one.path)
        if one.outcome is EditResult.APPLIED:
            assert told[one.id].lines == one.lines
