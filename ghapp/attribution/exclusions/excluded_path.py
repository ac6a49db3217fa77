"""The paths that a repository's own policy excludes, as gitignore patterns. It knows no default."""

from functools import lru_cache
from typing import NamedTuple

from ghapp.attribution.exclusions.path_pattern import PathPattern, from_text
from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy

RULE_ID = "excluded_path"
SENTENCE = "paths that the repository's policy excludes"


class _Line(NamedTuple):
    """One pattern, and whether it excludes or, behind ``!``, takes back."""

    pattern: PathPattern
    excludes: bool


def excludes(file: FileDiff, _change: Change, policy: Policy, /) -> bool:
    """Exclude a path as gitignore would ignore it.

    The last pattern that matches decides. Where a folder is excluded all in it is, and a
    later ``!`` cannot take a file back out of it.
    """
    lines = _lines(policy.exclude)
    names = file.path.split("/") if lines else []
    return any(
        _is_ignored(lines, names[:depth], is_folder=depth < len(names))
        for depth in range(1, len(names) + 1)
    )


def _is_ignored(lines: tuple[_Line, ...], names: list[str], *, is_folder: bool) -> bool:
    """Say what the last matching pattern says of one folder or file."""
    for line in reversed(lines):
        if (is_folder or not line.pattern.directories_only) and line.pattern.matches(names):
            return line.excludes
    return False


@lru_cache(maxsize=256)
def _lines(patterns: tuple[str, ...]) -> tuple[_Line, ...]:
    """Read patterns as git reads a .gitignore; blank ones and comments say nothing."""
    kept = [pattern.rstrip("\r\n") for pattern in patterns]
    kept = [_without_end_spaces(pattern) for pattern in kept]
    return tuple(
        _Line(from_text(pattern.removeprefix("!")), not pattern.startswith("!"))
        for pattern in kept
        if pattern.strip("!/") and not pattern.startswith("#")
    )


def _without_end_spaces(pattern: str) -> str:
    r"""Drop spaces at the end, except one that ``\`` protects."""
    bare = pattern.rstrip(" ")
    return bare + " " if bare.endswith("\\") and bare != pattern else bare
