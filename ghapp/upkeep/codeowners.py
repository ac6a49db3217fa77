"""Which team owns the files of a directory, by the text of a CODEOWNERS file. It reads no file.

What is made of it is told in docs/decisions/0018-whose-code-a-person-writes.md.
"""

import re
from typing import NamedTuple

from ghapp.attribution.exclusions.path_pattern import PathPattern, from_text

_SPACE = re.compile(r"(?<!\\)\s+")
_TEAM = re.compile(r"@[^/]+/(.+)")
A_FILE = ""
"""Stands for any file of a directory: no pattern for some names of files matches it."""


class OwnerRule(NamedTuple):
    """One line of the file."""

    pattern: PathPattern
    team: str | None
    """The first team that it names, by its slug; ``None``: it names people or nobody."""


class CodeOwners:
    r"""The rules of one file; the last one that matches holds, as on GitHub.

    >>> owners = CodeOwners("* @acme/core\n/web/ @ann @acme/web-pages # and their tests\n")
    >>> owners.team_of("web/css"), owners.team_of(".")
    ('web-pages', 'core')
    """

    def __init__(self, text: str) -> None:
        lines = (line.partition("#")[0].strip() for line in text.splitlines())
        self._rules = tuple(_rule(*_SPACE.split(line)) for line in lines if _is_valid(line))

    def team_of(self, directory: str) -> str | None:
        """Return the team that owns the files of a directory (``.``: the top); ``None``: no team.

        Rules for files of some name, such as ``*.md``, are not seen.
        """
        names = [*directory.split("/"), A_FILE] if directory != "." else [A_FILE]
        return next((rule.team for rule in reversed(self._rules) if _owns(rule, names)), None)


def _is_valid(line: str) -> bool:
    """Say whether GitHub would not pass over a line: it knows no negation and no ranges."""
    return bool(line) and not line.startswith("!") and "[" not in line


def _rule(pattern: str, *owners: str) -> OwnerRule:
    teams = (found[1] for owner in owners if (found := _TEAM.fullmatch(owner)))
    return OwnerRule(from_text(pattern), next(teams, None))


def _owns(rule: OwnerRule, names: list[str]) -> bool:
    """Say whether a rule is for a file: by its path, or by that of a directory above it."""
    pattern = rule.pattern
    if not pattern.directories_only and pattern.matches(names):
        return True
    # What ends in a lone star is for the files right there, not for those further below.
    above = range(1, len(names)) if pattern.parts[-1] != "*" else ()
    return any(pattern.matches(names[:depth]) for depth in above)
