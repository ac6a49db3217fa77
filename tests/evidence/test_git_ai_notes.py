"""Notes of git-ai: lines of agents, not of people, and nothing that is left open."""

import json

import pytest

from ghapp.attribution.model import Edit, UnreadEvidence
from ghapp.evidence.git_ai_notes import REF, read
from ghapp.evidence.source import Found
from tests.evidence.commits import attached, commit

METADATA = json.dumps({"sessions": {"s1": {"agent_id": {"tool": "claude", "id": "uuid"}}}})


def note(*lines: str, metadata: str = METADATA) -> list[Found]:
    text = "\n".join([*lines, "---", metadata])
    return list(read(commit(), [attached(REF, text)]))


def test_the_lines_of_one_agent_session_are_one_edit_named_as_the_agent_names_it() -> None:
    [edit] = note("a.py", "  s1::t1 1", "  h_ann 3", "  s1::t2 3-4")
    assert isinstance(edit, Edit)
    assert (edit.agent, edit.agent_session, edit.path) == ("claude-code", "uuid", "a.py")
    own = [text for hunk in edit.lines.hunks for text in hunk.own]
    assert own == ["line 0", "line 2", "line 4"]


def test_a_quoted_path_is_the_path() -> None:
    [edit] = note('"a.py"', "  s1 1")
    assert isinstance(edit, Edit)
    assert edit.path == "a.py"


@pytest.mark.parametrize("entry", ["  h_ann 1-9", "  s1 x", "  s1 2", "  s1 9999999999", " s1 1"])
def test_people_and_what_is_no_range_of_added_lines_are_left_out(entry: str) -> None:
    assert note("a.py", entry) == []


def test_an_agent_session_that_nobody_described_is_named() -> None:
    [found] = note("a.py", "  s9 1")
    assert isinstance(found, UnreadEvidence)
    assert "does not describe" in found.problem


@pytest.mark.parametrize("metadata", ["", "{broken", '{"sessions": []}'])
def test_a_note_that_cannot_be_read_is_named_with_its_commit(metadata: str) -> None:
    [found] = note("a.py", "  s1 1", metadata=metadata)
    assert isinstance(found, UnreadEvidence)
    assert found.source == f"{REF} of {commit().sha}"


def test_a_note_without_a_divider_is_named() -> None:
    [found] = read(commit(), [attached(REF, "a.py\n  s1 1\n")])
    assert isinstance(found, UnreadEvidence)
    assert "divider" in found.problem
