"""Symbolic links: entries that name another path. It follows none."""

from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy

RULE_ID = "symbolic_link"
SENTENCE = "symbolic links"


def excludes(file: FileDiff, _change: Change, _policy: Policy, /) -> bool:
    """Exclude an entry whose mode in the diff is that of a link."""
    return file.symlink
