"""What a transcript is known by, what is skipped in it, and what no broken one can do."""

import json
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.model import Edit, UnreadEvidence
from ghapp.evidence import claude_code
from ghapp.evidence.own_lines import NO_LINES
from ghapp.evidence.source import Found, everything
from ghapp.ingest.artifacts import find_evidence
from tests.cases import cases
from tests.evidence.renew import inputs
from tests.searching import searched

UUID_NAME = "5f0c7d1e-2b3a-4c4d-8e5f-60718293a4b5.jsonl"
TRANSCRIPTS = [path for case in cases("evidence/claude_code") for path in inputs(case)]
LINES = [line for path in TRANSCRIPTS for line in path.read_bytes().split(b"\n") if line]


def read(text: bytes) -> list[Found]:
    return list(claude_code.read("t.jsonl", text.splitlines(keepends=True), everything))


def edits(found: list[Found]) -> list[Edit]:
    return [edit for edit in found if isinstance(edit, Edit)]


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.parent.name)
def test_each_fixture_is_recognized(path: Path) -> None:
    assert claude_code.recognizes(path.name, path.read_bytes())


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("empty.jsonl", b"", False),
        (UUID_NAME, b"", False),
        (UUID_NAME, b"\x00\x00", True),
        (UUID_NAME, b'{"type":"response_item","payload":{}}\n', False),
        ("rollout.jsonl", b'{"timestamp":"x","type":"session_meta","payload":{}}\n', False),
        ("events.jsonl", b'{"type":"session.start","data":{},"id":"1"}\n', False),
        ("agent.jsonl", b'{"role":"user","message":{}}\n', False),
        ("x.jsonl", b'{"type":"mode","sessionId":"1"}\n', True),
        ("x.jsonl", b'{broken\n{"type":"user","sessionId":"1"}\n', True),
        ("x.jsonl", b'{"parentUuid":null,"cwd":"/a","type":"user","message":"' + b"x" * 90, True),
        ("x.json", b'{\n "sessionId": "1"\n}', False),
    ],
)
def test_a_transcript_is_known_by_its_first_record(name: str, head: bytes, expected: bool) -> None:  # noqa: FBT001 (a column of the table)
    assert claude_code.recognizes(name, head) is expected


def test_an_edit_that_is_not_wanted_has_no_lines() -> None:
    asked: list[str] = []

    def unwanted(path: str) -> bool:
        asked.append(path)
        return False

    for path in TRANSCRIPTS:
        with path.open("rb") as file:
            found = edits(list(claude_code.read(path.name, file, unwanted)))
        assert all(edit.lines == NO_LINES for edit in found)
        assert {edit.path for edit in found} <= set(asked)


def test_wanting_changes_nothing_but_lines() -> None:
    for path in TRANSCRIPTS:
        text = path.read_bytes().splitlines(keepends=True)
        all_of = edits(list(claude_code.read("t", text, everything)))
        none_of = edits(list(claude_code.read("t", text, lambda _: False)))
        assert [(e.id, e.path, e.outcome, e.at) for e in all_of] == [
            (e.id, e.path, e.outcome, e.at) for e in none_of
        ]


def test_a_record_of_megabytes_is_read_like_any_other() -> None:
    content = "".join(f"value_{n} = {n}\n" for n in range(200_000))
    call = {"type": "tool_use", "id": "t1", "name": "Write"}
    call["input"] = {"file_path": "/a.py", "content": content}  # type: ignore[assignment]
    at = {"timestamp": "2026-05-04T09:00:00Z", "sessionId": "s", "cwd": "/"}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "done"}
    records = [
        {"type": "assistant", "message": {"content": [call]}, **at},
        {"type": "user", "message": {"content": [result]}, **at},
    ]
    (edit,) = edits(read("\n".join(map(json.dumps, records)).encode()))
    assert [len(hunk.own) for hunk in edit.lines.hunks] == [200_000]


@searched(40)
@given(st.lists(st.binary(max_size=200), max_size=20))
def test_random_bytes_are_named_and_harm_nothing(lines: list[bytes]) -> None:
    found = list(claude_code.read("t", lines, everything))
    assert all(isinstance(one, UnreadEvidence) and one.line is not None for one in found)


@searched(40)
@given(st.sampled_from(TRANSCRIPTS), st.floats(0, 1))
def test_a_cut_transcript_gives_what_its_whole_lines_give(path: Path, share: float) -> None:
    text = path.read_bytes()
    cut = text[: int(len(text) * share)]
    whole = cut[: cut.rfind(b"\n") + 1]
    expected = read(whole)
    found = read(cut)
    # The last line may still be whole; then it counts.
    if found[: len(expected)] != expected:
        assert edits(found) == edits(read(cut + b"\n"))
    else:
        assert len(found) <= len(expected) + 3


@searched(40)
@given(st.sampled_from(TRANSCRIPTS), st.data())
def test_a_changed_byte_never_stops_the_reading(path: Path, data: st.DataObject) -> None:
    text = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    before = bytes(text).splitlines(keepends=True)
    pairs = zip(before, path.read_bytes().splitlines(keepends=True), strict=False)
    first = next((n for n, (one, other) in enumerate(pairs) if one != other), len(before))
    prefix = list(claude_code.read("t", before[:first], everything))
    answered = [e for e in edits(prefix) if e.outcome != "unanswered"]
    assert edits(list(claude_code.read("t", before, everything)))[: len(answered)] == answered


@searched(40)
@given(st.lists(st.sampled_from(LINES), max_size=30))
def test_lines_in_any_order_never_stop_the_reading(lines: list[bytes]) -> None:
    with NamedTemporaryFile(suffix=".jsonl") as file:
        file.write(b"".join(line.rstrip(b"\n") + b"\n" for line in lines))
        file.flush()
        found = edits(list(find_evidence([Path(file.name)])))
    # The lines are of several agent sessions, which share ids: an edit's own lines are part of it.
    assert len(set(found)) == len(found), "each edit once"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@searched(40)
@given(st.sampled_from(LINES), st.data())
def test_a_part_of_another_kind_never_stops_the_reading(line: bytes, data: st.DataObject) -> None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return
    record = _with_other_part(record, data)
    following = [json.dumps(record).encode(), *LINES[:4]]
    list(claude_code.read("t", following, everything))


def _with_other_part(value: object, data: st.DataObject) -> object:
    """Replace one part of a JSON value, found by walking down from its top."""
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: _with_other_part(value[key], data)}
    if isinstance(value, list) and value:
        return [_with_other_part(value[0], data), *value[1:]]
    return data.draw(JSON)
