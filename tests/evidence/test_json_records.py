"""JSON as agents write it: what is mended, what is refused, and that no text is told."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from ghapp.evidence import json_records
from ghapp.evidence.json_records import (
    RecordError,
    decoded,
    document,
    optional,
    to_time,
    to_time_of_milliseconds,
    whole_records,
)

NAMED = msgspec.json.Decoder(dict[str, str])


def test_half_of_an_emoji_is_replaced_and_a_whole_one_kept() -> None:
    assert decoded(NAMED, b'{"a":"cut \\ud83d"}') == {"a": "cut \ufffd"}
    assert decoded(NAMED, b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"a":"secret', "truncated"),
        (b'{"secret":7}', "got `int`"),
        (b'{"a":"\xff secret"}', "not UTF-8"),
        (b'{"\\ud83d secret":7}', "got `int`"),
        (b'{"a":' * 5000, "."),
    ],
)
def test_an_error_says_what_is_wrong_and_none_of_the_text(line: bytes, problem: str) -> None:
    with pytest.raises(RecordError, match=problem) as caught:
        decoded(NAMED, line)
    assert "secret" not in str(caught.value)
    assert str(caught.value).endswith(": the record is skipped")


def test_an_optional_part_of_another_shape_is_as_if_it_were_absent() -> None:
    assert optional(NAMED, Raw(b'{"a":"b"}')) == {"a": "b"}
    assert optional(NAMED, Raw(b"[1]")) is None
    assert optional(NAMED, Raw()) is None


def test_a_document_is_joined_up_to_its_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "LARGEST_DOCUMENT", 4)
    assert document([b"ab", b"cd"]) == b"abcd"
    with pytest.raises(RecordError, match="more than 4 bytes"):
        document([b"ab", b"cd", b"e"])


NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2026-05-04T09:00:00Z", NINE),
        ("2026-05-04T11:00:00+02:00", NINE),
        ("2026-05-04T09:00:00", NINE),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
        (1777885200000, None),
        (None, None),
    ],
)
def test_a_time_is_in_utc_or_not_known(value: object, found: datetime | None) -> None:
    assert to_time(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (1777885200000, NINE),
        (1777885200000.0, NINE),
        (True, None),
        ("1777885200000", None),
        (float("nan"), None),
        (float("inf"), None),
        (10**30, None),
        (None, None),
    ],
)
def test_milliseconds_are_a_time_or_not_known(value: object, found: datetime | None) -> None:
    assert to_time_of_milliseconds(value) == found


# --- damaged lines --------------------------------------------------------------------------------

ONE, TWO = b'{"sessionId":"1","type":"user"}', b'{"sessionId":"2","type":"x","in":{"a":[{"b":1}]}}'


def is_whole(value: dict[str, Any]) -> bool:
    return "sessionId" in value


@pytest.mark.parametrize(
    ("line", "records", "torn"),
    [
        (ONE, [ONE], False),
        (ONE + TWO, [ONE, TWO], False),
        (ONE + b"  \n", [ONE], False),
        (b"\0" * 9 + ONE + b"\0" + TWO + b"\0", [ONE, TWO], False),
        (b"\0" * 9, [], False),
        (b"\xef\xbb\xbf" + ONE, [ONE], False),
        (TWO[:30] + ONE, [ONE], True),
        (TWO[:-8] + ONE, [ONE], True),
        (ONE + TWO[:30], [ONE], True),
        (ONE + TWO[:30] + ONE, [ONE, ONE], True),
        (TWO[:-1], [], True),
        (b'{"sessionId":"\xff"}', [b'{"sessionId":"\xff"}'], False),
        (b"[1,2]", [], True),
        (b"", [], False),
    ],
)
def test_what_is_whole_on_a_damaged_line_is_found(
    line: bytes,
    records: list[bytes],
    torn: bool,  # noqa: FBT001 (a column of the table)
) -> None:
    assert whole_records(line, is_whole) == (records, torn)


def test_a_hostile_line_ends() -> None:
    for line in (b'{"a":' * 20_000, b'{"a":"' * 20_000, b'{"a":{"b":1},' * 20_000):
        assert whole_records(line, is_whole) == ([], True)


def test_a_damaged_line_gives_its_whole_records_and_then_what_is_wrong() -> None:
    decoder = msgspec.json.Decoder(dict[str, int])

    def each(line: bytes) -> list[object]:
        found = json_records.each_record(decoder, line, lambda value: "a" in value)
        return [type(one) if isinstance(one, RecordError) else one for one in found]

    assert each(b'{"a":1}') == [{"a": 1}]
    assert each(b'\0\0{"a":1}{"a":2}') == [{"a": 1}, {"a": 2}]
    assert each(b'{"x":"to{"a":1}{"b') == [{"a": 1}, RecordError]
    assert each(b'{"a":1}{"a":"one"}') == [{"a": 1}, RecordError]
    assert each(b"no record") == [RecordError]


def test_a_damaged_line_is_read_a_few_times_and_not_from_each_place() -> None:
    inner = b'{"a":' * 900 + b"[" + b"1," * 5_000
    whole, torn = whole_records(b'{"b":1}' + inner + b'{"b":2}', lambda value: "b" in value)
    assert whole == [b'{"b":1}']
    assert torn
    shallow = b'{"a":' * 20 + b"[" + b"1," * 5_000 + b'{"b":2}'
    assert whole_records(shallow, lambda value: "b" in value)[0] == [b'{"b":2}']
