"""Finds the team that owns a directory, from the text of a CODEOWNERS file. It reads no file.

The app uses it as docs/decisions/0018-whose-code-a-person-writes.md says. The format:
https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

import re
from typing import NamedTuple

from ghapp.attribution.exclusions.path_pattern import LONGEST, PathPattern, from_text

# `/docs/my\ page/ @acme/docs`: a backslash keeps a space in the pattern.
_SPACE = re.compile(r"(?<!\\)\s+")
# @acme/web-pages
_TEAM = re.compile(r"@[^/]+/(.+)")
A_FILE = ""
"""Any file of a directory; patterns for certain file names do not match it."""


class OwnerRule(NamedTuple):
    """One line of the file."""

    pattern: PathPattern
    team: str | None
    """Slug of the first team; ``None``: the line names only people or nobody."""


class CodeOwners:
    r"""The rules of one file; as on GitHub, the last matching rule decides.

    >>> owners = CodeOwners("* @acme/core\n/web/ @ann @acme/web-pages # and their tests\n")
    >>> owners.team_of("web/css"), owners.team_of(".")
    ('web-pages', 'core')
    """

    def __init__(self, text: str) -> None:
        lines = (line.partition("#")[0].strip() for line in text.splitlines())
        self._rules = tuple(_rule(*_SPACE.split(line)) for line in lines if _is_valid(line))

    def team_of(self, directory: str) -> str | None:
        """Return the team that owns the files of a directory (``.``: the top); ``None``: no team.

        Rules for certain file names, such as ``*.md``, do not count.
        """
        names = [*directory.split("/"), A_FILE] if directory != "." else [A_FILE]
        return next((rule.team for rule in reversed(self._rules) if _owns(rule, names)), None)


def _is_valid(line: str) -> bool:
    """Return whether a line counts: GitHub supports neither negation nor ranges."""
    is_short = len(line.encode(errors="replace")) < LONGEST
    return bool(line) and is_short and not line.startswith("!") and "[" not in line


def _rule(pattern: str, *owners: str) -> OwnerRule:
    teams = (found[1] for owner in owners if (found := _TEAM.fullmatch(owner)))
    return OwnerRule(from_text(pattern), next(teams, None))


def _owns(rule: OwnerRule, names: list[str]) -> bool:
    """Return whether a rule matches a file or a directory above it."""
    pattern = rule.pattern
    found = pattern.depths(names)
    if not pattern.directories_only and len(names) in found:
        return True
    # A pattern that ends in a lone star, such as `docs/*`, matches no files further below.
    return pattern.parts[-1] != "*" and bool(found - {len(names)})
