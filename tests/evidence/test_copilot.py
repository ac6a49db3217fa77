"""Events of Copilot CLI: which result a call has, and which lines are its own."""

import json

import pytest

from ghapp.attribution.model import Edit
from ghapp.evidence import copilot
from ghapp.evidence.source import everything


def event(kind: str, **data: object) -> bytes:
    told = {"type": kind, "timestamp": "2026-05-19T10:00:00Z", "data": data}
    return json.dumps(told).encode()


def call(tool: str, name: str = "c1", **arguments: object) -> bytes:
    return event("tool.execution_start", toolCallId=name, toolName=tool, arguments=arguments)


def end(name: str = "c1", **told: object) -> bytes:
    return event("tool.execution_complete", toolCallId=name, **told)


def read(*lines: bytes, name: str = "0a1b/events.jsonl") -> list[Edit]:
    found = list(copilot.read(name, lines, everything))
    assert all(isinstance(one, Edit) for one in found)
    return found  # type: ignore[return-value]


def own(edit: Edit) -> list[str]:
    return [str(text) for hunk in edit.lines.hunks for text in hunk.own]


CREATE = call("create", path="/w/a.py", file_text="one\ntwo\n")


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ({"success": True}, "applied"),
        ({"success": "true"}, "failed"),
        ({"success": False, "error": {"message": "Permission denied by the user"}}, "refused"),
        ({"success": False, "error": "The operation was cancelled"}, "interrupted"),
        ({}, "failed"),
    ],
)
def test_what_became_of_a_call(told: dict[str, object], outcome: str) -> None:
    [edit] = read(CREATE, end(**told))
    assert (edit.outcome, own(edit)) == (outcome, ["one", "two"])


def test_a_call_without_an_end_is_unanswered_and_an_end_without_a_call_is_nothing() -> None:
    assert [edit.outcome for edit in read(end("other", success=True), CREATE)] == ["unanswered"]


def test_an_edit_of_a_file_that_was_created_has_whole_lines() -> None:
    change = call("edit", "c2", path="/w/a.py", old_str="two", new_str="two_and_more")
    _, edit = read(CREATE, end(success=True), change, end("c2", success=True))
    assert own(edit) == ["two_and_more"]


def test_what_copilot_showed_comes_before_what_the_call_said() -> None:
    change = call("edit", path="/w/a.py", old_str="w", new_str="x")
    diff = "@@ -1 +1 @@\n-whole = w\n+whole = x\n"
    [edit] = read(change, end(success=True, result={"detailedContent": diff}))
    assert own(edit) == ["whole = x"]


def test_a_session_is_named_by_itself_then_by_its_folder() -> None:
    start = event("session.start", sessionId="mine", context={"cwd": "/w"})
    relative = call("create", path="a.py", file_text="one")
    [edit] = read(start, relative, end(success=True))
    assert (edit.agent_session, edit.path, edit.cwd) == ("mine", "/w/a.py", "/w")
    assert read(CREATE)[0].agent_session == "0a1b"
    assert read(CREATE, name="events.jsonl")[0].agent_session == "events"


def test_other_tools_edit_nothing() -> None:
    assert read(call("view", path="/w/a.py"), end(success=True)) == []
