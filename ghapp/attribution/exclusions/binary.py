"""Binary files. Git decides what is binary; there is no list of suffixes here."""

from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy

RULE_ID = "binary"
SENTENCE = "binary files"


def excludes(file: FileDiff, _change: Change, _policy: Policy, /) -> bool:
    """Exclude a file if git shows no text for it."""
    return file.binary
