"""Lines over 1,000 characters, before normalization."""

from ghapp.attribution.normalize import is_long

RULE_ID = "long_line"
SENTENCE = "lines over 1,000 characters"


def excludes(text: str, _normalized: str, /) -> bool:
    r"""Exclude a line of 1,001 characters or more, without the ``\r`` of a Windows line end."""
    return is_long(text)
