"""Version and model of a call, from the transcript that a hook names."""

import json
from pathlib import Path

import pytest

from ghapp.collector.transcript_calls import UNKNOWN, made_by


def call(id_: str, version: object = "2.1.101", model: object = "claude-opus-4-5") -> object:
    message = {"role": "assistant", "model": model, "content": [{"id": id_}]}
    return {"type": "assistant", "version": version, "message": message}


def transcript(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return path


def test_the_record_of_the_call_names_them(tmp_path: Path) -> None:
    answer = {"type": "user", "message": {"content": [{"tool_use_id": "toolu_1"}]}}
    records = (call("toolu_1"), call("toolu_2", "2.1.102"), answer, answer)
    found = made_by(transcript(tmp_path / "s.jsonl", *records), "toolu_1")
    assert (found.agent_version, found.model) == ("2.1.101", "claude-opus-4-5")


def test_what_is_written_of_a_call_is_not_its_record(tmp_path: Path) -> None:
    quoted = {"type": "user", "message": {"model": "made-up", "content": json.dumps(call("t"))}}
    assert made_by(transcript(tmp_path / "s.jsonl", quoted), "t") == UNKNOWN


@pytest.mark.parametrize("content", [b"", b"\xff\n", b'{"type": "assistant", "id": "t"', b"[]"])
def test_what_cannot_be_read_is_unknown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(content)
    assert made_by(path, "t") == UNKNOWN
    assert made_by(tmp_path / "not-there.jsonl", "t") == UNKNOWN


def test_members_of_another_kind_are_unknown(tmp_path: Path) -> None:
    path = transcript(tmp_path / "s.jsonl", call("t", version=7, model=["x"]))
    assert made_by(path, "t") == UNKNOWN
