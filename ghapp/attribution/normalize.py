"""A line's normalized text, and whether it counts. It knows no file and no policy."""

import re
import unicodedata
from collections.abc import Sequence

QUOTES = (
    "'\"`\u00b4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f"
    "\u2039\u203a\u00ab\u00bb\u2032\u2033\uff07\uff02"
)
"""Quotation marks that all become ``'`` (rules.md 2.13)."""

MINIMUM_LENGTH = 4
"""Characters of the shortest effective line: "more than 3" (rules.md 1)."""

LONGEST_LINE = 1_000
"""Characters of the longest line that counts, before normalization (rules.md 1, 2.15)."""

LONGEST_OWN_LINE = 10_000
"""Characters of the longest line of an edit that is compared: a formatter may have broken a line
that is too long to count into lines that count."""

_OTHER_SPACES = "\t\v\f\r\x1c\x1d\x1e\x1f"
"""What `str.split` takes for white space in ASCII text, besides spaces and line ends."""

_TO_ONE_QUOTE = str.maketrans(dict.fromkeys(QUOTES, "'"))
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")  # "x_1", " ", "=", " ", "f", "(" of "x_1 = f("


def normalize(text: str) -> str:
    r"""Return a line's normalized text: NFC, trimmed, single spaces, one quote, lower case.

    >>> normalize('  Print( "Hello",\t`World` )  ')
    "print( 'hello', 'world' )"
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).translate(_TO_ONE_QUOTE)
    # For ASCII text, two replacements are several times faster than a translation.
    return " ".join(text.split()).replace('"', "'").replace("`", "'").lower()


def normalize_all(texts: Sequence[str]) -> list[str]:
    r"""Return the normalized text of each line, as `normalize` does.

    Lines of ASCII are joined and converted at once: a call for each line takes five times as long.

    >>> normalize_all(['  Print( "Hello",\t`World` )  ', "\xc9t\xe9  = 1"])
    ["print( 'hello', 'world' )", '\xe9t\xe9 = 1']
    """
    joined = "\n".join(texts)
    if joined.count("\n") != len(texts) - 1:  # no text, or one with a line end in it
        return list(map(normalize, texts))
    if not joined.isascii():
        plain = iter(normalize_all([text for text in texts if text.isascii()]))
        return [next(plain) if text.isascii() else normalize(text) for text in texts]
    for space in _OTHER_SPACES:
        joined = joined.replace(space, " ")
    lines = joined.replace('"', "'").replace("`", "'").lower().split("\n")
    return [" ".join(line.split()) if "  " in line else line for line in map(str.strip, lines)]


def is_long(text: str) -> bool:
    r"""Say whether a line is too long to count, without the ``\r`` of a Windows line end."""
    return len(text) > LONGEST_LINE and len(text.removesuffix("\r")) > LONGEST_LINE


def is_effective(normalized: str) -> bool:
    """Say whether a normalized line counts: at least 4 characters, one a letter or digit."""
    if len(normalized) < MINIMUM_LENGTH:
        return False
    return normalized[0].isalnum() or any(map(str.isalnum, normalized))


def tokens(normalized: str) -> list[str]:
    """Split a normalized line into words, single spaces and single signs, without loss.

    >>> tokens("x_1 = f('a')")
    ['x_1', ' ', '=', ' ', 'f', '(', "'", 'a', "'", ')']
    """
    return _TOKEN.findall(normalized)
