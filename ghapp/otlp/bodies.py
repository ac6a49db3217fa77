"""The body of an OTLP/HTTP request: its type, unpacking within limits, its digest.

https://github.com/open-telemetry/opentelemetry-proto/blob/main/docs/specification.md#otlphttp
"""

import hashlib
import zlib
from enum import StrEnum

MOST_BYTES = 16 * 1024 * 1024
"""Bytes of a body, as it is sent and after unpacking."""

_STEP = 256 * 1024
_GZIP = 31  # zlib's window bits for gzip: 15, and 16 for the header


class MediaType(StrEnum):
    """The two encodings; an answer has the request's."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


class RequestRefusedError(ValueError):
    """Raised if a request is refused whole. The message says what was found and what to do."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        """HTTP's status. None of those used here makes a sender send the same again."""


def media_of(content_type: str | None) -> MediaType:
    """Return the encoding that a ``Content-Type`` names. Raises `RequestRefusedError`."""
    plain = (content_type or "").partition(";")[0].strip().lower()
    try:
        return MediaType(plain)
    except ValueError:
        message = f"the content type is none of {', '.join(MediaType)}: set the exporter's protocol"
        raise RequestRefusedError(415, f"{message} to http/protobuf or http/json") from None


def unpacked(body: bytes, encoding: str | None) -> bytes:
    """Return a body without its ``Content-Encoding``, which is none or gzip.

    It is unpacked in steps, so that a small body never becomes more than `MOST_BYTES`. Raises
    `RequestRefusedError`.
    """
    if len(body) > MOST_BYTES:
        raise too_large()
    name = (encoding or "identity").strip().lower()
    if name == "identity":
        return body
    if name != "gzip":
        message = "the content encoding is neither gzip nor none: set the exporter's compression"
        raise RequestRefusedError(415, message)
    return _inflated(body)


def _inflated(body: bytes) -> bytes:
    inflate = zlib.decompressobj(_GZIP)
    parts: list[bytes] = []
    size, rest = 0, body
    try:
        while not inflate.eof:
            part = inflate.decompress(rest, _STEP)
            rest = inflate.unconsumed_tail
            if not part and not rest:
                break
            size += len(part)
            if size > MOST_BYTES:
                raise too_large()
            parts.append(part)
    except zlib.error:
        raise RequestRefusedError(400, "the body is not gzip, or damaged: send it again") from None
    if not inflate.eof:
        raise RequestRefusedError(400, "the gzip data ends too early: send it again")
    if inflate.unused_data:
        raise RequestRefusedError(400, "more follows after the end of the gzip data: send one part")
    return b"".join(parts)


def too_large() -> RequestRefusedError:
    """Return the refusal of a body that is too long, as sent or unpacked."""
    message = f"the body has more than {MOST_BYTES:,} bytes unpacked: export smaller batches"
    return RequestRefusedError(413, message)


def request_digest(body: bytes) -> bytes:
    """Return what identical bodies have in common: 32 bytes of the body as it was sent.

    A sender repeats a request whose answer was lost; it sends the same bytes. Equal points in
    different bodies are not the same point: two processes of one agent session send such.
    """
    return hashlib.sha256(body).digest()
