"""Git's path patterns, matched in time that no pattern can make long. It reads no file.

Patterns come from repositories that nobody here has vetted. Turned into one regular
expression, ``*a*a*a*a*a*a*b`` takes seconds on a name of 60 letters; matched folder by folder,
with ``fnmatch``'s atomic groups inside a name, it takes microseconds.
"""

import fnmatch
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_ESCAPE = re.compile(r"\\(?:([*?[])|(.))")
_ANY_DEPTH = "**"


class PathPattern(NamedTuple):
    """One pattern of a ``.gitignore`` or ``.gitattributes``, cut at its slashes."""

    parts: tuple[str, ...]
    """Glob by folder; ``**`` stands for any number of folders."""
    directories_only: bool
    """It ended with a slash."""

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the whole of a path matches, given as its names without the slashes.

        ``**`` at the end stands for one name or more, elsewhere for none or more. It is
        enough to go back to the last ``**``: what an earlier one took can stay taken.
        """
        part = name = 0
        retry: tuple[int, int] | None = None
        while name < len(names):
            if part < len(self.parts) and self.parts[part] == _ANY_DEPTH:
                if part == len(self.parts) - 1:
                    return True
                part += 1
                retry = (part, name)
            elif part < len(self.parts) and _glob(self.parts[part], names[name]):
                part, name = part + 1, name + 1
            elif retry is not None:
                retry = (retry[0], retry[1] + 1)
                part, name = retry
            else:
                return False
        return part == len(self.parts)


def from_text(text: str) -> PathPattern:
    """Read a pattern; without a slash inside it, it matches at any depth.

    >>> from_text("*.min.js").parts
    ('**', '*.min.js')
    >>> from_text("/docs/").parts, from_text("src/**/gen").parts
    (('docs',), ('src', '**', 'gen'))
    """
    body = text.removesuffix("/")
    if "/" not in body:
        body = f"{_ANY_DEPTH}/{'*' if body == _ANY_DEPTH else body}"
    return PathPattern(tuple(body.removeprefix("/").split("/")), text.endswith("/"))


def _glob(part: str, name: str) -> bool:
    """Say whether one name matches one part of a pattern."""
    return _compiled(part).match(name) is not None


@lru_cache(maxsize=4096)
def _compiled(part: str) -> re.Pattern[str]:
    r"""Turn a part into a regular expression; unlike ``fnmatch``, git knows ``[^a]`` and ``\*``."""
    plain = _ESCAPE.sub(_literal, part.replace("[^", "[!"))
    return re.compile(fnmatch.translate(plain))


def _literal(escape: re.Match[str]) -> str:
    """Return an escaped sign as ``fnmatch`` writes it: in brackets where it means something."""
    return f"[{escape[1]}]" if escape[1] else escape[2]
