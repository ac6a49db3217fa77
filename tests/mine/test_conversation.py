"""The request that led to an edit: of each agent, of subagents, and where it is unknown."""

import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from ghapp.attribution.model import Edit
from ghapp.ingest.artifacts import find_evidence
from ghapp.mine.conversation import request_of
from tests.cases import FIXTURES
from tests.mine.day import PROMPT, SESSION, transcript

CASES = {
    "antigravity/new_files": "make it",
    "claude_code/result_before_call": "Go on.",
    "cline/command_line": "go",
    "cline/native_calls": "go",
    "codex/patch_end_event": "please",
    "copilot/edit_with_diff": "please",
    "cursor_transcripts/turns": "go",
    "droid/each_tool": "go",
    "gemini_cli/lines_with_snapshots": "Go.",
    "gemini_cli/members_sorted": "make a note",
    "opencode/export": "please",
    "qwen/edit_and_write": "go",
}


def edits(*folders: Path) -> list[Edit]:
    return [one for one in find_evidence(folders) if isinstance(one, Edit)]


@pytest.mark.parametrize("name", CASES)
def test_the_request_is_found_in_each_agents_records(name: str) -> None:
    folder = FIXTURES / "evidence" / name
    found = [request_of(one, [folder]) for one in edits(folder)]
    assert {one.prompt and one.prompt.text for one in found} == {CASES[name]}
    assert all(one.transcript and not one.unknown for one in found)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("cursor/after_file_edit", "Cursor's hooks"),
        ("copilot/apply_patch", "hold no request"),
        ("opencode/single_part", "a file of its own"),
    ],
)
def test_where_records_hold_no_request_it_is_said_why(name: str, why: str) -> None:
    folder = FIXTURES / "evidence" / name
    found = request_of(edits(folder)[0], [folder])
    assert found.prompt is None
    assert why in str(found.unknown)


def test_the_last_request_before_the_call_counts_and_none_after_it(tmp_path: Path) -> None:
    path = transcript(tmp_path, tmp_path / "a.py")
    (edit,) = edits(path)
    found = request_of(edit, [tmp_path])
    assert found.prompt is not None
    assert (found.prompt.text, found.transcript, found.unknown) == (PROMPT, str(path), None)
    gone = request_of(replace(edit, id="toolu_other", agent_session="other"), [tmp_path])
    assert (gone.prompt, gone.transcript) == (None, None)


def test_a_subagents_request_is_that_of_its_agent_session(tmp_path: Path) -> None:
    own = transcript(tmp_path, tmp_path / "a.py")
    below = tmp_path / SESSION / "subagents"
    aside = transcript(below, tmp_path / "b.py", is_aside=True).rename(below / "agent-a1.jsonl")
    (edit,) = edits(aside)
    found = request_of(edit, [tmp_path])
    assert found.prompt is not None
    assert (found.prompt.text, found.transcript) == (PROMPT, str(own))
    own.unlink()
    assert "a subagent made this edit" in str(request_of(edit, [tmp_path]).unknown)


def test_opencodes_database_is_asked_for_the_conversation(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    state = (
        '{"status":"completed","input":{"filePath":"/w/a.py","content":"one = 1\\n"},'
        '"time":{"start":1779285600000,"end":1779285601000},"metadata":{}}'
    )
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE session (id TEXT, directory TEXT)")
        database.execute("CREATE TABLE message (id TEXT, session_id TEXT, data TEXT)")
        database.execute("CREATE TABLE part (id TEXT, message_id TEXT, session_id TEXT, data TEXT)")
        for id_, role in (("m1", "user"), ("m2", "assistant"), ("m3", "user")):
            row = (id_, "s1", f'{{"role":"{role}"}}')
            database.execute("INSERT INTO message VALUES (?, ?, ?)", row)
        call = f'{{"type":"tool","tool":"write","callID":"c1","state":{state}}}'
        for id_, message, data in (
            ("p1", "m1", '{"type":"text","text":"Write a file"}'),
            ("p2", "m2", call),
            ("p3", "m3", '{"type":"text","text":"Thanks"}'),
        ):
            row = (id_, message, "s1", data)
            database.execute("INSERT INTO part VALUES (?, ?, ?, ?)", row)
    database.close()
    (edit,) = edits(path)
    found = request_of(edit, [tmp_path])
    assert found.prompt is not None
    assert found.prompt.text == "Write a file"
