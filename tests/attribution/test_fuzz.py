"""Broken diffs and broken transcripts: a clear error or the whole truth, and never a hang.

Fixtures are cut, flipped, doubled and spliced. Work is counted in calls, not in seconds, so that a
slow machine fails no test and a fast one hides no quadratic loop.
"""

import contextlib
import json
import random
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, TypeVar

import pytest
from hypothesis import given

from ghapp.attribution.attribute import attribute
from ghapp.attribution.document import from_document, to_document
from ghapp.attribution.model import (
    Change,
    Edit,
    EditResult,
    Evidence,
    FileDiff,
    UnreadEvidence,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.attribution.unified_diff import DiffError, parse_diff
from ghapp.evidence import claude_code
from ghapp.evidence.source import Found, everything
from ghapp.ingest.artifacts import find_evidence
from tests.attribution.strategies import LATER, SUBJECT, TAPE, Tape, diff_of, tapes
from tests.cases import cases
from tests.searching import searched

T = TypeVar("T")

DIFFS = [(folder / "change.diff").read_bytes() for folder in cases("diffs")]
TRANSCRIPTS = [
    path.read_bytes()
    for folder in cases("evidence/claude_code")
    for path in sorted(folder.glob("*.jsonl"))
]
LARGEST = 20_000
"""Bytes of the largest mutated input."""

CALLS = 40_000
"""Function calls allowed for any input, plus `CALLS_A_BYTE` for each byte."""

CALLS_A_BYTE = 20

DIFF_TOKENS = (
    b"diff --git a/x b/x\n",
    b"--- a/x\n+++ b/x\n",
    b"@@ -1,2 +1,3 @@\n",
    b"@@ -1,9999999999 +1,9999999999 @@\n",
    b"@@ -0,0 +99999999999999999999999,1 @@\n",
    b"@@ -1 +1 @@\n",
    b"+added\n",
    b"-removed\n",
    b" same\n",
    b"\\ No newline at end of file\n",
    b"Binary files a/x and b/x differ\n",
    b"GIT binary patch\nliteral 99999999\n",
    b"rename from x\nrename to y\nsimilarity index 90%\n",
    b'diff --git "a/\\303\\251" "b/\\303\\251"\n',
    b"new file mode 160000\n",
    b"-- \n",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
)
JSON_TOKENS = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b":",
    b",",
    b"null",
    b"\\ud800",
    b"\\udc00",
    b"\\u0000",
    b"\xed\xa0\x80",
    b"\0",
    b"1e999",
    b"-0",
    b"9" * 400,
    b"[" * 3000,
    b'{"a":' * 3000,
    b'"type":"user"',
    b'"timestamp":"9999-12-31T23:59:59.999Z"',
    b'"timestamp":"0001-01-01T00:00:00+14:00"',
    b'"is_error":"false"',
    b"\n",
    b"\r\n",
)


def mutated(tape: Tape, pool: list[bytes], tokens: tuple[bytes, ...]) -> bytes:
    """Return one of some texts with a few mutations."""
    text = tape.one_of(pool)
    for _ in range(1 + tape.below(4)):
        start, end = sorted((place(tape, text), place(tape, text)))
        how = tape.below(7)
        if how == 0:
            text = text[:start]
        elif how == 1:
            text = text[:start] + text[end:]
        elif how == 2:
            text = text[:end] + text[start:]
        elif how == 3:
            text = text[:start] + tape.one_of(tokens) + text[start:]
        elif how == 4:
            text = text[:start] + bytes([tape.below(256)]) + text[start + 1 :]
        elif how == 5:
            text = text[:start] + tape.one_of(pool)[: end - start] + text[end:]
        else:
            text += tape.one_of(pool)
    return text[:LARGEST]


def place(tape: Tape, text: bytes) -> int:
    """Return a position in a text, half of the time the start of a line."""
    at = (tape.below(256) * 256 + tape.below(256)) * (len(text) + 1) // 65536
    return text.rfind(b"\n", 0, at) + 1 if tape.happens(50) else at


class TooMuchWorkError(AssertionError):
    """Raised when a parser makes more calls than its input allows."""


def within_bounds(size: int, work: Callable[[], T]) -> T:
    """Run some work and count its calls, including those of C functions."""
    left = CALLS + CALLS_A_BYTE * size

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal left
        left -= event in {"call", "c_call"}
        if left < 0:
            raise TooMuchWorkError(f"more calls than {size} bytes are worth")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        return work()
    finally:
        sys.setprofile(before)


