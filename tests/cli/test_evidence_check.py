"""What `evidence check` says of the agents' folders on a machine."""

import json
from pathlib import Path

from tests.cases import FIXTURES
from tests.cli.commands import ghapp
from tests.transcripts import write_transcript

ROLLOUT = b'{"type":"session_meta","payload":{"id":"s","cli_version":"0.199.0"}}\n'


def home(tmp_path: Path) -> Path:
    """Make a home with an agent that is read, one that changed its form, and one unread."""
    write_transcript(tmp_path / ".claude/projects/-shop/one.jsonl", "/shop/a.py", "x = first(1)\n")
    for name, text in {
        ".codex/sessions/2026/a.jsonl": ROLLOUT,
        ".local/share/amp/threads/T-1.json": b"{}",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_bytes(text)
    return tmp_path


def test_each_agent_is_named_with_what_is_read_since_when_and_what_is_not(tmp_path: Path) -> None:
    at_home = home(tmp_path)
    done = ghapp("evidence", "check", HOME=str(at_home))
    said = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert f"Claude Code: read, {at_home}/.claude/projects" in said
    assert "1 file, 1 edit, 0 not applied; since 2026-05-19, last 2026-05-19" in said
    assert "Codex, version 0.199.0: 1 file, 0 edits, 0 not applied; no edit" in said
    assert "Passed over, not read as edits: Codex files without an edit or a call (1)." in said
    assert f"amp: not read: no reader takes the records at {at_home}/.local/share/amp" in said
    assert f"Gemini CLI: nothing at {at_home}/.gemini/tmp" in said


def test_the_json_form_says_the_same(tmp_path: Path) -> None:
    done = ghapp("evidence", "check", "--format", "json", HOME=str(home(tmp_path)))
    folders = {one["folder"]: one for one in json.loads(done.stdout)["folders"]}
    codex = folders[str(tmp_path / ".codex/sessions")]
    assert (codex["agent"], codex["is_there"], codex["is_read"]) == ("codex", True, True)
    [found] = codex["found"]
    assert (found["version"], found["files"], found["edits"]) == ("0.199.0", 1, 0)
    assert found["last_at"] is None
    amp = folders[str(tmp_path / ".local/share/amp/threads")]
    assert (amp["agent"], amp["is_there"], amp["is_read"], amp["found"]) == ("amp", True, False, [])


def test_records_of_ones_own_are_counted_where_they_are() -> None:
    case = FIXTURES / "evidence" / "claude_code" / "applied_edit"
    said = ghapp("evidence", "check", case).stdout.decode()
    assert said.startswith(f"Records: read, {case}\n  Claude Code, version ")
    assert "1 file, 1 edit, 0 not applied" in said
