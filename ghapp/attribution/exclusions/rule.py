"""The interfaces of exclusion rules. It contains no rule.

A rule is a module. Rules never import each other, and need not know whether another rule would
exclude the same file.
"""

from typing import Protocol

from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy


class FileRule(Protocol):
    """A module that excludes whole files."""

    RULE_ID: str
    """Also the name of the module, fixture folder, anchor in docs/exclusions.md, and reason."""
    SENTENCE: str
    """What the rule excludes, as docs/exclusions.md says it: "dependency lock files"."""

    def excludes(self, file: FileDiff, change: Change, policy: Policy, /) -> bool:
        """Say whether to exclude this file; its path is that of the merged version."""


class LineRule(Protocol):
    """A module that excludes single lines of files that are counted."""

    RULE_ID: str
    SENTENCE: str

    def excludes(self, text: str, normalized: str, /) -> bool:
        """Say whether to exclude this line; ``text`` is raw, without a line end."""
