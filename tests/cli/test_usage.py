"""``ghapp usage``: a machine's own tokens, as a table and as JSON."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ghapp.cli.usage import command
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
    assert list(found["by_day"]) == ["2026-05-20", "2026-05-21", "2026-06-25"]
    assert found["by_agent"]["codex"]["answers"] == 1
    assert found["unread"] == []


def test_days_select_answers(folder: Path) -> None:
    may = ("--since", "2026-05-21", "--until", "2026-05-21", "--format", "json")
    assert json.loads(run("--records", folder, *may))["tokens"]["output"] == 7
    assert "no day such as" in run("--records", folder, "--since", "yesterday", code=2)


def test_the_table_adds_up(folder: Path) -> None:
    table = run("--records", folder, "--by", "model")
    assert "gpt-5.5" in table
    assert table.splitlines()[-1].split() == ["all", "3", "53", "22", "50", "0", "0"]


def test_an_empty_home_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "Give other records with --records PATH" in run()
    assert json.loads(run("--format", "json"))["answers"] == 0
