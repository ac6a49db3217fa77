"""Where a request of HTTP/1 ends: bytes go in as they come, whole requests come out.

It reads no socket and judges no request: gunicorn parses what is whole, and refuses what is wrong.
"""

import re

from ghapp.github.webhooks import MAX_BODY_BYTES

LARGEST_BODY = MAX_BODY_BYTES + 64 * 1024
"""Bytes: above GitHub's own limit, so that we never refuse GitHub's largest payload."""
MOST_HEAD = 64 * 1024
"""Bytes of a request line and its headers together."""
MOST_LINE = 8_190
"""Bytes of a line that says how long a chunk is, as gunicorn reads it."""
MOST_CHUNKS = 10_000
"""Chunks of one body: following very many small ones would hold up all other connections."""

_END = b"\r\n\r\n"
# Content-Length: 42
_LENGTH = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
# Transfer-Encoding: chunked
_CODED = re.compile(rb"\r\ntransfer-encoding[ \t]*:", re.IGNORECASE)
# Expect: 100-continue
_EXPECTS = re.compile(rb"\r\nexpect[ \t]*:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)


class TooLargeError(ValueError):
    """The head has more than `MOST_HEAD` bytes."""


class RequestFrame:
    """The bytes of one connection that no request was made of yet.

    ``most_body`` is the number of bytes of the largest body worth reading: a request that
    announces or sends more counts as whole at once, so that it can be refused.
    """

    def __init__(self, most_body: int) -> None:
        self._most_body = most_body
        self._bytes = bytearray()
        self._begin()

    def _begin(self) -> None:
        self._searched = 0
        self.head: bytes | None = None
        """The request line and the headers; ``None``: not all of them are here."""
        self._end: int | None = None
        self._chunk: int | None = None
        self._chunks = 0
        self.is_cut = False
        """Whether the body is larger than what is worth reading, so nothing may follow."""

    def __len__(self) -> int:
        """Return how many bytes are held."""
        return len(self._bytes)

    def __bool__(self) -> bool:
        """Say that this is a frame, also while it holds nothing."""
        return True

    @property
    def is_whole(self) -> bool:
        """Whether a request is here from its first byte to its last."""
        return self._end is not None and len(self._bytes) >= self._end

    @property
    def target(self) -> bytes:
        """The path that the request line names, without its query; empty: not known yet."""
        line = (self.head or b"").partition(b"\r\n")[0].split(b" ")
        return line[1].partition(b"?")[0] if len(line) > 1 else b""

    @property
    def waits_for_us(self) -> bool:
        """Whether the sender keeps the body back until it is told to go on."""
        return self.head is not None and bool(_EXPECTS.search(self.head)) and not self.is_whole

    def feed(self, data: bytes) -> None:
        """Add bytes. Raises `TooLargeError`."""
        self._bytes += data
        self._look()

    def take(self) -> bytes:
        """Return the request that is whole, and go on with what came after it."""
        end = len(self._bytes) if self._end is None else self._end
        whole = bytes(self._bytes[:end])
        del self._bytes[:end]
        self._begin()
        self._look()
        return whole

    def _look(self) -> None:
        if self.head is None:
            self._look_for_head()
        if self._chunk is not None and self._end is None:
            self._look_for_last_chunk()

    def _look_for_head(self) -> None:
        # RFC 9112, 2.2: a server ignores an empty line before the request line.
        at = self._bytes.find(_END, self._searched)
        if at < 0:
            self._searched = max(0, len(self._bytes) - len(_END) + 1)
            if len(self._bytes) > MOST_HEAD:
                raise TooLargeError
            return
        if at > MOST_HEAD:
            raise TooLargeError
        start = at + len(_END)
        self.head = head = bytes(self._bytes[:start])
        if _CODED.search(head):
            self._chunk = start
            return
        length = _LENGTH.search(head)
        self._end_after(start, int(length[1]) if length else 0)

    def _end_after(self, start: int, length: int) -> None:
        self.is_cut = length > self._most_body
        self._end = start if self.is_cut else start + length

    def _look_for_last_chunk(self) -> None:
        """Follow the chunks as far as they are here; what is wrong ends the request at once."""
        assert self.head is not None  # noqa: S101 - chunks follow a head
        while self._chunk is not None and self._end is None:
            at = self._bytes.find(b"\r\n", self._chunk, self._chunk + MOST_LINE)
            if at < 0:
                if len(self._bytes) - self._chunk >= MOST_LINE:
                    self._cut()
                return
            size = _size(bytes(self._bytes[self._chunk : at]))
            self._chunks += 1
            if (
                size is None
                or self._chunks > MOST_CHUNKS
                or at + size - len(self.head) > self._most_body
            ):
                self._cut()
            elif size == 0:
                self._look_for_trailers(at)
                return
            else:
                self._chunk = at + 2 + size + 2
                if self._chunk > len(self._bytes):
                    return

    def _look_for_trailers(self, at: int) -> None:
        """End after the empty line behind the last chunk and the trailers."""
        end = self._bytes.find(_END, at, at + MOST_HEAD)
        if end >= 0:
            self._end = end + len(_END)
        elif len(self._bytes) - at > MOST_HEAD:
            self._cut()

    def _cut(self) -> None:
        self.is_cut = True
        self._end = len(self._bytes)


def _size(line: bytes) -> int | None:
    """Return the number of bytes in a chunk; ``None``: the line does not say."""
    digits = line.partition(b";")[0].strip(b" \t")
    if not 1 <= len(digits) <= 16 or digits.strip(b"0123456789abcdefABCDEF"):
        return None
    return int(digits, 16)
