"""Binary files. What is binary is for git to say, not for a list of suffixes here."""

from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy

RULE_ID = "binary"
SENTENCE = "binary files"


def excludes(file: FileDiff, _change: Change, _policy: Policy, /) -> bool:
    """Exclude what git shows no text for."""
    return file.binary
