"""The bench's own view of a line, deliberately independent of the engine."""

import unicodedata

from rapidfuzz.distance import Levenshtein

QUOTES = (
    "'\"`\u00b4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f"
    "\u2039\u203a\u00ab\u00bb\u2032\u2033\uff07\uff02"
)
"""Marks that count as equal; a second copy of the policy's list."""

_ONE_QUOTE = {ord(sign): "'" for sign in QUOTES}

LONGEST = 1000
"""Longest counted line, in characters."""

LIMIT = 0.2
"""The largest difference that is still attributed."""


def normalize(text: str) -> str:
    """Return a line trimmed, with single spaces, one kind of quote and in lower case."""
    plain = unicodedata.normalize("NFC", text).translate(_ONE_QUOTE)
    return " ".join(plain.split()).lower()


def is_effective(text: str) -> bool:
    """Return whether a raw line counts: long enough, not too long, with a letter or a digit."""
    normal = normalize(text)
    return len(text) <= LONGEST and len(normal) > 3 and any(sign.isalnum() for sign in normal)


def difference(one: str, other: str) -> float:
    """Return the share of characters in which two raw lines differ, 0 to 1."""
    left, right = normalize(one), normalize(other)
    longer = max(len(left), len(right))
    return Levenshtein.distance(left, right) / longer if longer else 0.0


def is_within_limit(one: str, other: str) -> bool:
    """Return whether two raw lines differ by 20 % or less, without binary rounding."""
    left, right = normalize(one), normalize(other)
    return 5 * Levenshtein.distance(left, right) <= max(len(left), len(right))