def random_texts(pool: list[bytes], tokens: tuple[bytes, ...]) -> Iterator[bytes]:
    """Yield broken texts from a fixed seed."""
    drawn = random.Random(6)  # noqa: S311  (broken texts, not secrets)
    for _ in range(300):
        yield mutated(Tape(drawn.randbytes(TAPE)), pool, tokens)


# --- diffs --------------------------------------------------------------------------------------


def check_whole(files: tuple[FileDiff, ...]) -> None:
    """Check that hunks have as many lines as their headers say, in order."""
    for file in files:
        assert file.path
        end = 0
        for hunk in file.hunks:
            origins = [line.origin for line in hunk.lines]
            assert hunk.old_lines == len(origins) - origins.count("+")
            assert hunk.new_lines == len(origins) - origins.count("-")
            assert set(origins) <= {"+", "-", " "}
            assert hunk.new_start >= end
            end = hunk.new_start + hunk.new_lines
        numbers = [line.number for line in file.added()]
        assert numbers == sorted(set(numbers))


@searched(600)
@given(tapes())
def test_a_broken_diff_is_refused_or_read_whole(content: bytes) -> None:
    text = mutated(Tape(content), DIFFS, DIFF_TOKENS)
    error, files = refused_or_read(text)
    check_whole(files)
    if error:
        assert 1 <= error.line <= text.count(b"\n") + 2
        assert str(error).startswith(f"line {error.line}: ")
        assert len(str(error)) < 1000


def refused_or_read(text: bytes) -> tuple[DiffError | None, tuple[FileDiff, ...]]:
    """Return the error or the parsed files; any other error fails the test."""
    try:
        return None, within_bounds(len(text), lambda: parse_diff(text))
    except DiffError as error:
        return error, ()


def test_broken_diffs_are_of_both_kinds() -> None:
    read, refused = 0, 0
    for text in random_texts(DIFFS, DIFF_TOKENS):
        try:
            read += bool(parse_diff(text))
        except DiffError:
            refused += 1
    assert read > 20
    assert refused > 100


@pytest.mark.parametrize("text", [t for t in DIFFS if len(t) < 1500], ids=len)
def test_a_diff_cut_anywhere_is_no_half_truth(text: bytes) -> None:
    """A cut diff is refused, or each of its hunks is one of the whole diff, in order."""
    with contextlib.suppress(DiffError):
        whole = parse_diff(text)
        for end in range(len(text)):
            try:
                files = parse_diff(text[:end])
            except DiffError:
                continue
            assert len(files) <= len(whole)
            for part, file in zip(files, whole, strict=False):
                assert part.path == file.path
                assert part.hunks == file.hunks[: len(part.hunks)]
            assert all(
                part.hunks == file.hunks for part, file in zip(files[:-1], whole, strict=False)
            )


