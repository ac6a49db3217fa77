"""Lines over 1,000 characters. It measures the line as it stands, not the normalized one."""

from ghapp.attribution.normalize import is_long

RULE_ID = "long_line"
SENTENCE = "lines over 1,000 characters"


def excludes(text: str, _normalized: str, /) -> bool:
    r"""Exclude a line of 1,001 characters; the ``\r`` of a Windows line end is none of them."""
    return is_long(text)
