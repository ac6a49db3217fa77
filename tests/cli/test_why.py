"""``ghapp why``: what a person and what an editor is told, and wrong use."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import ghapp
from tests.mine.day import CODE, PROMPT, OwnDay


@pytest.fixture
def day(tmp_path: Path) -> OwnDay:
    return OwnDay(tmp_path)


def told(day: OwnDay, place: str, *more: str, status: int = 0) -> str:
    done = ghapp("why", place, *more, cwd=day.shop.path, HOME=str(day.shop.path.parent))
    assert done.returncode == status, done.stderr
    return (done.stdout if status == 0 else done.stderr).decode()


def test_a_person_is_told_the_edit_and_the_request(day: OwnDay) -> None:
    said = told(day, "src/totals.py:2")
    assert "An agent's edit wrote this line." in said
    assert PROMPT in said
    assert "claude-opus-4-5" in said
    assert str(day.transcript) in said


def test_what_was_read_is_said_where_no_agent_wrote_it(day: OwnDay) -> None:
    day.shop.commit({"src/totals.py": CODE + "\n# nobody's line, of no agent at all\n"}, "By hand")
    said = told(day, "src/totals.py:7")
    assert "No edit of an agent on this machine wrote this line." in said
    assert "Read: 1 folder of transcripts; 1 edit of this repository" in said


def test_an_editor_gets_one_object(day: OwnDay) -> None:
    found = json.loads(told(day, str(day.file) + ":2", "--format", "json"))
    assert (found["answer"], found["line"], found["request"]["text"]) == ("agent", 2, PROMPT)
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text("utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| `why` |"))
    assert all(f"`{member}`" in row for member in found)


def test_a_link_is_asked_for_as_the_file_behind_it(day: OwnDay) -> None:
    (day.shop.path / "link.py").symlink_to("src/totals.py")
    assert told(day, "link.py:2").startswith("src/totals.py:2\n")


def test_a_long_request_is_cut_and_one_that_is_unknown_is_said(day: OwnDay) -> None:
    long = "\\n".join(["a line of it"] * 60)
    text = day.transcript.read_text()
    day.transcript.write_text(text.replace(PROMPT, long))
    assert "and 35 more lines" in told(day, "src/totals.py:2")
    day.transcript.write_text("".join(text.splitlines(keepends=True)[1:3]))
    assert "led to this edit is unknown: its records hold no" in told(day, "src/totals.py:2")


def test_nothing_is_kept_of_a_request(day: OwnDay) -> None:
    before = {path for path in day.shop.path.parent.rglob("*") if ".git" not in path.parts}
    told(day, "src/totals.py:2")
    assert {path for path in day.shop.path.parent.rglob("*") if ".git" not in path.parts} == before


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("src/totals.py", "give FILE:LINE"),
        ("src/totals.py:0", "give FILE:LINE"),
        ("src/gone.py:1", "there is no such file"),
        ("src/totals.py:99", "has only 5 lines"),
        ("../.claude/projects/-shop/x.jsonl:1", "not a git repository"),
    ],
)
def test_wrong_use_is_answered_with_what_to_give(day: OwnDay, place: str, problem: str) -> None:
    (day.records / "-shop" / "x.jsonl").write_text("{}\n")
    assert problem in told(day, place, status=2)
