"""Reads ``linguist-generated`` from a repository's ``.gitattributes``. It is not a rule itself.

It ignores macros (``[attr]name``) and negative patterns (``!pattern``), which git forbids there.
https://git-scm.com/docs/gitattributes
https://docs.github.com/en/repositories/working-with-files/managing-files/customizing-how-changed-files-appear-on-github
"""

import re
from functools import lru_cache
from typing import NamedTuple

from ghapp.attribution.exclusions.path_pattern import LONGEST, PathPattern, from_text
from ghapp.attribution.quoted import QUOTED, unquote

_NAME = ".gitattributes"
_ATTRIBUTE = re.compile(r"([-!]?)linguist-generated(?:=(\S*))?")  # -linguist-generated, …=true
_FALSE = frozenset({"false", "0", "no", "off"})


class _Rule(NamedTuple):
    """One line that sets, unsets or resets the attribute."""

    pattern: PathPattern
    value: bool | None


def linguist_generated(path: str, gitattributes: dict[str, str]) -> bool | None:
    """Return the attribute's value for a path, or ``None`` if it has none.

    The ``.gitattributes`` nearest to the path decides, and in it the last line that matches.
    """
    value: bool | None = None
    for file in sorted(gitattributes, key=len):
        folder = file.removesuffix(_NAME)
        if not path.startswith(folder) or folder[-1:] not in ("", "/"):
            continue
        names = path.removeprefix(folder).split("/")
        for rule in _rules(gitattributes[file]):
            if rule.pattern.matches(names):
                value = rule.value
    return value


@lru_cache(maxsize=256)
def _rules(text: str) -> tuple[_Rule, ...]:
    """Parse the lines of one file that name the attribute; git ignores the long ones too."""
    named = (line for line in text.split("\n") if "linguist-generated" in line)
    found = (_rule(line.strip()) for line in named if len(line.encode(errors="replace")) < LONGEST)
    return tuple(rule for rule in found if rule)


def _rule(line: str) -> _Rule | None:
    """Parse ``*.pb.go linguist-generated`` or ``gen/** -linguist-generated``."""
    quoted = QUOTED.match(line)
    pattern, rest = (
        (unquote(quoted[0]), line[quoted.end() :]) if quoted else _two(line.split(maxsplit=1))
    )
    values = [_value(match) for match in map(_ATTRIBUTE.fullmatch, rest.split()) if match]
    if not values or line.startswith(("#", "!", "[attr]")) or pattern.endswith("/"):
        return None
    return _Rule(from_text(pattern), values[-1])


def _two(words: list[str]) -> tuple[str, str]:
    return words[0], words[1] if len(words) > 1 else ""


def _value(attribute: re.Match[str]) -> bool | None:
    """Return the value that one word gives; ``!`` resets it to ``None``."""
    if attribute[1] == "!":
        return None
    return attribute[1] != "-" and (attribute[2] or "true").lower() not in _FALSE
