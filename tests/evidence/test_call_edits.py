"""Calls and results of any agent become edits: what is joined, what is counted, what is named."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest

from ghapp.attribution.model import Edit, EditResult, PassedOver, UnreadEvidence
from ghapp.evidence.call_edits import (
    AHEAD,
    CallEdits,
    CallResult,
    FileRequest,
    ToolCall,
    failure,
    replacements,
)
from ghapp.evidence.json_records import RecordError
from ghapp.evidence.source import Found, everything

AT = datetime(2026, 5, 20, 10, tzinfo=UTC)
DONE = CallResult(EditResult.APPLIED)
LINES = count(1)


def reading() -> CallEdits:
    return CallEdits("a.jsonl", "agent", everything, frozenset({"Read"}))


def write(id_: str, path: str = "/home/dev/a.py", **more: object) -> ToolCall:
    given = {"at": AT, "files": (FileRequest(path, text="x = 1\n"),), "line": next(LINES), **more}
    return ToolCall(id=id_, tool="Write", **given)  # type: ignore[arg-type]


def outcomes(found: list[Found]) -> dict[str, EditResult]:
    return {one.path: one.outcome for one in found if isinstance(one, Edit)}


def test_a_result_before_its_call_is_kept_for_it() -> None:
    edits = reading()
    assert list(edits.result("c1", DONE)) == []
    assert outcomes(list(edits.call(write("c1")))) == {"/home/dev/a.py": EditResult.APPLIED}


def test_only_some_results_are_kept_ahead() -> None:
    edits = reading()
    for number in range(AHEAD + 1):
        assert list(edits.result(f"c{number}", DONE)) == []
    assert list(edits.call(write("c0"))) == []
    assert outcomes(list(edits.call(write("c1", "/b")))) == {"/b": EditResult.APPLIED}


def test_a_call_that_is_written_again_is_one_edit() -> None:
    edits = reading()
    first = write("c1")
    assert list(edits.call(first)) == []
    assert len(list(edits.result("c1", DONE))) == 1
    assert list(edits.call(first._replace(line=first.line + 9))) == []
    assert list(edits.rest()) == []


def test_a_call_of_another_tool_takes_its_id_away() -> None:
    edits = reading()
    assert list(edits.call(write("c1"))) == []
    edits.other("Read", "c1")
    assert not edits.may_answer("c1")
    assert outcomes(list(edits.rest())) == {"/home/dev/a.py": EditResult.UNANSWERED}


@pytest.mark.parametrize("torn", [False, True])
def test_a_torn_record_leaves_a_blanked_call_without_a_result(*, torn: bool) -> None:
    edits = reading()
    records: list[bytes] = [b"call", *([b"torn"] if torn else []), b"result"]

    def take(number: int, line: bytes) -> Iterator[Found]:
        del number
        if line == b"torn":
            raise RecordError("torn")
        return edits.call(write("REDACTED")) if line == b"call" else edits.result("****", DONE)

    found = list(edits.read(records, take, lambda _: True))
    found += edits.rest()
    expected = EditResult.UNANSWERED if torn else EditResult.APPLIED
    assert outcomes(found) == {"/home/dev/a.py": expected}
    assert sum(isinstance(one, UnreadEvidence) for one in found) == torn


def test_calls_without_an_id_and_of_unknown_tools_are_counted_but_those_that_only_read() -> None:
    edits = reading()
    assert list(edits.call(write(""))) == []
    edits.other("Read", "c1")
    edits.other("Paint", "c2")
    edits.other("Paint", "c3")
    assert list(edits.rest()) == [
        PassedOver(agent="agent", what="Paint", count=2),
        PassedOver(agent="agent", what="Write without an id", count=1),
    ]


def test_an_edit_without_a_time_is_named_with_the_line_of_its_call() -> None:
    edits = reading()
    call = write("c1", at=None)
    list(edits.call(call))
    (found,) = edits.result("c1", DONE)
    assert isinstance(found, UnreadEvidence)
    assert found.line == call.line


def test_each_file_of_a_call_is_an_edit_but_those_that_it_deletes() -> None:
    edits = reading()
    files = (
        FileRequest("/a", hunks=(("+one",),)),
        FileRequest("/b", hunks=(("+two",),)),
        FileRequest("/gone", is_deleted=True),
    )
    list(edits.call(write("c1", files=files)))
    found = [one for one in edits.result("c1", DONE) if isinstance(one, Edit)]
    assert [(one.id, one.path) for one in found] == [("c1#1", "/a"), ("c1#2", "/b")]


def test_ids_that_begin_again_are_told_apart() -> None:
    edits = reading()
    ids = []
    for minute in range(3):
        list(edits.call(write("0", at=AT.replace(minute=minute))))
        ids += [one.id for one in edits.result("0", DONE) if isinstance(one, Edit)]
    assert ids == ["0", "0~2", "0~3"]


@pytest.mark.parametrize(
    ("prose", "outcome"),
    [
        ("Permission denied by the user", EditResult.REFUSED),
        ("The operation was cancelled", EditResult.INTERRUPTED),
        ("no such file", EditResult.FAILED),
    ],
)
def test_what_a_result_says_tells_why_nothing_was_applied(prose: str, outcome: EditResult) -> None:
    assert failure(prose).outcome is outcome


def test_replacements_are_read_whole_or_not_at_all() -> None:
    assert [one.everywhere for one in replacements([("a", "b", True), ("c", "d", "true")])] == [
        True,
        True,
    ]
    assert replacements([("a", "b", None), ("c", 1, None)]) == ()
