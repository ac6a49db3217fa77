"""Which source reads a file, and that no two claim the same one."""

import pytest

from ghapp.evidence.registry import SOURCES, source_of
from tests.cases import FIXTURES

TRANSCRIPT = b'{"type":"user","sessionId":"1","parentUuid":null}\n'


@pytest.mark.parametrize(
    ("name", "head", "source"),
    [
        ("t.jsonl", TRANSCRIPT, "claude_code"),
        ("r.jsonl", b'{"type":"session_meta","payload":{}}\n', "codex"),
        ("events.jsonl", b'{"type":"session.start","data":{}}\n', "copilot"),
        (
            "edits.jsonl",
            b'{"hook_event_name":"afterFileEdit","conversation_id":"1","workspace_roots":[]}\n',
            "cursor",
        ),
        ("chat.jsonl", b'{"sessionId":"1","projectHash":"a"}\n', "gemini_cli"),
        ("x.json", b'{"info": {"id": "ses_1"}, "messages": []}', "opencode"),
        ("x.json", b'{"messages": [], "info": {}, "a": {"sessionID": "ses_1"}}', "opencode"),
        ("opencode-next.db", b"SQLite format 3\x00", "opencode"),
        ("full.jsonl", b'{\n "kind": "main",\n "messages": [{"type": "gemini"}]', "gemini_cli"),
        (
            "transcript.jsonl",
            b'{"step_index":0,"source":"MODEL","created_at":"2026-09-10T10:00:00Z"}\n',
            "antigravity",
        ),
        ("r.jsonl", b'{"torn\n{"type":"event_msg","payload":{}}\n', "codex"),
    ],
)
def test_a_file_is_known_by_its_head(name: str, head: bytes, source: str) -> None:
    found = source_of(name, head)
    assert found is SOURCES[source]
    assert [one for one in SOURCES.values() if one.recognizes(name, head)] == [found]


@pytest.mark.parametrize(
    "head",
    [
        *(b"", b"\n", b"{}", b"[]\n", b"\xff\xfe{", b"# Notes\n", b"null"),
        b'{"type":"pageview","sessionId":"q","url":"/"}\n',
        b'{"type":"user.created","data":{},"id":"e","specversion":"1.0"}\n',
        b'{"type":"session.completed","data":{"object":{}},"id":"evt_1"}\n',
        b'{"messages":[{"role":"user","content":"x"}]}\n',
        b'{"role":"user","content":"x"}\n',
        # what agents print, which holds no outcome in the form of their records
        b'{"type":"system","subtype":"init","cwd":"/h","session_id":"s","tools":["Read"]}\n',
        b'{"type":"tool_call","id":"c","toolName":"Edit","parameters":{},"session_id":"s"}\n',
        b'{"type":"thread.started","thread_id":"t"}\n',
    ],
)
def test_what_no_agent_wrote_is_nobodys(head: bytes) -> None:
    assert source_of("notes.json", head) is None


def test_a_source_is_called_like_its_module_and_its_cases() -> None:
    for name, source in SOURCES.items():
        assert source.__name__ == f"ghapp.evidence.{name}"  # type: ignore[attr-defined]
        assert (FIXTURES / "evidence" / name).is_dir()
