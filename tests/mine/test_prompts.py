"""What a person asked, in one record of each agent; and what of an agent's own is no prompt."""

import json
from typing import Any

import pytest

from ghapp.evidence.registry import SOURCES
from ghapp.mine.prompts import CallMention, PersonPrompt, prompts_and_mentions

AT = "2026-05-20T14:00:00Z"
TEXT = [{"type": "text", "text": "Add vouchers"}]
RESULT = [{"type": "tool_result", "tool_use_id": "t1", "content": "Add vouchers"}, *TEXT]
CLAUDE = {"type": "user", "sessionId": "s1", "timestamp": AT}
QUEUED = {"type": "queued_command", "prompt": "Add vouchers", "commandMode": "prompt"}


def user(content: object, **more: object) -> dict[str, Any]:
    return {"message": {"role": "user", "content": content}, **more}


ASKED: list[tuple[str, dict[str, Any]]] = [
    ("claude_code", user("Add vouchers", **CLAUDE)),
    ("claude_code", user(TEXT, **CLAUDE)),
    ("claude_code", user("<system-reminder>x</system-reminder>Add vouchers", **CLAUDE)),
    ("claude_code", {"type": "attachment", "sessionId": "s1", "attachment": QUEUED}),
    (
        "codex",
        {"type": "event_msg", "payload": {"type": "user_message", "message": "Add vouchers"}},
    ),
    (
        "codex",
        {
            "type": "event_msg",
            "payload": {"type": "item_completed", "item": {"type": "UserMessage", "content": TEXT}},
        },
    ),
    (
        "codex",
        {"type": "response_item", "payload": {"type": "message", "role": "user", "content": TEXT}},
    ),
    ("copilot", {"type": "user.message", "data": {"content": "Add vouchers"}}),
    ("cursor", {"hook_event_name": "beforeSubmitPrompt", "prompt": "Add vouchers"}),
    ("cursor_transcripts", user("<user_query>\nAdd vouchers\n</user_query>", role="user")),
    (
        "droid",
        user(
            [{"type": "text", "text": "<system-reminder>x</system-reminder>"}, *TEXT],
            type="message",
        ),
    ),
    ("kimi", {"type": "turn.prompt", "input": TEXT, "origin": {"kind": "user"}}),
    ("kimi", {"message": {"type": "TurnBegin", "payload": {"user_input": "Add vouchers"}}}),
    ("pi", user(TEXT, type="message")),
    ("qwen", {"type": "user", "message": {"role": "user", "parts": [{"text": "Add vouchers"}]}}),
    ("cline", {"role": "user", "content": "<task>\nAdd vouchers\n</task>\n<x>"}),
    ("cline", {"role": "user", "content": TEXT}),
    ("gemini_cli", {"type": "user", "content": [{"text": "Add vouchers"}]}),
    ("gemini_cli", {"messages": [{"type": "user", "content": "Add vouchers"}]}),
    ("opencode", {"messages": [{"info": {"role": "user"}, "parts": TEXT}]}),
    ("opencode", {"type": "user", "text": "Add vouchers"}),
    (
        "antigravity",
        {
            "source": "USER_EXPLICIT",
            "type": "USER_INPUT",
            "content": "<USER_REQUEST>\nAdd vouchers\n</USER_REQUEST>\n<OTHER>",
        },
    ),
]
NOT_ASKED: list[tuple[str, dict[str, Any]]] = [
    ("claude_code", user(RESULT, **CLAUDE)),
    ("claude_code", user("x", isMeta=True, **CLAUDE)),
    ("claude_code", user("x", isSidechain=True, **CLAUDE)),
    ("claude_code", user("x", origin={"kind": "task-notification"}, **CLAUDE)),
    ("claude_code", user("[Request interrupted by user]", **CLAUDE)),
    ("claude_code", {"type": "progress", "data": {"message": user("x", type="user")}}),
    ("claude_code", {"type": "attachment", "attachment": {**QUEUED, "commandMode": "other"}}),
    (
        "codex",
        {
            "type": "response_item",
            "payload": {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "<environment_context>\n<cwd>/"}],
            },
        },
    ),
    ("copilot", {"type": "assistant.message", "data": {"content": "x"}}),
    ("droid", user(RESULT, type="message")),
    ("pi", {"type": "message", "message": {"role": "toolResult", "content": TEXT}}),
    ("qwen", {"type": "user", "message": {"parts": [{"functionResponse": {"id": "c"}}]}}),
    ("cline", {"role": "user", "content": [{"type": "text", "text": "[write_to_file] Result:\n"}]}),
    ("cline", {"role": "user", "content": RESULT}),
    ("kimi", {"type": "turn.prompt", "input": TEXT, "origin": {"kind": "task"}}),
    ("gemini_cli", {"type": "gemini", "content": "x"}),
    (
        "antigravity",
        {
            "source": "USER_EXPLICIT",
            "type": "USER_INPUT",
            "content": "The following changes were made by the USER to: /w/a.py",
        },
    ),
]


def told(source: str, *records: object, ids: frozenset[str] = frozenset()) -> list[object]:
    lines = [json.dumps(one).encode() + b"\n" for one in records]
    return list(prompts_and_mentions(source, lines, ids))


@pytest.mark.parametrize(("source", "record"), ASKED)
def test_what_a_person_asked_is_read(source: str, record: dict[str, Any]) -> None:
    assert [one.text for one in told(source, record) if isinstance(one, PersonPrompt)] == [
        "Add vouchers"
    ]


def test_every_source_of_evidence_has_its_prompts() -> None:
    assert {source for source, _ in ASKED} == set(SOURCES)


@pytest.mark.parametrize(("source", "record"), NOT_ASKED)
def test_what_an_agent_adds_or_a_tool_answers_is_no_prompt(
    source: str, record: dict[str, Any]
) -> None:
    assert told(source, record) == []


def test_calls_are_named_in_their_order_with_the_time_of_their_record() -> None:
    call = {"timestamp": AT, "content": [{"id": "t1"}]}
    (prompt, mention) = told(
        "claude_code", user("Add", **CLAUDE), call, ids=frozenset({"t1", "other"})
    )
    assert isinstance(prompt, PersonPrompt)
    assert prompt.at is not None
    assert mention == CallMention("t1", prompt.at)


def test_a_document_over_many_lines_is_read_whole_and_what_is_no_json_is_passed_over() -> None:
    members = {"empty": [{}, []], "messages": [{"type": "user", "content": "Add"}]}
    text = json.dumps(members, indent=1)
    lines = text.encode().splitlines(keepends=True)
    assert list(prompts_and_mentions("gemini_cli", lines, frozenset())) == [
        PersonPrompt("Add", None)
    ]
    assert told("gemini_cli", None, 7, "text", []) == []
    deep = b"[" * 100_000
    assert list(prompts_and_mentions("gemini_cli", [b"{torn", deep], frozenset())) == []
    whole = json.dumps({"type": "user.message", "data": {"content": "Add"}}).encode()
    found = list(prompts_and_mentions("copilot", [b"{torn\n", deep, whole], frozenset()))
    assert found == [PersonPrompt("Add", None)]


def test_a_slash_command_is_shown_as_it_was_typed() -> None:
    text = "<command-message>fix</command-message><command-name>/fix</command-name>"
    (found,) = told("claude_code", user(f"{text}<command-args>it</command-args>", **CLAUDE))
    assert isinstance(found, PersonPrompt)
    assert found.text == "/fix it"
