"""All exclusion rules in their order. It contains no rule itself.

The first rule that excludes a file gives the reason. Git's own facts come first (binary,
submodule, symbolic link, LFS pointer), then the repository's policy, then names, from the surest
to the least sure: a lock file is one in any folder, and everything in a build directory is output.
So a snapshot in ``dist/`` is build output, and a minified fixture is generated.
"""

from ghapp.attribution.exclusions import (
    binary,
    build_directory,
    excluded_path,
    generated,
    lfs_pointer,
    lock_file,
    long_line,
    submodule,
    symbolic_link,
    test_fixture,
    trivial_line,
)
from ghapp.attribution.exclusions.rule import FileRule, LineRule
from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy

FILE_RULES: dict[str, FileRule] = {
    binary.RULE_ID: binary,
    submodule.RULE_ID: submodule,
    symbolic_link.RULE_ID: symbolic_link,
    lfs_pointer.RULE_ID: lfs_pointer,
    excluded_path.RULE_ID: excluded_path,
    lock_file.RULE_ID: lock_file,
    build_directory.RULE_ID: build_directory,
    generated.RULE_ID: generated,
    test_fixture.RULE_ID: test_fixture,
}

LINE_RULES: dict[str, LineRule] = {
    long_line.RULE_ID: long_line,
    trivial_line.RULE_ID: trivial_line,
}


def excluded_file(file: FileDiff, change: Change, policy: Policy) -> str | None:
    """Return the id of the first rule that excludes a whole file, or ``None`` if it counts."""
    for rule_id, rule in FILE_RULES.items():
        if rule.excludes(file, change, policy):
            return rule_id
    return None


def excluded_line(text: str, normalized: str) -> str | None:
    """Return the id of the first rule that excludes a line, or ``None`` if it counts."""
    for rule_id, rule in LINE_RULES.items():
        if rule.excludes(text, normalized):
            return rule_id
    return None
