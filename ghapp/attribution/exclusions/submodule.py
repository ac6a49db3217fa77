"""Submodules: entries that name a commit of another repository. It reads no .gitmodules."""

from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy

RULE_ID = "submodule"
SENTENCE = "submodule pointers"


def excludes(file: FileDiff, _change: Change, _policy: Policy, /) -> bool:
    """Exclude the line ``Subproject commit …``, which git writes."""
    return file.submodule
