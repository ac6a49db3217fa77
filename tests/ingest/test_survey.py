"""Files counted by agent and version: what one file holds, and what several add up to."""

from pathlib import Path

from ghapp.attribution.model import PassedOver
from ghapp.ingest.artifacts import SILENT
from ghapp.ingest.survey import by_version, survey
from tests.transcripts import write_transcript

ROLLOUT = '{"type":"session_meta","payload":{"id":"s","cli_version":"%s"}}\n'


def test_files_of_one_agent_and_version_are_added_up(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_transcript(tmp_path / f"{name}.jsonl", "/shop/a.py", "x = first(1)\n")
    for number, version in enumerate(("0.198.0", "0.199.0", "0.199.0")):
        (tmp_path / f"rollout{number}.jsonl").write_text(ROLLOUT % version)
    found = by_version(file for _, file in survey([tmp_path]))
    assert [(one.agent, one.version, one.files, one.edits) for one in found] == [
        ("claude-code", None, 2, 2),
        ("codex", "0.198.0", 1, 0),
        ("codex", "0.199.0", 2, 0),
    ]
    claude, _, codex = found
    assert claude.first_at == claude.last_at is not None
    assert (codex.first_at, codex.last_at) == (None, None)
    assert codex.passed_over == (PassedOver(agent="codex", what=SILENT, count=2),)


def test_only_chosen_files_are_read(tmp_path: Path) -> None:
    write_transcript(tmp_path / "one.jsonl", "/shop/a.py", "x = first(1)\n")
    assert list(survey([tmp_path], lambda _: False)) == []


def test_a_broken_record_is_counted(tmp_path: Path) -> None:
    path = write_transcript(tmp_path / "one.jsonl", "/shop/a.py", "x = first(1)\n")
    path.write_text(path.read_text() + '{"type": "user", torn\n')
    [(where, file)] = survey([path])
    assert (where, file.edits, file.unread) == (path, 1, 1)
