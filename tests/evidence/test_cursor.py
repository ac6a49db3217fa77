"""Payloads of Cursor's hooks: each edit once, whichever hook tells it."""

import json

from ghapp.attribution.model import Edit, UnreadEvidence
from ghapp.evidence import cursor
from ghapp.evidence.source import Found, everything


def payload(event: str, **told: object) -> bytes:
    common = {
        "hook_event_name": event,
        "conversation_id": "c",
        "generation_id": "g",
        "workspace_roots": ["/w", "/x"],
        "timestamp": "2026-05-19T10:00:00Z",
    }
    return json.dumps(common | told).encode()


EDIT = payload(
    "afterFileEdit", file_path="/w/a.py", edits=[{"old_string": "one", "new_string": "two"}]
)
TOOL = payload(
    "postToolUse",
    tool_name="StrReplace",
    tool_input={"path": "a.py", "old_string": "one", "new_string": "two"},
)


def read(*lines: bytes) -> list[Found]:
    return list(cursor.read("edits.jsonl", lines, everything))


def test_an_edit_has_a_name_made_of_what_it_says() -> None:
    first, other = read(EDIT, EDIT.replace(b"two", b"six"))
    assert isinstance(first, Edit)
    assert isinstance(other, Edit)
    assert first.id != other.id
    assert read(EDIT) == [first]
    assert (first.path, first.cwd, first.agent_session) == ("/w/a.py", "/w", "c")


def test_a_payload_that_was_stored_twice_is_one_edit() -> None:
    assert len(read(EDIT, EDIT)) == 1


def test_a_tools_event_counts_only_where_no_other_hook_told_the_edit() -> None:
    [by_hook] = read(TOOL, EDIT)
    assert by_hook.tool == "edit"  # type: ignore[union-attr]
    [by_tool] = read(TOOL)
    assert (by_tool.tool, by_tool.path) == ("StrReplace", "/w/a.py")  # type: ignore[union-attr]
    assert len(read(EDIT, TOOL.replace(b"a.py", b"b.py"))) == 2


def test_a_payload_without_a_time_is_named() -> None:
    [found] = read(EDIT.replace(b"2026-05-19T10:00:00Z", b"now"))
    assert isinstance(found, UnreadEvidence)
    assert (found.line, found.problem[:14]) == (1, "an edit withou")


def test_reading_a_file_and_other_tools_edit_nothing() -> None:
    other = payload("postToolUse", tool_name="Shell", tool_input={"path": "a.py", "content": "x"})
    assert read(payload("beforeReadFile", file_path="/w/a.py"), other, b"\n") == []
