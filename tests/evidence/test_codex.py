"""Rollouts of Codex: which result a patch has, and that it is yielded once."""

import json

import pytest

from ghapp.attribution.model import Edit, EditDecider, PassedOver, UnreadEvidence
from ghapp.evidence import codex
from ghapp.evidence.source import everything

PATCH = "*** Begin Patch\n*** Add File: a.py\n+one\n*** End Patch"
AT = "2026-05-19T10:00:00Z"
LATER = "2026-05-19T10:00:01Z"


def record(kind: str, at: str | None = AT, **payload: object) -> bytes:
    return json.dumps({"timestamp": at, "type": kind, "payload": payload}).encode()


CALL = record(
    "response_item", type="custom_tool_call", call_id="c1", name="apply_patch", input=PATCH
)


def output(said: object) -> bytes:
    return record("response_item", type="custom_tool_call_output", call_id="c1", output=said)


def end(**told: object) -> bytes:
    changes = {"a.py": {"type": "add", "content": "one\n"}}
    return record("event_msg", type="patch_apply_end", call_id="c1", changes=changes, **told)


def item(status: object, id_: str = "c1", **told: object) -> bytes:
    changes = {"a.py": {"type": "add", "content": "one\n"}}
    change = {"type": "FileChange", "id": id_, "changes": changes, "status": status, **told}
    return record("event_msg", type="item_completed", item=change)


def read(*lines: bytes) -> list[Edit]:
    found = list(codex.read("rollout-7.jsonl", lines, everything))
    assert all(isinstance(one, Edit | EditDecider) for one in found)
    return [one for one in found if isinstance(one, Edit)]


@pytest.mark.parametrize(
    ("ended", "outcome"),
    [
        (end(success=True), "applied"),
        (end(status="completed"), "applied"),
        (end(success=False, stderr="no such line"), "failed"),
        (end(success=False, status="declined"), "refused"),
        (end(success=False, stderr="patch rejected by user"), "refused"),
        (end(success=False, stderr="aborted by user after 1.2s"), "interrupted"),
        (item("completed"), "applied"),
        (item("failed", stderr="no such line"), "failed"),
        (item("declined"), "refused"),
        (item(None), "unanswered"),
        (output("Success. Updated the following files:\nA a.py"), "applied"),
        (output({"content": "Success. Updated the following files:\nA a.py"}), "applied"),
        (output("Failed to find expected lines"), "failed"),
        (output(None), "failed"),
        (record("event_msg", type="turn_aborted"), "interrupted"),
        (b"\n", "unanswered"),
    ],
)
def test_what_became_of_a_patch(ended: bytes, outcome: str) -> None:
    [edit] = read(CALL, ended)
    assert (edit.id, edit.outcome, edit.path) == ("c1", outcome, "a.py")
    assert [hunk.own for hunk in edit.lines.hunks] == [("one",)]


def test_a_patch_that_ended_is_not_told_again() -> None:
    assert len(read(CALL, end(success=True), output("Success."), CALL, end(success=True))) == 1


def test_an_item_counts_once_with_its_call_and_its_output_in_any_order() -> None:
    success = output("Success. Updated the following files:\nA a.py")
    for lines in ([CALL, item("completed"), success], [CALL, success, item("completed")]):
        assert len(read(*lines, *lines)) == 1


def test_a_call_that_was_not_read_as_an_edit_is_counted_by_its_tool() -> None:
    def call(id_: str, name: str) -> bytes:
        given = {"call_id": id_, "name": name, "arguments": '{"cmd": "make"}'}
        return record("response_item", type="function_call", **given)

    lines = [call("c1", "exec_command"), call("c2", "exec_command"), call("c3", "view_image")]
    found = list(codex.read("r", [*lines, output("done")], everything))
    assert found == [PassedOver(agent="codex", what="exec_command", count=2)]
    code = [call("c1", "exec"), item("completed", "exec-1"), output("done")]
    assert [type(one) for one in codex.read("r", code, everything)] == [Edit]


def test_the_first_name_and_the_present_directory_are_those_of_the_edit() -> None:
    start = record("session_meta", id="mine", cwd="/home/ann/shop")
    parent = record("session_meta", id="parents")
    moved = record("turn_context", LATER, cwd="/home/ann/other")
    [edit] = read(start, parent, moved, CALL, end(success=True))
    assert (edit.agent_session, edit.path) == ("mine", "/home/ann/other/a.py")
    assert read(CALL, end(success=True))[0].agent_session == "rollout-7"


def test_a_copy_that_was_written_at_once_is_counted_and_not_yielded() -> None:
    start, parent = record("session_meta", id="mine"), record("session_meta", id="parents")
    copied = [start, parent, CALL, end(success=True)]
    counted = PassedOver(agent="codex", what=codex.COPIED, count=1)
    assert list(codex.read("r", copied, everything)) == [counted]
    own = [record("turn_context", LATER), CALL.replace(b"c1", b"c2"), item("completed", "c2")]
    [edit, passed] = codex.read("r", [*copied, *own], everything)
    assert (isinstance(edit, Edit) and edit.id, passed) == ("c2", counted)
    assert len(read(start, start, CALL, end(success=True))) == 1


def test_a_patch_that_ended_before_its_call_is_told_once() -> None:
    assert len(read(item("completed"), CALL, output("Success."))) == 1


def test_whole_records_of_a_damaged_line_are_read() -> None:
    assert len(read(b"\0\0" + CALL + end(success=True))) == 1
    torn = list(codex.read("r", [CALL[:40] + CALL, end(success=True)], everything))
    assert [type(one) for one in torn] == [UnreadEvidence, Edit]


def test_a_patch_without_a_time_is_named_and_left_out() -> None:
    lines = [CALL.replace(AT.encode(), b""), end(success=True).replace(AT.encode(), b"")]
    [found] = codex.read("r", lines, everything)
    assert (found.line, found.problem[:25]) == (1, "a patch without a time: i")  # type: ignore[union-attr]
