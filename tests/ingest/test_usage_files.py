"""Tokens below folders: which files are read, and what is said of the others."""

import json
import os
from pathlib import Path

import pytest

from ghapp.attribution.model import UnreadEvidence
from ghapp.evidence.registry import SOURCES
from ghapp.ingest.artifacts import ArtifactError
from ghapp.ingest.usage_files import READERS, read_usage
from ghapp.usage.answers import UsageRecord, settled, total
from tests.usage.test_claude_code import line
from tests.usage.test_codex import MODEL, counted, meta


def test_files_of_several_agents_are_read_by_their_kind(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(line({"output_tokens": 5}))
    (tmp_path / "copy.jsonl").write_bytes(line({"output_tokens": 5}))
    (tmp_path / "rollout.jsonl").write_bytes(b"".join([meta("a"), MODEL, counted(100, 100)]))
    (tmp_path / "notes.jsonl").write_text(json.dumps({"usage": 7}) + "\n")
    found = list(read_usage([tmp_path, tmp_path / "a.jsonl"]))
    answers = settled(one for one in found if isinstance(one, UsageRecord))
    assert {one.agent for one in answers} == {"claude-code", "codex"}
    assert total(answers).output == 15


def test_a_missing_path_is_said() -> None:
    with pytest.raises(ArtifactError, match="no records at"):
        list(read_usage([Path("/nowhere")]))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    (found,) = read_usage([tmp_path])
    assert isinstance(found, UnreadEvidence)


def test_every_reader_is_of_a_known_source() -> None:
    assert READERS.keys() <= SOURCES.keys()
