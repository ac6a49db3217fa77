"""Chats of Gemini CLI: a call counts once it has ended, in lines and in one document."""

import json
from typing import Any

import pytest

from ghapp.attribution.model import Edit, UnreadEvidence
from ghapp.evidence import gemini_cli
from ghapp.evidence.source import Found, everything

HEAD = {"sessionId": "mine", "projectHash": "abc"}


def message(status: str, **more: object) -> dict[str, Any]:
    call = {
        "id": "w1",
        "name": "write_file",
        "args": {"file_path": "/w/a.py", "content": "one\n"},
        "status": status,
        **more,
    }
    return {"timestamp": "2026-05-19T10:00:00Z", "toolCalls": [call]}


def read(*messages: dict[str, Any]) -> list[Found]:
    lines = [json.dumps(one).encode() + b"\n" for one in (HEAD, *messages)]
    return list(gemini_cli.read("chat-1.jsonl", lines, everything))


def told(found: list[Found]) -> list[tuple[str, str]]:
    return [(one.agent_session, str(one.outcome)) for one in found if isinstance(one, Edit)]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("success", "applied"), ("error", "failed"), ("cancelled", "refused"), ("new", "unanswered")],
)
def test_a_final_status_is_a_result(status: str, outcome: str) -> None:
    assert told(read(message(status))) == [("mine", outcome)]


def test_a_message_that_grows_is_one_edit() -> None:
    found = read(message("executing"), message("success"), message("success"), message("error"))
    assert told(found) == [("mine", "applied")]


def test_a_document_over_several_lines_is_read_like_lines() -> None:
    chat = json.dumps(HEAD | {"messages": [message("success")]}, indent=1).encode()
    lines = chat.splitlines(keepends=True)
    assert gemini_cli.recognizes("session.json", chat)
    assert list(gemini_cli.read("session.json", lines, everything)) == read(message("success"))


@pytest.mark.parametrize(
    ("name", "before"),
    [("session-2026-03-30T18-39-a1b2c3d4.json", {}), ("full.jsonl", {"lastUpdated": "2026"})],
)
def test_a_long_first_message_hides_no_chat(name: str, before: dict[str, str]) -> None:
    said = {"content": "x" * 70_000, "type": "user"}
    chat = json.dumps({**before, "messages": [said, message("success")], **HEAD}).encode()
    assert gemini_cli.recognizes(name, chat[:65_536])


def test_a_document_that_is_cut_is_named_as_a_whole() -> None:
    lines = [b"{\n", b'"messages": [\n']
    [found] = gemini_cli.read("session.json", lines, everything)
    assert isinstance(found, UnreadEvidence)
    assert (found.source, found.line) == ("session.json", None)


def test_what_was_shown_comes_before_what_was_asked() -> None:
    shown = {"filePath": "/w/b.py", "originalContent": "one\n", "newContent": "one\ntwo\n"}
    [edit] = read(message("success", resultDisplay=shown))
    assert isinstance(edit, Edit)
    assert edit.path == "/w/b.py"
    assert [hunk.own for hunk in edit.lines.hunks] == [("two",)]
