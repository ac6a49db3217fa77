"""Agent Trace records: of which files, of which revisions, and made in time."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ghapp.attribution.model import Edit, UnreadEvidence
from ghapp.evidence.agent_trace import is_named, read, revisions
from ghapp.evidence.source import Found
from tests.evidence.commits import AT, SHA, attached, commit


def record(**changed: object) -> dict[str, Any]:
    conversation = {
        "url": "https://example.org/s/abc-1.jsonl",
        "contributor": {"type": "ai"},
        "ranges": [{"start_line": 1, "end_line": 4}],
    }
    return {
        "id": "r1",
        "timestamp": AT.isoformat(),
        "vcs": {"type": "git", "revision": SHA},
        "tool": {"name": "cursor"},
        "files": [{"path": "a.py", "conversations": [conversation]}],
    } | changed


def found(*records: dict[str, Any]) -> list[Found]:
    text = "".join(json.dumps(one) + "\n" for one in records)
    return list(read(commit(), [attached(".agent-trace/t.jsonl", text)]))


def test_a_record_of_the_commit_is_an_edit() -> None:
    [edit] = found(record())
    assert isinstance(edit, Edit)
    assert (edit.agent, edit.agent_session) == ("cursor", "abc-1")
    assert edit.id.endswith(":a.py:r1")


@pytest.mark.parametrize(
    "vcs",
    [
        {"type": "git", "revision": "0" * 40},
        {"type": "git", "revision": SHA[:6]},
        {"type": "jj", "revision": SHA},
        {"type": "git", "revision": 7, "note": SHA},
        None,
    ],
)
def test_a_record_of_another_revision_or_system_says_nothing(vcs: object) -> None:
    assert found(record(vcs=vcs)) == []


def test_a_record_may_be_made_a_moment_after_the_commit_and_not_later() -> None:
    moment, late = (AT + timedelta(seconds=seconds) for seconds in (60, 61))
    assert isinstance(found(record(timestamp=moment.isoformat()))[0], Edit)
    [told] = found(record(timestamp=late.isoformat()), record(timestamp=None))
    assert isinstance(told, UnreadEvidence)
    assert told.problem.startswith("2 record(s) made after")


def test_a_record_that_names_no_tool_is_named() -> None:
    [told] = found(record(tool=None))
    assert isinstance(told, UnreadEvidence)
    assert "record r1 names no tool" in told.problem


def test_the_first_digits_of_revisions_tell_which_commits_a_file_may_concern() -> None:
    text = '{"revision": "9fceb02d0ae5"}{"revision" :"0123456"}{"revision":"abc"}'
    assert revisions(attached("t", text)) == {"9fceb02", "0123456"}


def test_records_are_kept_below_one_folder() -> None:
    assert is_named(".agent-trace/2026/t.jsonl")
    assert not is_named("src/.agent-trace/t.jsonl")
    assert not is_named(".agent-trace/README.md")
