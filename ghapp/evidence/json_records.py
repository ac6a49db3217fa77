"""JSON as agents write it, decoded into types by line or by document. It knows no agent.

An error message about JSON that cannot be decoded holds none of its text.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

_Part = TypeVar("_Part")

UNREADABLE = (ValueError, RecursionError)
"""What decoding raises: not JSON, not UTF-8, the wrong shape, or nested too deeply."""

LARGEST_DOCUMENT = 1024 * 1024 * 1024
"""Bytes. A document is one JSON value, so memory must hold it whole."""

MANY_LINES = 1024
"""Lines of a document that are joined at once."""

MOST_STARTS = 1_000
"""Places of a damaged line where an object is looked for."""
MOST_READINGS = 32
"""How often a damaged line is read at most, all these places together."""

IsRecord = Callable[[dict[str, Any]], bool]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DECODER = json.JSONDecoder()
_OPENS = re.compile(rb"\s*\{")
_START = re.compile(r'\{\s*"')
_MARK = b"\xef\xbb\xbf"  # of byte order, which some programs write at the start of a file
_NUL = re.compile(rb"\0+")
# the first half of an emoji, cut in the middle: \ud83d
_LONE = re.compile("[\ud800-\udfff]")


class RecordError(ValueError):
    """Raised if a record or a part of it does not have the shape that its kind requires."""


def decoded(decoder: msgspec.json.Decoder[_Part], line: bytes | Raw) -> _Part:
    """Decode a line or a part of it. Raises `RecordError`."""
    try:
        return decoder.decode(line)
    except UNREADABLE as problem:
        return mended(decoder, bytes(line), problem)


def mended(decoder: msgspec.json.Decoder[_Part], line: bytes, problem: Exception) -> _Part:
    """Decode a line that raised ``problem`` again, without halves of surrogate pairs.

    Raises `RecordError` if such halves were not the problem.
    """
    whole = _without_lone_surrogates(line)
    if whole is None:
        raise RecordError(_describe(problem)) from problem
    return decoded(decoder, whole)


def opens_object(head: bytes) -> bool:
    """Return whether a file starts with a JSON object, whatever white space precedes it."""
    return _OPENS.match(head) is not None


def whole_records(line: bytes, is_record: IsRecord) -> tuple[list[bytes], bool]:
    r"""Return the whole JSON objects on a damaged line, and whether more stands there.

    Seen in transcripts: two records without a line end between them, the start of a record with
    the next one right behind it, and a run of NUL bytes before a record
    (https://github.com/anthropics/claude-code/issues/81843 counts them). NUL bytes are padding of
    the file system. An object inside something torn may be a part of it: it counts only if
    ``is_record`` says so.

    >>> whole_records(b'\0\0{"a":1}{"a":2}{"b', lambda value: True)
    ([b'{"a":1}', b'{"a":2}'], True)
    """
    records: list[bytes] = []
    torn = False
    for piece in _NUL.split(line.removeprefix(_MARK)):
        found, rest = _objects(piece.decode("utf-8", "surrogateescape"), is_record)
        records += found
        torn = torn or rest
    return records, torn


def each_record(
    decoder: msgspec.json.Decoder[_Part], line: bytes, is_record: IsRecord
) -> Iterator[_Part | RecordError]:
    """Yield the record of a line; of a damaged line its whole records, then what is wrong.

    Nothing is wrong with a line that holds only whole records, with padding between them.
    """
    try:
        yield decoded(decoder, line)
    except RecordError as problem:
        whole, torn = whole_records(line, is_record)
        for one in whole:
            try:
                yield decoded(decoder, one)
            except RecordError:
                torn = True
        if torn or not whole:
            yield problem


def _objects(text: str, is_record: IsRecord) -> tuple[list[bytes], bool]:
    records: list[bytes] = []
    torn = False
    end = at = 0
    left = MOST_READINGS * len(text)
    for _ in range(MOST_STARTS):
        start = _START.search(text, at)
        if start is None or left < 0:
            break
        at = start.start() + 1
        try:
            value, stop = _DECODER.raw_decode(text, start.start())
        except UNREADABLE as problem:
            left -= _read_to(problem, len(text)) - start.start()
            continue
        left -= stop - start.start()
        is_next = not text[end : start.start()].strip()
        if is_next or is_record(value):
            records.append(text[start.start() : stop].encode("utf-8", "surrogateescape"))
            torn = torn or not is_next
            at = end = stop
    return records, torn or bool(text[end:].strip())


def _read_to(problem: Exception, end: int) -> int:
    """Return how far a text was read before decoding failed; if that is not said, to its end."""
    if not isinstance(problem, json.JSONDecodeError) or problem.msg.startswith("Unterminated"):
        return end  # of a string without an end it says the beginning
    return problem.pos


def optional(decoder: msgspec.json.Decoder[_Part], raw: Raw) -> _Part | None:
    """Decode an optional part; ``None``: it is absent or has another shape."""
    if not raw:
        return None
    try:
        return decoder.decode(raw)
    except UNREADABLE:
        return None


def is_given(raw: Raw) -> bool:
    """Say whether an optional part is there; null is none."""
    return bool(raw) and bytes(raw) != b"null"


def some_text(value: object) -> str | None:
    """Return a text that says something; ``None``: absent, of another kind, or empty."""
    return value if isinstance(value, str) and value else None


def document(records: Iterable[bytes]) -> bytes:
    """Join the lines of a file that is one JSON value. Raises `RecordError` if it is too long."""
    parts: list[bytes] = []
    size = 0
    lines = iter(records)
    while part := b"".join(islice(lines, MANY_LINES)):
        size += len(part)
        if size > LARGEST_DOCUMENT:
            raise RecordError(f"more than {LARGEST_DOCUMENT:,} bytes: the document is skipped")
        parts.append(part)
    return b"".join(parts)


def to_time(value: object) -> datetime | None:
    """Return an ISO 8601 time in UTC, which is also the default zone; ``None``: not a time."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def to_time_of_milliseconds(value: object) -> datetime | None:
    """Return milliseconds since 1970 as a time in UTC; ``None``: not a time."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return _EPOCH + timedelta(milliseconds=value)
    except (ValueError, OverflowError):
        return None


def _without_lone_surrogates(line: bytes) -> bytes | None:
    """Return a line with each half of a surrogate pair replaced; ``None``: it has none.

    JavaScript may cut a string in the middle of an emoji. It writes the remaining half as an
    escape, which Python's own decoder accepts. In a file the half becomes U+FFFD.
    """
    if b"\\ud" not in line and b"\\uD" not in line:
        return None
    try:
        value = json.loads(line)
        whole = _LONE.sub("\ufffd", json.dumps(value, ensure_ascii=False)).encode()
    except UNREADABLE:
        return None
    return None if whole == line else whole


def _describe(problem: Exception) -> str:
    """Return in one sentence what is wrong with a line, without any of its text."""
    if isinstance(problem, UnicodeDecodeError):
        return f"not UTF-8 (byte {problem.start} of a string): the record is skipped"
    if isinstance(problem, RecursionError):
        return "nested too deeply to be read: the record is skipped"
    return f"not a record that can be read ({problem}): the record is skipped"
