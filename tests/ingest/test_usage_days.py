"""A machine's usage as rows: of the days asked for, by directory, each answer and edit once."""

import os
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ghapp.ingest.usage_days import UsageOfMachine, UsageRows, usage_of_machine, usage_rows
from ghapp.usage.days import DecisionDay, TokenDay
from tests.evidence.test_deciders import WRITTEN, claude
from tests.usage.test_claude_code import line

NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
MAY = date(2026, 5, 19), date(2026, 5, 21)


def of(*folders: Path, days: tuple[date, date] = MAY, **options: Any) -> UsageOfMachine:
    return usage_of_machine(folders, *days, NOW, **options)


def answer(at: str = "2026-05-20T12:00:00Z", **changed: Any) -> bytes:
    return line({"output_tokens": 5}, timestamp=at, **changed)


def write(path: Path, lines: Iterable[bytes], changed: date = date(2026, 5, 21)) -> Path:
    path.write_bytes(b"".join(lines))
    stamp = datetime(changed.year, changed.month, changed.day, 12, tzinfo=UTC).timestamp()
    os.utime(path, (stamp, stamp))
    return path


def rows(usage: UsageOfMachine) -> UsageRows:
    return usage_rows(usage.answers, usage.decisions)


def output(usage: UsageOfMachine) -> dict[str | None, int]:
    counts: Counter[str | None] = Counter()
    for one in usage.answers:
        counts[one.project] += one.tokens.output
    return dict(counts)


def test_rows_are_those_of_the_days_asked_for_by_directory(tmp_path: Path) -> None:
    records = [
        answer(f"2026-05-{day}T{time}Z", requestId=f"r{number}", cwd=cwd)
        for number, (day, time, cwd) in enumerate(
            [
                (18, "23:59:59", "/w/shop"),
                (19, "00:00:00", "/w/shop"),
                (21, "23:59:59", "/w/shop/../other"),
                (22, "00:00:00", "/w/shop"),
                (20, "00:00:00", None),
            ]
        )
    ]
    write(tmp_path / "a.jsonl", records)
    usage = of(tmp_path)
    assert output(usage) == {None: 5, "/w/shop": 5, "/w/other": 5}
    assert (usage.files, usage.files_left_out, usage.unread, usage.passed_over) == (1, 0, 0, ())


def test_an_answer_counts_on_the_day_of_the_record_that_counts(tmp_path: Path) -> None:
    grown = line({"output_tokens": 9}, timestamp="2026-05-22T00:00:01Z")
    write(tmp_path / "a.jsonl", [answer("2026-05-21T23:59:59Z"), grown], date(2026, 5, 22))
    assert output(of(tmp_path)) == {}
    assert output(of(tmp_path, days=(date(2026, 5, 22),) * 2)) == {"/home/ann/shop": 9}


def test_a_side_conversation_s_copy_of_an_old_answer_never_counts(tmp_path: Path) -> None:
    parent = answer("2026-03-01T12:00:00Z", requestId="a")
    copied = answer(requestId="b", isSidechain=True)
    write(tmp_path / "a.jsonl", [copied, parent])
    assert output(of(tmp_path)) == {}


def test_files_that_did_not_change_since_are_not_read(tmp_path: Path) -> None:
    write(tmp_path / "old.jsonl", [answer(requestId="a")], date(2026, 5, 18))
    write(tmp_path / "new.jsonl", [answer(requestId="b")], date(2026, 5, 19))
    usage = of(tmp_path, tmp_path / "nowhere")
    assert (output(usage), usage.files) == ({"/home/ann/shop": 5}, 1)


def test_a_database_that_was_told_something_lately_is_read(tmp_path: Path) -> None:
    write(tmp_path / "opencode.db", [b"SQLite format 3\0"], date(2026, 5, 1))
    assert of(tmp_path).files == 0
    write(tmp_path / "opencode.db-wal", [b"x"])
    assert of(tmp_path).files == 1


def test_the_newest_files_come_first_and_the_rest_is_counted(tmp_path: Path) -> None:
    size = len(answer(requestId="a"))
    for number, name in enumerate("abc"):
        write(tmp_path / f"{name}.jsonl", [answer(requestId=name)], date(2026, 5, 19 + number))
    usage = of(tmp_path, most=2 * size)
    assert (usage.files, usage.files_left_out) == (2, 1)
    assert output(usage) == {"/home/ann/shop": 10}
    assert of(tmp_path, most=0).files_left_out == 3


def test_edits_come_with_their_tool_language_and_decider(tmp_path: Path) -> None:
    records = claude({**WRITTEN}, permissionMode="acceptEdits")
    write(tmp_path / "a.jsonl", [msgspec.json.encode(one) + b"\n" for one in records])
    write(tmp_path / "b.jsonl", [msgspec.json.encode(one) + b"\n" for one in records])
    tokens, [row], _ = rows(of(tmp_path))
    assert tokens == ()
    assert (row.tool, row.language, row.decision, row.decided_by) == (
        "Write",
        "Python",
        "accepted",
        "automatic",
    )
    assert (row.edits, row.lines, row.agent_session) == (1, 1, "s1")


def test_names_that_cannot_be_are_counted_and_every_row_can_be_sent(tmp_path: Path) -> None:
    strange = answer(version="\n", message={"model": "a b"}, sessionId="s" * 999)
    write(tmp_path / "a.jsonl", [strange, answer("soon", requestId="r")])
    usage = of(tmp_path)
    tokens, decisions, misfits = rows(usage)
    assert msgspec.json.decode(msgspec.json.encode(tokens), type=tuple[TokenDay, ...]) == tokens
    assert msgspec.json.decode(msgspec.json.encode(decisions), type=tuple[DecisionDay, ...]) == ()
    assert {one.what for one in (*usage.passed_over, *misfits)} == {
        "answers without a time",
        "names of agent sessions that cannot be",
        "names of models that cannot be",
        "versions that cannot be",
    }


@pytest.mark.parametrize("days", [(date.min, date.max), (date(2026, 5, 21), date(2026, 5, 19))])
def test_any_days_can_be_asked_for(tmp_path: Path, days: tuple[date, date]) -> None:
    write(tmp_path / "a.jsonl", [answer()])
    assert output(of(tmp_path, days=days)) in ({}, {"/home/ann/shop": 5})


def test_sums_that_cannot_be_are_named_and_never_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ghapp.ingest.usage_days.MOST", 9)
    parts = ({"requestId": "a"}, {"requestId": "b"}, {"requestId": "c", "sessionId": "s2"})
    write(tmp_path / "a.jsonl", [answer(**one) for one in parts])
    tokens, _, left_out = rows(of(tmp_path))
    assert [(row.agent_session, row.tokens.output) for row in tokens] == [("s2", 5)]
    assert [one.what for one in left_out] == ["days of an agent session with impossible sums"]


def test_worktrees_that_the_records_name_come_with_them(tmp_path: Path) -> None:
    state = {"originalCwd": "/w/shop", "worktreePath": "/w/topic", "worktreeName": "topic"}
    made = {"type": "worktree-state", "worktreeSession": state, "sessionId": "s1"}
    write(tmp_path / "a.jsonl", [answer(cwd="/w/topic"), msgspec.json.encode(made) + b"\n"])
    assert [(one.path, one.original) for one in of(tmp_path).worktrees] == [("/w/topic", "/w/shop")]
