"""Tokens and decided edits of files, as agents leave them; nothing disappears without a word."""

import json
import os
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ghapp.attribution.model import PassedOver, UnreadEvidence
from ghapp.evidence.registry import SOURCES
from ghapp.ingest.artifacts import ArtifactError
from ghapp.ingest.usage_files import (
    READERS,
    SILENT,
    TOO_EARLY,
    TOO_LATE,
    UNCOUNTED,
    UNDECIDED,
    FoundUsage,
    read_usage,
)
from ghapp.usage.answers import UsageRecord, settled, total
from ghapp.usage.decisions import DecidedEdit
from tests.cases import FIXTURES, cases
from tests.ingest.test_artifacts import Zstandard
from tests.usage.test_claude_code import line
from tests.usage.test_codex import MODEL, counted, meta
from tests.usage.test_readers import message

NOW = datetime(2026, 7, 1, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
CASES = FIXTURES / "evidence"


def read(*paths: Path) -> list[FoundUsage]:
    return list(read_usage(paths, NOW))


def answers(found: list[FoundUsage]) -> list[UsageRecord]:
    return settled(one for one in found if isinstance(one, UsageRecord))


def left_out(found: list[FoundUsage]) -> dict[tuple[str | None, str], int]:
    counts: Counter[tuple[str | None, str]] = Counter()
    for one in found:
        if isinstance(one, PassedOver):
            counts[one.agent, one.what] += one.count
    return dict(counts)


def test_a_resumed_session_s_copies_count_once_over_files_in_any_order(tmp_path: Path) -> None:
    old, new = tmp_path / "b.jsonl", tmp_path / "a.jsonl"
    first = line({"output_tokens": 5}, sessionId="s-old")
    copied = line({"output_tokens": 5}, sessionId="s-new")
    old.write_bytes(first)
    new.write_bytes(copied + line({"output_tokens": 7}, sessionId="s-new", requestId="r2"))
    for paths in ((old, new), (new, old), (tmp_path,), (tmp_path, old)):
        found = answers(read(*paths))
        assert total(found).output == 12
        assert [one.agent_session for one in found] == ["s-new", "s-new"]


SHELLS = {"Bash", "PowerShell", "bash"}
"""What a command wrote was not offered as an edit, so nobody decided about it."""
DECISIONS = {"applied": "accepted", "refused": "refused", "failed": "failed"}


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_edits_are_decided_as_the_cases_of_the_evidence_say(source: str) -> None:
    """What an edit is has one meaning: an outcome there is a decision here."""
    told = 0
    for case in cases(f"evidence/{source}") if (CASES / source).is_dir() else ():
        expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
        for path in (case / name for name in expected if not name.endswith(".sql")):
            decided = [
                (one["tool"], one["path"], DECISIONS[one["outcome"]])
                for one in expected[path.name]
                if one.get("outcome") in DECISIONS and one["tool"] not in SHELLS
            ]
            found = [
                (one.tool, one.path, one.decision.value)
                for one in read_usage([path], LATER)
                if isinstance(one, DecidedEdit)
            ]
            assert Counter(found) == Counter(decided), path
            told += len(decided)
    assert told or source in ("antigravity", "cursor", "cursor_transcripts")


def test_who_decided_comes_with_its_edit() -> None:
    case = CASES / "claude_code" / "person_changed_the_proposal" / "agent_session.jsonl"
    found = [one for one in read_usage([case], LATER) if isinstance(one, DecidedEdit)]
    assert {one.decided_by for one in found} == {"person"}


def test_a_compressed_rollout_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", Zstandard("zstandard"))
    packed = b"ZSTD" + meta("a") + MODEL + counted(100, 100)
    (tmp_path / "rollout-7.jsonl.zst").write_bytes(packed)
    assert total(answers(read(tmp_path))).input == 50


def test_both_generations_of_opencode_s_database_and_files_are_read(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "opencode.db")) as database, database:
        for table, of in (("message", "session"), ("session_message", "session_v2")):
            database.execute(f"CREATE TABLE {of}(id, directory, version)")
            database.execute(f"INSERT INTO {of} VALUES('ses_1', '/w/shop', '1.2.20')")
            database.execute(f"CREATE TABLE {table}(id, session_id, time_created, data)")
        data = {name: one for name, one in message().items() if name not in ("id", "sessionID")}
        newer = data | {
            "modelID": None,
            "model": {"id": "glm-5"},
            "time": {"created": 1779278409000},
        }
        insert = "VALUES(?, 'ses_1', 0, ?)"
        database.execute(f"INSERT INTO message {insert}", ("msg_1", json.dumps(data)))
        copies = [("msg_5", data), ("msg_2", newer)]
        for id_, one in copies:
            database.execute(f"INSERT INTO session_message {insert}", (id_, json.dumps(one)))
    folder = tmp_path / "storage" / "message" / "ses_1"
    folder.mkdir(parents=True)
    (folder / "msg_1.json").write_text(json.dumps(message()), encoding="utf-8")
    found = answers(read(tmp_path))
    assert [(one.agent_session, one.model) for one in found] == [("ses_1", "glm-5")] * 2
    assert {one.version for one in found} <= {"1.2.20", None}
    assert not any(isinstance(one, UnreadEvidence) for one in read(tmp_path))


