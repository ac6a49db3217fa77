"""The two shapes of an exclusion rule. It holds no rule.

A rule is a module. Siblings never import each other, and each answers for itself: whether
another rule would exclude the same file is nothing it has to know.
"""

from typing import Protocol

from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy


class FileRule(Protocol):
    """A module that excludes whole files."""

    RULE_ID: str
    """Also the module's name, the fixture folder, the anchor in docs/exclusions.md, the reason."""
    SENTENCE: str
    """What is excluded, as reports say it: "dependency lock files"."""

    def excludes(self, file: FileDiff, change: Change, policy: Policy, /) -> bool:
        """Say whether this file's lines are not counted; its path is the merged version's."""


class LineRule(Protocol):
    """A module that excludes single lines of files that are counted."""

    RULE_ID: str
    SENTENCE: str

    def excludes(self, text: str, normalized: str, /) -> bool:
        """Say whether this line is not counted; ``text`` is raw, without a line end."""