@pytest.mark.parametrize(
    "line", [b"+a\n", b"diff --git a/x b/x\n", b"From: a\n", b"@@ -1 +1 @@\n", b"-- \n", b"\n"]
)
def test_work_grows_with_the_lines_of_a_diff(line: bytes) -> None:
    head = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,%d @@\n" % (LARGEST // len(line))
    for text in (line * (LARGEST // len(line)), head + line * (LARGEST // len(line))):
        with contextlib.suppress(DiffError):
            within_bounds(len(text), lambda text=text: parse_diff(text))  # type: ignore[misc]


# --- transcripts --------------------------------------------------------------------------------


def read(text: bytes, name: str = "agent_session.jsonl") -> list[Found]:
    return list(claude_code.read(name, text.split(b"\n"), everything))


def audited(found: list[Found]) -> bytes:
    """Return the document of an audit with this evidence."""
    change = Change(files=(diff_of("shop/cart.py", [], ["total = price * amount"]),))
    edits = tuple(item for item in found if isinstance(item, Edit))
    unread = tuple(item for item in found if isinstance(item, UnreadEvidence))
    evidence = Evidence(edits=edits, unread=unread)
    return to_document(attribute(SUBJECT, change, evidence, CLAUDE_CODE_V1, at=LATER))


@searched(300)
@given(tapes())
def test_a_broken_transcript_is_read_or_named(content: bytes) -> None:
    text = mutated(Tape(content), TRANSCRIPTS, JSON_TOKENS)
    found = within_bounds(len(text), lambda: read(text))
    for item in found:
        assert isinstance(item, Found)
        if isinstance(item, Edit):
            assert item.id
            assert item.path
            assert "\0" not in item.path
            assert item.at.utcoffset() is not None
        elif isinstance(item, UnreadEvidence):
            assert item.problem
            assert item.line is None or 1 <= item.line <= text.count(b"\n") + 1
    document = audited(found)
    assert to_document(from_document(document)) == document
    assert read(text) == found


def test_broken_transcripts_are_of_both_kinds() -> None:
    found = [item for text in random_texts(TRANSCRIPTS, JSON_TOKENS) for item in read(text)]
    assert len(applied(found)) > 100
    assert sum(isinstance(item, UnreadEvidence) for item in found) > 50
    assert len({item.outcome for item in found if isinstance(item, Edit)}) >= 4


def applied(found: list[Found]) -> list[Edit]:
    return [item for item in found if isinstance(item, Edit) and item.outcome is EditResult.APPLIED]


@pytest.mark.parametrize("text", TRANSCRIPTS, ids=len)
def test_a_transcript_cut_anywhere_brings_nothing_that_was_not_there(text: bytes) -> None:
    """A cut transcript gives the first applied edits of the whole one, unchanged."""
    whole = applied(read(text))
    starts = [at + 1 for at, sign in enumerate(text) if sign == ord("\n")]
    middles = range(0, len(text), max(1, len(text) // 60))
    for end in sorted({*starts, *middles}):
        found = applied(read(text[:end]))
        assert found == whole[: len(found)]


@pytest.mark.parametrize("token", JSON_TOKENS, ids=lambda token: ascii(token[:12]))
def test_a_broken_record_leaves_the_others_as_they_are(token: bytes) -> None:
    for text in TRANSCRIPTS:
        broken = b'{"type":"assistant",' + token.replace(b"\n", b"") + b'"x\n' + text
        found = read(broken)
        assert applied(found) == applied(read(text))
        if not text.startswith(b"\xef"):
            assert any(isinstance(item, UnreadEvidence) and item.line == 1 for item in found)


# --- halves of surrogate pairs ------------------------------------------------------------------

HALVES = ("\ud800", "\udc00", "\udc80 tail", "\ud83d", "\udfff\ud800")


def transcript(**changed: str) -> bytes:
    """Return a transcript in which an agent wrote a file, with some of its texts changed."""
    said = {
        "id": "toolu_1",
        "agent_session": "one",
        "path": "/home/dev/shop/cart.py",
        "cwd": "/home/dev/shop",
        "content": "total = price * amount\n",
    } | changed
    call = {"type": "tool_use", "id": said["id"], "name": "Write"}
    given_ = {"file_path": said["path"], "content": said["content"]}
    answer = {"type": "tool_result", "tool_use_id": said["id"], "content": "done"}
    common = {"parentUuid": "", "cwd": said["cwd"], "timestamp": "2026-05-19T10:00:00Z"}
    if said["agent_session"]:
        common["sessionId"] = said["agent_session"]
    records = (
        common | {"type": "assistant", "message": {"content": [call | {"input": given_}]}},
        common | {"type": "user", "message": {"content": [answer]}},
    )
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


@pytest.mark.parametrize("half", HALVES, ids=ascii)
@pytest.mark.parametrize("what", ["id", "agent_session", "path", "cwd", "content"])
def test_half_a_surrogate_pair_never_reaches_the_document(what: str, half: str) -> None:
    found = read(transcript(**{what: f"text {half}"}))
    assert len(applied(found)) == 1
    assert from_document(audited(found)).inputs.edits_considered <= 1


@pytest.mark.parametrize("half", HALVES, ids=ascii)
def test_a_file_name_that_is_no_utf_8_never_reaches_the_document(half: str) -> None:
    """A transcript without an id of its agent session is named after its file."""
    found = read(transcript(agent_session=""), name=f"logs/one{half}.jsonl")
    assert len(applied(found)) == 1
    assert from_document(audited(found)).inputs.edits_considered == 1


def test_such_a_file_can_be_read_from_disk(tmp_path: Any) -> None:
    path = tmp_path / "one\udcff.jsonl"
    try:
        path.write_bytes(transcript(agent_session=""))
    except (OSError, UnicodeError):
        return  # This file system allows no such name, so it holds no such file.
    found = list(find_evidence([tmp_path]))
    assert len(found) == 1
    assert audited(list(found))
