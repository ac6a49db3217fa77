"""A line as keyed hashes instead of text. It holds no key and stores nothing.

Fingerprints suffice to compare lines, exactly and within the rewrite limit, and for nothing
else. One has 8 bytes for the whole normalized line and 5 bytes for each token
(`normalize.tokens`): a 4-byte keyed hash, and one byte with the token's length in characters
(low 7 bits) and whether it is a word (high bit). Anyone with the key can test guesses of short
lines; without it, the hashes show which lines and tokens are equal, and how long they are. The
length of a token over `SHOWN_LENGTH` is rounded up: an exact one would tell which token is a
secret of a known form, such as an access key of 34 characters.
"""

from collections.abc import Iterator
from hashlib import blake2b

from ghapp.attribution.model import EditHunk, FingerprintLines, LineFingerprint, TextLines
from ghapp.attribution.normalize import LONGEST_OWN_LINE, normalize, tokens

LINE_BYTES = 8
TOKEN_BYTES = 4
RECORD_BYTES = TOKEN_BYTES + 1
LONGEST_TOKEN = 0x7F
"""Characters of the longest token in one record; a longer token becomes several records."""

SHOWN_LENGTH = 16
"""Characters of the longest token whose exact length is stored."""
LENGTH_STEP = 8
"""Longer lengths are rounded up to a multiple of this, or to `LONGEST_TOKEN`."""

_WORD = 0x80


class LineFingerprinter:
    """Turns text lines into fingerprints with one installation's key.

    ``key`` is 16 to 64 secret bytes. Fingerprints of different keys cannot be compared.
    """

    def __init__(self, key: bytes) -> None:
        self._line = blake2b(digest_size=LINE_BYTES, key=key, person=b"ghapp line")
        self._token = blake2b(digest_size=TOKEN_BYTES, key=key, person=b"ghapp token")
        self._known: dict[str, bytes] = {}

    def line(self, text: str) -> LineFingerprint:
        """Return the fingerprint of a line of raw text."""
        normalized = "" if len(text) > LONGEST_OWN_LINE else normalize(text)
        whole = self._line.copy()
        whole.update(normalized.encode("utf-8", "surrogatepass"))
        return LineFingerprint(
            whole.digest(), b"".join(self.token(part) for part in pieces(normalized))
        )

    def lines(self, text: TextLines) -> FingerprintLines:
        """Return an edit's lines as fingerprints, including blank lines."""
        return FingerprintLines(
            hunks=tuple(
                EditHunk(
                    tuple(map(self.line, hunk.before)),
                    tuple(map(self.line, hunk.own)),
                    tuple(map(self.line, hunk.after)),
                )
                for hunk in text.hunks
            ),
            removed=tuple(map(self.line, text.removed)),
        )

    def token(self, piece: str) -> bytes:
        """Return the record of one token of at most 127 characters."""
        record = self._known.get(piece)
        if record is None:
            digest = self._token.copy()
            digest.update(piece.encode("utf-8", "surrogatepass"))
            mark = _WORD if is_word(piece) else 0
            record = digest.digest() + bytes((_rounded(len(piece)) | mark,))
            self._known[piece] = record
        return record


def _rounded(length: int) -> int:
    if length <= SHOWN_LENGTH:
        return length
    return min(-(-length // LENGTH_STEP) * LENGTH_STEP, LONGEST_TOKEN)


def shortest(length: int) -> int:
    """Return the length of the shortest token that is stored with that length.

    >>> [shortest(length) for length in (5, 16, 24, 40, 120, 127)]
    [5, 16, 17, 33, 113, 121]
    """
    if length <= SHOWN_LENGTH:
        return length
    return (length - 1) // LENGTH_STEP * LENGTH_STEP + 1


def is_word(token: str) -> bool:
    """Say whether a token is a word or number, not white space or a sign."""
    return any(map(str.isalnum, token))


def pieces(normalized: str) -> Iterator[str]:
    """Yield a normalized line's tokens; a token over 127 characters comes in parts."""
    for token in tokens(normalized):
        if len(token) <= LONGEST_TOKEN:
            yield token
        else:
            yield from split(token)


def split(token: str) -> Iterator[str]:
    """Yield the parts of a long token, each short enough for one record."""
    return (token[at : at + LONGEST_TOKEN] for at in range(0, len(token), LONGEST_TOKEN))


def records(line: LineFingerprint) -> Iterator[tuple[bytes, int, bool]]:
    """Yield (hash, length in characters, is a word) for each token of a fingerprint.

    The length is the longest that the token may have; `shortest` gives the other end.
    """
    packed = line.tokens
    for at in range(0, len(packed), RECORD_BYTES):
        mark = packed[at + TOKEN_BYTES]
        yield packed[at : at + TOKEN_BYTES], mark & LONGEST_TOKEN, bool(mark & _WORD)
