"""Who decided on an edit: only where the records say it, in the shapes of each agent."""

import json
from typing import Any

import pytest

from ghapp.attribution.model import DecidedBy, Edit, EditDecider
from ghapp.evidence import claude_code, codex, copilot, gemini_cli, opencode, qwen
from ghapp.evidence.deciders import refused_by
from ghapp.evidence.source import EvidenceSource, everything
from tests.evidence.test_codex import CALL, end, output
from tests.evidence.test_codex import record as of_codex

AT = "2026-05-20T10:00:00Z"
CWD = "/home/ann/shop"


def told(source: EvidenceSource, name: str, *records: Any) -> tuple[str, DecidedBy | None]:
    """Return the outcome of the only edit, and who decided on it."""
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in records]
    found = list(source.read(name, lines, everything))
    [edit] = [one for one in found if isinstance(one, Edit)]
    deciders = [one for one in found if isinstance(one, EditDecider)]
    assert all((one.edit, one.path) == (edit.id, edit.path) for one in deciders)
    return edit.outcome.value, deciders[0].by if deciders else None


def claude(result: dict[str, Any], path: str = f"{CWD}/a.py", **prompt: Any) -> list[Any]:
    shared = {"sessionId": "s1", "cwd": CWD, "timestamp": AT}
    call = {"type": "tool_use", "id": "t1", "name": "Write"}
    call["input"] = {"file_path": path, "content": "one\n"}
    block = {"type": "tool_result", "tool_use_id": "t1", **result.pop("block", {})}
    return [
        {"type": "user", "message": {"role": "user", "content": "go"}, **shared, **prompt},
        {"type": "assistant", "message": {"content": [call]}, "uuid": "u1", **shared},
        {"type": "user", "message": {"content": [block]}, **shared, **result},
    ]


WRITTEN = {"toolUseResult": {"type": "create"}}


@pytest.mark.parametrize(
    ("mode", "path", "by"),
    [
        ("default", f"{CWD}/a.py", None),
        ("plan", f"{CWD}/a.py", None),
        ("bypassPermissions", "/etc/hosts", "automatic"),
        ("auto", f"{CWD}/a.py", "automatic"),
        ("acceptEdits", f"{CWD}/a.py", "automatic"),
        ("acceptEdits", "/etc/hosts", None),
        ("acceptEdits", f"{CWD}/.claude/settings.json", None),
        (7, f"{CWD}/a.py", None),
    ],
)
def test_only_a_mode_that_asks_nobody_says_who_accepted(
    mode: object, path: str, by: str | None
) -> None:
    records = claude({**WRITTEN}, path, permissionMode=mode)
    assert told(claude_code, "s1.jsonl", *records) == ("applied", by)


def test_who_changed_the_proposal_accepted_it() -> None:
    changed = {"toolUseResult": {"type": "create", "userModified": True}}
    records = claude(changed, permissionMode="acceptEdits")
    assert told(claude_code, "s1.jsonl", *records) == ("applied", "person")


REFUSAL = "The user doesn't want to proceed with this tool use."


@pytest.mark.parametrize(
    ("prose", "kind", "outcome", "by"),
    [
        (REFUSAL, None, "refused", "person"),
        (REFUSAL, "user-rejected", "refused", "person"),
        (REFUSAL, "interrupted", "interrupted", None),
        (REFUSAL, "cancelled", "interrupted", None),
        ("no", "permission-rule", "refused", "automatic"),
        ("no", "automode-blocked", "refused", "automatic"),
        ("no", "something-new", "refused", None),
        ("no", {"kind": "user-rejected"}, "refused", None),
        ("Permission to use Write has been denied.", None, "refused", "automatic"),
        ("Claude requested permissions to write to /a, but", None, "refused", "automatic"),
        ("PreToolUse:Write hook error: [guard.sh]: no", None, "refused", "automatic"),
        ("File has not been read yet.", None, "failed", None),
    ],
)
def test_a_refusal_says_who_refused(prose: str, kind: object, outcome: str, by: str | None) -> None:
    result = {"block": {"is_error": True, "content": prose}, "toolDenialKind": kind}
    assert told(claude_code, "s1.jsonl", *claude(result)) == (outcome, by)


DONE = output("Success. Updated the following files:\nA a.py")


@pytest.mark.parametrize(
    ("policy", "begin", "ended", "outcome", "by"),
    [
        ("never", None, DONE, "applied", "automatic"),
        ("on-request", None, DONE, "applied", None),
        ("on-request", True, DONE, "applied", "automatic"),
        ("never", False, DONE, "applied", "person"),
        (
            "on-request",
            None,
            end(success=False, stderr="patch rejected by user"),
            "refused",
            "person",
        ),
        (
            "never",
            None,
            output(
                "patch rejected: writing outside of the project; rejected by user approval settings"
            ),
            "refused",
            "automatic",
        ),
        ("never", None, output("no such line"), "failed", None),
    ],
)
def test_codex_says_when_nobody_is_asked(
    policy: str, *, begin: bool | None, ended: bytes, outcome: str, by: str | None
) -> None:
    turn = of_codex("turn_context", approval_policy=policy)
    began = of_codex("event_msg", type="patch_apply_begin", call_id="c1", auto_approved=begin)
    assert told(codex, "rollout-7.jsonl", turn, CALL, began, ended) == (outcome, by)