def test_agents_whose_tokens_nobody_reads_are_named(tmp_path: Path) -> None:
    droid = tmp_path / ".factory" / "sessions" / "s.jsonl"
    amp = tmp_path / ".local" / "share" / "amp" / "threads" / "T-1.json"
    for path in (droid, amp):
        path.parent.mkdir(parents=True)
    start = {"type": "session_start", "id": "s", "title": "t", "owner": "ann", "cwd": "/w"}
    droid.write_text(json.dumps(start) + "\n", encoding="utf-8")
    amp.write_text("{}", encoding="utf-8")
    assert left_out(read(tmp_path)) == {
        ("droid", UNCOUNTED): 1,
        ("amp", "files that no reader recognizes"): 1,
    }


@pytest.mark.parametrize(
    ("at", "what"),
    [
        ("2026-07-03T00:00:00Z", TOO_LATE),
        ("9999-12-31T23:59:59Z", TOO_LATE),
        ("1970-01-01T00:00:00Z", TOO_EARLY),
        ("0001-01-01T00:00:00Z", TOO_EARLY),
    ],
)
def test_absurd_times_are_named_and_nothing_of_them_is_counted(
    tmp_path: Path, at: str, what: str
) -> None:
    good = line({"output_tokens": 7}, requestId="r2")
    (tmp_path / "a.jsonl").write_bytes(line({"output_tokens": 5}, timestamp=at) + good)
    found = read(tmp_path)
    assert total(answers(found)).output == 7
    assert left_out(found) == {("claude-code", what): 1}


def test_what_is_damaged_is_named_once_and_the_rest_is_counted(tmp_path: Path) -> None:
    good = line({"output_tokens": 7})
    damaged = good.replace(b'"output_tokens": 7', b'"output_tokens": NaN')
    (tmp_path / "a.jsonl").write_bytes(good + damaged + b'{"type": "assistant", "usage"\n')
    found = read(tmp_path)
    assert total(answers(found)).output == 7
    assert [one.line for one in found if isinstance(one, UnreadEvidence)] == [2, 3]


@pytest.mark.parametrize("case", ["orphan_call", "interrupted"])
def test_an_edit_that_was_stopped_or_never_answered_is_no_decision(case: str) -> None:
    folder = CASES / "claude_code" / case
    told = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    outcomes = Counter(one.get("outcome") for one in told["agent_session.jsonl"])
    found = list(read_usage([folder / "agent_session.jsonl"], LATER))
    decided = sum(isinstance(one, DecidedEdit) for one in found)
    stopped = outcomes["interrupted"] + outcomes["unanswered"]
    assert stopped
    assert decided == outcomes["applied"] + outcomes["refused"] + outcomes["failed"]
    assert left_out(found)["claude-code", UNDECIDED] == stopped


def test_a_file_without_tokens_is_named(tmp_path: Path) -> None:
    (tmp_path / "rollout-7.jsonl").write_bytes(meta("a") + MODEL)
    assert left_out(read(tmp_path)) == {("codex", SILENT): 1}


def test_a_path_that_is_not_there_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no records at"):
        next(read_usage([tmp_path, tmp_path / "nowhere"], NOW))


def test_every_reader_belongs_to_a_source() -> None:
    assert set(READERS) <= set(SOURCES)


def test_files_of_several_agents_are_read_by_their_kind(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(line({"output_tokens": 5}))
    (tmp_path / "copy.jsonl").write_bytes(line({"output_tokens": 5}))
    (tmp_path / "rollout.jsonl").write_bytes(b"".join([meta("a"), MODEL, counted(100, 100)]))
    (tmp_path / "notes.jsonl").write_text(json.dumps({"usage": 7}) + "\n", encoding="utf-8")
    found = read(tmp_path, tmp_path / "a.jsonl")
    assert {one.agent for one in answers(found)} == {"claude-code", "codex"}
    assert total(answers(found)).output == 15
    assert left_out(found) == {(None, "files that no reader recognizes"): 1}


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    (found,) = read(tmp_path)
    assert isinstance(found, UnreadEvidence)
