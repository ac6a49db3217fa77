"""What `evidence preview` shows of transcripts, for people and for programs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cases import FIXTURES
from tests.cli.commands import ghapp
from tests.transcripts import write_transcript

CONTENT = "def monthly_totals(orders):\n    return collect_by_month(orders, key=order_month)\n"


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    write_transcript(folder / "one.jsonl", "/home/dev/shop/src/totals.py", CONTENT)
    write_transcript(folder / "two.jsonl", "/home/dev/other/notes.py", CONTENT)
    return folder


def test_preview_shows_path_time_agent_counts_and_fingerprints(evidence: Path) -> None:
    done = ghapp("evidence", "preview", evidence, "--root", "/home/dev/shop")
    shown = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert "2026-05-19 10:00 UTC  src/totals.py" in shown
    assert "claude-code Write, applied, toolu_one" in shown
    assert "lines: 2 own, 0 beside them, 0 replaced" in shown
    fingerprint = r"^    own       [0-9a-f]{16} ( [0-9a-f]{10})+$"
    assert len(re.findall(fingerprint, shown, re.MULTILINE)) == 2
    assert shown.endswith("1 edit(s) would be stored\n")


def test_preview_shows_no_line_of_code_and_nothing_outside_of_the_roots(evidence: Path) -> None:
    shown = ghapp("evidence", "preview", evidence, "--root", "/home/dev/shop").stdout.decode()
    for word in ("monthly", "collect_by_month", "notes.py", "/home/dev"):
        assert word not in shown


def test_preview_without_roots_shows_everything(evidence: Path) -> None:
    shown = ghapp("evidence", "preview", evidence, "--counts").stdout.decode()
    assert "/home/dev/shop/src/totals.py" in shown
    assert "/home/dev/other/notes.py" in shown
    assert "    own" not in shown


def test_preview_of_one_file(evidence: Path) -> None:
    shown = ghapp("evidence", "preview", evidence / "two.jsonl").stdout.decode()
    assert shown.endswith("1 edit(s) would be stored\n")


def test_preview_names_what_cannot_be_read() -> None:
    case = FIXTURES / "audits" / "broken_transcript_line"
    done = ghapp("evidence", "preview", case / "evidence")
    [transcript] = case.glob("evidence/*/*.jsonl")
    assert done.returncode == 1
    assert done.stderr.decode().startswith(f"{transcript}:3: ")


# --- the form for programs ----------------------------------------------------------------------


def as_json(*given: object) -> dict[str, Any]:
    done = ghapp("evidence", "preview", *given, "--format", "json")
    found: dict[str, Any] = json.loads(done.stdout)
    assert list(found) == ["edits", "unread", "passed_over"]
    return found


def test_the_json_form_names_each_edit(evidence: Path) -> None:
    assert as_json(evidence / "one.jsonl") == {
        "edits": [
            {
                "agent": "claude-code",
                "version": None,
                "model": None,
                "agent_session": "one",
                "id": "toolu_one",
                "tool": "Write",
                "path": "/home/dev/shop/src/totals.py",
                "at": "2026-05-19T10:00:00Z",
                "outcome": "applied",
                "own": 2,
            }
        ],
        "unread": [],
        "passed_over": [],
    }


def test_the_json_form_prints_lines_only_if_asked(evidence: Path) -> None:
    [edit] = as_json(evidence / "one.jsonl", "--lines")["edits"]
    assert edit["lines"] == CONTENT.splitlines()
    refused = ghapp("evidence", "preview", evidence, "--lines")
    assert (refused.returncode, refused.stdout) == (2, b"")


def test_the_json_form_without_any_edit(tmp_path: Path) -> None:
    assert as_json(tmp_path) == {"edits": [], "unread": [], "passed_over": []}


def test_the_json_form_names_what_cannot_be_read() -> None:
    case = FIXTURES / "audits" / "broken_transcript_line"
    [transcript] = case.glob("evidence/*/*.jsonl")
    [unread] = as_json(case / "evidence")["unread"]
    assert (unread["path"], unread["line"]) == (str(transcript), 3)
    assert "the record is skipped" in unread["problem"]


def test_half_a_surrogate_pair_does_not_stop_the_json_form(evidence: Path) -> None:
    whole = (evidence / "one.jsonl").read_text()
    (evidence / "one.jsonl").write_text(whole.replace("toolu_one", "toolu_\\ud83d"))
    [edit] = as_json(evidence / "one.jsonl", "--lines")["edits"]
    assert edit["own"] == 2


# --- what is passed over ------------------------------------------------------------------------


def test_a_copy_of_an_agent_session_is_one_edit_and_another_call_with_its_id_is_two(
    evidence: Path,
) -> None:
    whole = (evidence / "one.jsonl").read_text()
    (evidence / "fork.jsonl").write_text(whole.replace('"sessionId": "one"', '"sessionId": "fork"'))
    (evidence / "other.jsonl").write_text(whole.replace("collect_by_month", "collect_by_year"))
    found = as_json(evidence, "--root", "/home/dev/shop")
    assert [(edit["id"], edit["path"]) for edit in found["edits"]] == [
        ("toolu_one", "src/totals.py"),
        ("toolu_one", "src/totals.py"),
    ]


def test_edits_outside_the_roots_are_counted(evidence: Path) -> None:
    found = as_json(evidence, "--root", "/home/dev/shop")
    outside = {"agent": "claude-code", "what": "edits outside the roots", "count": 1}
    assert found["passed_over"] == [outside]


def test_files_that_nobody_reads_are_counted_with_their_agent(tmp_path: Path) -> None:
    for name in (".codex/sessions/a.jsonl", ".amp/b.jsonl", ".kiro/sessions/cli/c.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text('{"shape": "that nobody knows"}\n')
    (tmp_path / "empty.jsonl").touch()
    what = "files that no reader recognizes"
    assert as_json(tmp_path)["passed_over"] == [
        {"agent": agent, "what": what, "count": 1} for agent in (None, "codex", "kiro")
    ]
    shown = ghapp("evidence", "preview", tmp_path).stdout.decode()
    assert f"Passed over, not read as edits: {what} (1), Codex {what} (1)" in shown


def test_a_file_without_an_edit_is_counted(tmp_path: Path) -> None:
    record = {"type": "user", "sessionId": "one", "message": {"role": "user", "content": "hello"}}
    (tmp_path / "one.jsonl").write_text(json.dumps(record) + "\n")
    [said] = as_json(tmp_path)["passed_over"]
    assert said == {"agent": "claude-code", "what": "files without an edit or a call", "count": 1}
