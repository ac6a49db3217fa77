"""Paths that a repository's own policy excludes, as gitignore patterns. There is no default.

The patterns: https://git-scm.com/docs/gitignore
"""

from functools import lru_cache
from typing import NamedTuple

from ghapp.attribution.exclusions.path_pattern import PathPattern, from_text
from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy

RULE_ID = "excluded_path"
SENTENCE = "paths that the repository's policy excludes"


class _Line(NamedTuple):
    """One pattern, and whether it excludes or, after ``!``, includes again."""

    pattern: PathPattern
    excludes: bool


def excludes(file: FileDiff, _change: Change, policy: Policy, /) -> bool:
    """Exclude a path if gitignore would ignore it.

    The last pattern that matches decides. An excluded folder excludes everything in it, and a
    later ``!`` cannot include a file in it again.
    """
    lines = _lines(policy.exclude)
    names = file.path.split("/") if lines else []
    decided: dict[int, bool] = {}
    for line in lines:
        found = line.pattern.depths(names)
        if line.pattern.directories_only:
            found -= {len(names)}
        decided.update(dict.fromkeys(found, line.excludes))
    return any(decided.values())


@lru_cache(maxsize=256)
def _lines(patterns: tuple[str, ...]) -> tuple[_Line, ...]:
    """Parse patterns as git parses a .gitignore, without blank ones and comments."""
    kept = [pattern.rstrip("\r\n") for pattern in patterns]
    kept = [_without_end_spaces(pattern) for pattern in kept]
    return tuple(
        _Line(from_text(pattern.removeprefix("!")), not pattern.startswith("!"))
        for pattern in kept
        if pattern.strip("!/") and not pattern.startswith("#")
    )


def _without_end_spaces(pattern: str) -> str:
    r"""Strip trailing spaces, except one after a ``\``."""
    bare = pattern.rstrip(" ")
    return bare + " " if bare.endswith("\\") and bare != pattern else bare
