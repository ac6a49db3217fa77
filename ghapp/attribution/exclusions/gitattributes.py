"""What a repository's ``.gitattributes`` say of ``linguist-generated``. It is no rule itself.

Not read: macros (``[attr]name``), and patterns that git itself forbids there (``!pattern``).
"""

import re
from functools import lru_cache
from typing import NamedTuple

from ghapp.attribution.exclusions.path_pattern import PathPattern, from_text
from ghapp.attribution.quoted import QUOTED, unquote

_NAME = ".gitattributes"
_ATTRIBUTE = re.compile(r"([-!]?)linguist-generated(?:=(\S*))?")
_FALSE = frozenset({"false", "0", "no", "off"})


class _Rule(NamedTuple):
    """One line of a file that sets, unsets or forgets the attribute."""

    pattern: PathPattern
    value: bool | None


def linguist_generated(path: str, gitattributes: dict[str, str]) -> bool | None:
    """Return what the attribute says of a path; ``None``: nothing.

    The file nearest to the path decides, and in it the last line that matches.
    """
    folders = path.split("/")[:-1]
    value: bool | None = None
    for depth in range(len(folders) + 1):
        text = gitattributes.get("/".join([*folders[:depth], _NAME]))
        names = path.split("/")[depth:]
        for rule in _rules(text) if text else ():
            if rule.pattern.matches(names):
                value = rule.value
    return value


@lru_cache(maxsize=256)
def _rules(text: str) -> tuple[_Rule, ...]:
    """Read the lines of one file that speak of the attribute."""
    found = (_rule(line.strip()) for line in text.split("\n") if "linguist-generated" in line)
    return tuple(rule for rule in found if rule)


def _rule(line: str) -> _Rule | None:
    """Read ``*.pb.go linguist-generated`` or ``gen/** -linguist-generated``."""
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
    """Return what one word says: set, unset, or ``!``, which takes back what was said."""
    if attribute[1] == "!":
        return None
    return attribute[1] != "-" and (attribute[2] or "true").lower() not in _FALSE