def gemini(status: str, error: str | None, **given: Any) -> dict[str, Any]:
    call = {"id": "w1", "name": "write_file", "status": status, "timestamp": AT}
    call["args"] = {"file_path": "/w/a.py", "content": "one\n", **given}
    call["result"] = [{"functionResponse": {"id": "w1", "response": {"error": error}}}]
    return {"sessionId": "s", "id": "m", "timestamp": AT, "type": "gemini", "toolCalls": [call]}


DENIED = "[Operation Cancelled] Reason: User did not allow tool call"


@pytest.mark.parametrize(
    ("record", "outcome", "by"),
    [
        (gemini("success", None), "applied", None),
        (gemini("success", None, modified_by_user=True), "applied", "person"),
        (gemini("cancelled", DENIED), "refused", "person"),
        (gemini("cancelled", "Operation cancelled"), "refused", None),
        (gemini("error", "Tool execution denied by policy."), "refused", "automatic"),
        (gemini("error", "no such directory"), "failed", None),
    ],
)
def test_gemini_says_who_refused(record: dict[str, Any], outcome: str, by: str | None) -> None:
    assert told(gemini_cli, "session-1.jsonl", record) == (outcome, by)


@pytest.mark.parametrize(
    ("error", "outcome", "by"),
    [
        ("The user rejected permission to use this specific tool call.", "refused", None),
        (
            "The user rejected permission to use this tool call with the following feedback: no",
            "refused",
            "person",
        ),
        (
            "The user has specified a rule which prevents you from using this specific tool call.",
            "refused",
            "automatic",
        ),
        ("oldString not found", "failed", None),
    ],
)
def test_opencode_says_the_same_of_a_person_and_of_nobody(
    error: str, outcome: str, by: str | None
) -> None:
    state = {"status": "error", "error": error, "time": {"end": 1777885200000}}
    state["input"] = {"filePath": "/w/a.py", "content": "one\n"}
    part = {"id": "prt_1", "sessionID": "ses_1", "type": "tool", "callID": "c1", "tool": "write"}
    assert told(opencode, "prt_1.json", part | {"state": state}) == (outcome, by)


@pytest.mark.parametrize(
    ("kind", "success", "outcome", "by"),
    [
        ("denied-interactively-by-user", False, "refused", "person"),
        ("denied-by-rules", False, "refused", "automatic"),
        ("denied-by-something-new", False, "refused", None),
        ("approved", True, "applied", None),
        ({}, True, "applied", None),
    ],
)
def test_copilot_says_who_refused(
    kind: object, *, success: bool, outcome: str, by: str | None
) -> None:
    arguments = {"path": "/w/a.py", "file_text": "one\n"}
    error = {} if success else {"error": {"message": "permission denied"}}
    told_of = {
        "tool.execution_start": {"toolName": "create", "arguments": arguments},
        "permission.completed": {"result": {"kind": kind}},
        "tool.execution_complete": {"success": success, **error},
    }
    events = [
        {"type": type_, "timestamp": AT, "data": {"toolCallId": "c1", **data}}
        for type_, data in told_of.items()
    ]
    assert told(copilot, "s/events.jsonl", *events) == (outcome, by)


def test_qwen_says_who_refused_and_who_changed() -> None:
    shared = {"sessionId": "s", "timestamp": AT}
    args = {"file_path": "/w/a.py", "content": "one\n"}
    call = {"functionCall": {"id": "c1", "name": "write_file", "args": args}}
    asked = {"type": "assistant", "message": {"role": "model", "parts": [call]}, **shared}

    def answered(status: str, error: str | None, **shown: Any) -> dict[str, Any]:
        response = {"functionResponse": {"id": "c1", "response": {"error": error} if error else {}}}
        result = {"callId": "c1", "status": status, "resultDisplay": shown}
        message = {"role": "user", "parts": [response]}
        return {"type": "tool_result", "message": message, "toolCallResult": result, **shared}

    changed = {"diffStat": {"user_added_lines": 1, "user_removed_lines": 0}}
    assert told(qwen, "s.jsonl", asked, answered("cancelled", DENIED)) == ("refused", "person")
    assert told(qwen, "s.jsonl", asked, answered("success", None, **changed))[1] == "person"
    assert told(qwen, "s.jsonl", asked, answered("success", None)) == ("applied", None)


@pytest.mark.parametrize(
    ("prose", "by"),
    [
        ("The user denied this operation.", "person"),
        ("exec command rejected by user", "person"),
        ("rejected by user approval settings", "automatic"),
        ("Permission denied", None),
        ("the superuser rejectedly", None),
    ],
)
def test_words_that_say_who_refused(prose: str, by: str | None) -> None:
    assert refused_by(prose) == by
