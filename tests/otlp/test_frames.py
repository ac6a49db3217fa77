"""Frames are found as the generated classes find fields, and damage is named."""

import pytest
from google.protobuf.internal import encoder
from hypothesis import given
from hypothesis import strategies as st

from ghapp.otlp.frames import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    DamagedError,
    TooManyFieldsError,
    fields,
    inside,
    leading,
    varint,
    varint_bytes,
)
from tests.searching import searched

NUMBERS = st.integers(0, 2**64 - 1)


@given(NUMBERS)
@searched(200)
def test_a_number_is_read_as_it_is_written(number: int) -> None:
    written: list[bytes] = []
    encoder._VarintEncoder()(written.append, number)  # type: ignore[no-untyped-call]
    body = b"".join(written)
    assert varint(b"x" + body + b"\x7f", 1, len(body) + 2) == (number, len(body) + 1)
    assert varint_bytes(number) == body


@pytest.mark.parametrize("body", [b"", b"\x80", b"\x80\x80", b"\xff" * 11])
def test_a_number_without_end_is_damage(body: bytes) -> None:
    with pytest.raises(DamagedError):
        varint(body, 0, len(body))


def _field(number: int, wire: int, payload: bytes) -> bytes:
    size = varint_bytes(len(payload)) if wire == BYTES else b""
    return varint_bytes(number << 3 | wire) + size + payload


PARTS = st.one_of(
    st.tuples(st.just(VARINT), NUMBERS.map(varint_bytes)),
    st.tuples(st.just(FIXED64), st.binary(min_size=8, max_size=8)),
    st.tuples(st.just(FIXED32), st.binary(min_size=4, max_size=4)),
    st.tuples(st.just(BYTES), st.binary(max_size=300)),
)


@given(st.lists(st.tuples(st.integers(1, 3000), PARTS), max_size=20), st.binary(max_size=3))
@searched(200)
def test_every_field_is_found_where_it_lies(
    given_fields: list[tuple[int, tuple[int, bytes]]], around: bytes
) -> None:
    raw = [_field(number, wire, payload) for number, (wire, payload) in given_fields]
    body = around + b"".join(raw) + around
    found = fields(body, len(around), len(body) - len(around), 20)
    assert [body[one.begin : one.end] for one in found] == raw
    for one, (number, (wire, payload)) in zip(found, given_fields, strict=True):
        assert (one.number, one.wire) == (number, wire)
        whole = varint_bytes(one.value) if wire == VARINT else body[one.value : one.end]
        assert whole == payload


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\x0b", id="a group"),
        pytest.param(b"\x0f", id="no wire type"),
        pytest.param(b"\x00\x01", id="field 0"),
        pytest.param(b"\x0a\x05abc", id="a length beyond the end"),
        pytest.param(b"\x0a", id="no length"),
        pytest.param(b"\x09abc", id="half a fixed64"),
        pytest.param(b"\x0d\x00", id="half a fixed32"),
        pytest.param(b"\x80", id="half a tag"),
    ],
)
def test_damage_is_named(body: bytes) -> None:
    with pytest.raises(DamagedError, match="byte"):
        fields(body, 0, len(body), 10)


def test_a_field_that_ends_in_the_next_message_is_damage() -> None:
    with pytest.raises(DamagedError):
        fields(b"\x0a\x03abc", 0, 4, 10)
    with pytest.raises(DamagedError):
        leading(b"\x0a\x03abc", 0, 4, 0x0A, 9)


def test_no_more_fields_are_read_than_may_be() -> None:
    assert len(fields(b"\x08\x01" * 5, 0, 10, 5)) == 5
    with pytest.raises(TooManyFieldsError, match="more than 4 fields"):
        fields(b"\x08\x01" * 5, 0, 10, 4)


def test_no_more_messages_are_read_than_may_be() -> None:
    assert leading(b"\x0a\x00" * 5, 0, 10, 0x0A, 5)[1] == 10
    with pytest.raises(TooManyFieldsError, match="more than 4 messages"):
        leading(b"\x0a\x00" * 5, 0, 10, 0x0A, 4)


@given(st.lists(st.binary(max_size=200), max_size=9), st.sampled_from([b"", b"\x10\x01"]))
@searched(100)
def test_the_leading_messages_are_those_of_the_fields(parts: list[bytes], rest: bytes) -> None:
    body = b"".join(_field(1, BYTES, one) for one in parts) + rest
    found, stop = leading(body, 0, len(body), 0x0A, 9)
    assert found == inside(fields(body, 0, len(body), 99), 1)
    assert body[stop:] == rest
