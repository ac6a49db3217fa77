"""``ghapp usage``: a machine's own tokens and decided edits, as tables and as JSON."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ghapp.cli.usage import PARTS, command
from ghapp.spend.prices import packaged
from tests.evidence.test_deciders import REFUSAL, WRITTEN, claude
from tests.usage.test_claude_code import line
from tests.usage.test_codex import MODEL, counted, meta


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    first, later = {"output_tokens": 5, "input_tokens": 3}, {"output_tokens": 7}
    other = line(later, message={"id": "msg_2"}, timestamp="2026-05-21T12:00:00Z")
    (tmp_path / "a.jsonl").write_bytes(line(first) + line(first) + other)
    (tmp_path / "r.jsonl").write_bytes(meta("a") + MODEL + counted(100, 100))
    return tmp_path


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(command, [str(one) for one in arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_json_has_the_whole_and_its_parts(folder: Path) -> None:
    found = json.loads(run("--records", folder, "--format", "json"))
    assert (found["records"], found["answers"]) == (4, 3)
    assert found["tokens"] == {
        "input": 53,
        "output": 22,
        "cache_read": 50,
        "cache_write_5m": 0,
        "cache_write_1h": 0,
        "reasoning": 4,
    }
    assert found["by_model"]["claude-sonnet-5"]["tokens"]["output"] == 12
    assert found["cost"] == {"micro_dollars": 701, "is_floor": False, "unpriced_tokens": 0}
    assert found["by_model"]["claude-sonnet-5"]["cost"]["micro_dollars"] == 3 * 2 + 12 * 10
    assert (found["cost_basis"], found["price_table"]) == ("list", packaged().version)
    assert list(found["by_day"]) == ["2026-05-20", "2026-05-21", "2026-06-25"]
    assert found["by_agent"]["codex"]["answers"] == 1
    assert (found["unread"], found["passed_over"]) == ([], [])


def test_a_model_without_a_price_is_not_free(tmp_path: Path) -> None:
    used = {"output_tokens": 5, "input_tokens": 3}
    (tmp_path / "a.jsonl").write_bytes(line(used, message={"model": "made-up"}))
    found = json.loads(run("--records", tmp_path, "--format", "json"))
    assert found["cost"] == {"micro_dollars": None, "is_floor": False, "unpriced_tokens": 8}
    assert "unknown" in run("--records", tmp_path)


def test_days_select_answers(folder: Path) -> None:
    may = ("--since", "2026-05-21", "--until", "2026-05-21", "--format", "json")
    assert json.loads(run("--records", folder, *may))["tokens"]["output"] == 7
    assert "no day such as" in run("--records", folder, "--since", "yesterday", code=2)


def test_the_table_adds_up(folder: Path) -> None:
    table = run("--records", folder, "--by", "model")
    assert "gpt-5.5" in table
    tokens, costs = (one.split() for one in table.splitlines() if one.startswith("all"))
    assert tokens == ["all", "3", "53", "22", "50", "0"]
    assert costs == ["all", "$0.0007", "0"]


def edits(folder: Path) -> None:
    """Write an edit in each of two modes, and one that a person refused."""
    refused = {"block": {"is_error": True, "content": REFUSAL}}
    told = [({**WRITTEN}, "acceptEdits"), ({**WRITTEN}, "default"), (refused, "default")]
    for number, (result, mode) in enumerate(told):
        records = claude(result, permissionMode=mode, sessionId=f"s{number}")
        text = "".join(json.dumps(one) + "\n" for one in records)
        text = text.replace('"t1"', f'"call_{number}"').replace('"s1"', f'"s{number}"')
        (folder / f"{number}.jsonl").write_text(text, encoding="utf-8")


def test_json_has_decided_edits_and_who_decided(tmp_path: Path) -> None:
    edits(tmp_path)
    found = json.loads(run("--records", tmp_path, "--format", "json"))
    assert found["edits"] == {
        "accepted": {"person": 0, "automatic": 1, "unknown": 1},
        "refused": {"person": 1, "automatic": 0, "unknown": 0},
        "failed": 0,
        "lines": 2,
        "lines_suggested": 3,
        "people_accept_rate": {"at_least": 0.0, "at_most": 0.5},
    }
    assert set(found["by_agent_session"]) == {"s0", "s1", "s2"}
    assert found["by_day"]["2026-05-20"]["edits"] == found["edits"]


def test_the_tables_of_edits_tell_people_from_settings(tmp_path: Path) -> None:
    edits(tmp_path)
    shown = run("--records", tmp_path)
    rows = [row.split() for row in shown.splitlines()]
    assert ["all", "2", "1", "0", "2"] in rows
    assert ["by", "a", "setting,", "hook", "or", "mode", "1", "0"] in rows
    assert "People's accept rate is between 0% and 50%" in shown


def test_no_line_is_wider_than_80_columns(tmp_path: Path, folder: Path) -> None:
    edits(tmp_path)
    project = "/home/ann/" + "a-long-name/" * 12
    huge = {"input_tokens": 999_999_999, "output_tokens": 10**9, "cache_read_input_tokens": 10**9}
    session = "5f0c7d1e-2b3a-4c4d-8e5f-60718293a4b5"
    (tmp_path / "big.jsonl").write_bytes(line(huge, cwd=project, sessionId=session))
    for part in PARTS:
        shown = run("--records", tmp_path, "--records", folder, "--by", part).splitlines()
        assert max(map(len, shown)) <= 80, part
        assert "…" not in "".join(shown)


def test_what_was_seen_and_not_counted_is_named(tmp_path: Path) -> None:
    start = {"type": "session_start", "id": "s", "title": "t", "owner": "ann", "cwd": "/w"}
    (tmp_path / "s.jsonl").write_text(json.dumps(start) + "\n", encoding="utf-8")
    (tmp_path / "a.jsonl").write_bytes(line({"output_tokens": -5}))
    said = run("--records", tmp_path)
    assert "Droid files whose tokens nobody reads (1)" in said
    assert "Claude Code answers with impossible token counts (1)" in said
    found = json.loads(run("--records", tmp_path, "--format", "json"))
    assert {one["what"]: one["count"] for one in found["passed_over"]} == {
        "files whose tokens nobody reads": 1,
        "answers with impossible token counts": 1,
    }


def test_homes_of_agents_that_nobody_reads_are_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    threads = tmp_path / ".local" / "share" / "amp" / "threads"
    threads.mkdir(parents=True)
    (threads / "T-1.json").write_text("{}", encoding="utf-8")
    assert "amp files that no reader recognizes (1)" in run()


def test_damaged_records_are_named_and_end_the_command_with_a_status(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(line({"output_tokens": 5}) + b"{broken\n")
    said = run("--records", tmp_path, code=1)
    assert "a.jsonl:2: not a record that can be read" in said
    assert "all" in said


def test_an_empty_home_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "Give other records with --records PATH" in run()
    assert json.loads(run("--format", "json"))["answers"] == 0
