"""OpenCode's parts: an export, one part, and the rows of a database give the same edits."""

import json
from typing import Any

import pytest

from ghapp.attribution.model import Edit, UnreadEvidence
from ghapp.evidence import opencode
from ghapp.evidence.source import Found, everything


def part(status: str = "completed", **state: object) -> dict[str, Any]:
    return {
        "id": "prt_1",
        "sessionID": "ses_1",
        "type": "tool",
        "callID": "call_1",
        "tool": "write",
        "state": {
            "status": status,
            "input": {"filePath": "/w/a.py", "content": "one\n"},
            "time": {"start": 1777885100000, "end": 1777885200000},
            **state,
        },
    }


def read(name: str, value: object) -> list[Found]:
    return list(opencode.read(name, [json.dumps(value).encode()], everything))


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        ("completed", None, "applied"),
        ("running", None, "unanswered"),
        ("pending", None, "unanswered"),
        ("error", "The user rejected permission to use this tool", "refused"),
        ("error", "Tool execution aborted", "interrupted"),
        ("error", "no such file", "failed"),
        ("error", {"message": "denied"}, "refused"),
        ("error", {"type": "aborted", "message": "stopped"}, "interrupted"),
        ("error", {"message": 7}, "failed"),
    ],
)
def test_what_became_of_a_call(status: str, error: object, outcome: str) -> None:
    [edit] = read("prt_1.json", part(status, error=error))
    assert isinstance(edit, Edit)
    assert (edit.id, edit.outcome, edit.agent_session) == ("call_1", outcome, "ses_1")


def test_an_export_a_part_and_a_row_are_the_same_edit() -> None:
    export = {"info": {"id": "ses_1", "directory": "/w"}, "messages": [{"parts": [part()]}]}
    [of_part] = read("prt_1.json", part())
    [of_export] = read("ses_1.json", export)
    [of_row] = read("opencode.db", part() | {"directory": "/w"})
    assert of_export == of_row
    assert isinstance(of_part, Edit)
    assert of_part.id == of_export.id  # type: ignore[union-attr]
    assert of_part.lines == of_export.lines  # type: ignore[union-attr]


def test_a_part_is_one_edit_however_often_it_is_told() -> None:
    lines = [json.dumps(part()).encode()] * 2
    assert len(list(opencode.read("opencode.db", lines, everything))) == 1


def test_a_time_that_is_missing_is_named_only_where_something_happened() -> None:
    [found] = read("prt_1.json", part(time={}))
    assert isinstance(found, UnreadEvidence)
    assert read("prt_1.json", part("running", time={})) == []


def test_a_broken_row_is_named_and_the_next_is_read() -> None:
    lines = [b"{broken", json.dumps(part()).encode()]
    broken, edit = opencode.read("opencode.db", lines, everything)
    assert isinstance(broken, UnreadEvidence)
    assert broken.line == 1
    assert isinstance(edit, Edit)


def test_only_a_database_with_its_name_and_its_head_is_one() -> None:
    head = b"SQLite format 3\0"
    assert opencode.recognizes(f"data/{'opencode.db'}", head)
    assert not opencode.recognizes("data/other.db", head)
    assert not opencode.recognizes("opencode.db", b"not sqlite")
