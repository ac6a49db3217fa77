"""The frames of protobuf's wire format: where each field lies, without what is in it.

The generated classes build every message of a request before anybody can count them: 16 KB of
gzip made 543 MB of them (docs/telemetry.md). Frames cost nothing until they are read, so the
limits are checked first, and what is not kept is never read at all.
https://protobuf.dev/programming-guides/encoding/
"""

from typing import NamedTuple

from ghapp.attribution.model import many

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_FIXED = {FIXED64: 8, FIXED32: 4}


class DamagedError(ValueError):
    """Raised if bytes are not protobuf."""


class TooManyFieldsError(DamagedError):
    """Raised if a message has more fields than it may have."""


class ProtobufField(NamedTuple):
    """One field of a message, by its places in the body."""

    number: int
    wire: int
    value: int
    """Of a varint its number, of others where its bytes start."""
    end: int
    begin: int
    """Where its tag starts."""


def varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    """Return a number of variable length and the place behind it. Raises `DamagedError`."""
    if at + 1 < end and body[at + 1] < 0x80:
        low, high = body[at], body[at + 1]
        return (low & 0x7F | high << 7, at + 2) if low > 0x7F else (low, at + 1)
    value = shift = 0
    for place in range(at, min(end, at + _LONGEST_VARINT)):
        byte = body[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
        shift += 7
    raise DamagedError(f"a number at byte {at} has no end")


def fields(body: bytes, at: int, end: int, most: int) -> list[ProtobufField]:
    """Return the fields of a message between two places.

    Raises `DamagedError`, and `TooManyFieldsError` before it reads more than it may.
    """
    found: list[tuple[int, int, int, int, int]] = []
    while at < end:
        if len(found) == most:
            raise TooManyFieldsError(f"a message has more than {most:,} fields before byte {at}")
        begin = at
        # This loop is hot: nearly all tags and many lengths have one byte.
        tag = body[at]
        at += 1
        if tag > 0x7F:
            tag, at = varint(body, begin, end)
        wire = tag & 7
        if wire == BYTES:
            length, value = (body[at], at + 1) if at < end else (0x80, at)
            if length > 0x7F:
                length, value = varint(body, at, end)
            at = value + length
        elif wire == VARINT:
            value, at = varint(body, at, end)
        elif wire in _FIXED:
            value = at
            at += _FIXED[wire]
        else:
            raise DamagedError(f"byte {begin} begins no field")
        if at > end or tag <= 7:
            raise DamagedError(f"the field at byte {begin} has no number, or ends too late")
        found.append((tag >> 3, wire, value, at, begin))
    return many(ProtobufField, found)


def leading(
    body: bytes, at: int, end: int, tag: int, most: int
) -> tuple[list[tuple[int, int]], int]:
    """Return where the messages of one tag lie that stand first, and where they end.

    It is quicker than `fields`, which takes the rest. Raises `DamagedError`, and
    `TooManyFieldsError` before it reads more than it may.
    """
    found: list[tuple[int, int]] = []
    while at + 1 < end and body[at] == tag:
        if len(found) == most:
            raise TooManyFieldsError(f"there are more than {most:,} messages before byte {at}")
        # This loop is hot: nearly all lengths have one byte or two.
        length, start = body[at + 1], at + 2
        if length > 0x7F:
            if start < end and body[start] <= 0x7F:
                length, start = length & 0x7F | body[start] << 7, start + 1
            else:
                length, start = varint(body, at + 1, end)
        at = start + length
        if at > end:
            raise DamagedError(f"the message at byte {start} ends too late")
        found.append((start, at))
    return found, at


def inside(message: list[ProtobufField], number: int) -> list[tuple[int, int]]:
    """Return where the messages or texts in one field lie."""
    return [(value, end) for its, wire, value, end, _ in message if its == number and wire == BYTES]


def varint_bytes(value: int) -> bytes:
    """Return a number from 0 on in protobuf's variable length."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
