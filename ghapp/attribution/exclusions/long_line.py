"""Lines over 1,000 characters. It measures the line as it stands, not the normalized one."""

RULE_ID = "long_line"
SENTENCE = "lines over 1,000 characters"

MAXIMUM_LENGTH = 1000
"""Characters of the longest line that counts, without its line end (rules.md 2.15)."""


def excludes(text: str, _normalized: str, /) -> bool:
    r"""Exclude a line of 1,001 characters; the ``\r`` of a Windows line end is none of them."""
    return len(text) > MAXIMUM_LENGTH and len(text.removesuffix("\r")) > MAXIMUM_LENGTH
