"""Matches git's path patterns in short time, whatever the pattern. It reads no file.

Patterns come from repositories that nobody vetted. As one regular expression,
``*a*a*a*a*a*a*b`` takes seconds on a name of 60 letters; matched folder by folder, with
``fnmatch``'s atomic groups inside a name, it takes microseconds.
The format: https://git-scm.com/docs/gitignore#_pattern_format
"""

import fnmatch
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

_ESCAPE = re.compile(r"\\(?:([*?[])|(.))")  # \*, \a
_ANY_DEPTH = "**"
LONGEST = 2_048
"""Bytes of a line with a pattern; git ignores a longer one in ``.gitattributes``."""


class PathPattern(NamedTuple):
    """One pattern of a ``.gitignore`` or ``.gitattributes``, split at its slashes."""

    parts: tuple[str, ...]
    """One glob per folder; ``**`` matches any number of folders."""
    directories_only: bool
    """Whether the pattern ended with a slash."""

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether a whole path, split at its slashes, matches."""
        return len(names) in self.depths(names)

    def depths(self, names: Sequence[str]) -> frozenset[int]:
        """Return the depths at which a path matches: its own, and those of folders above it.

        ``**`` matches one name or more at the end, and none or more elsewhere. All ways to match
        are followed at once: bit n of ``ways`` stands for one that goes on at part n.
        """
        found = []
        ways = self._without_folders(1)
        for depth, name in enumerate(names, 1):
            fitting = staying = 0
            for at, part in enumerate(self.parts):
                if ways >> at & 1 and (part == _ANY_DEPTH or _glob(part, name)):
                    fitting |= 1 << at
                    staying |= (part == _ANY_DEPTH) << at
            ways = self._without_folders(fitting << 1 | staying)
            if ways >> len(self.parts):
                found.append(depth)
            if not ways:
                break
        return frozenset(found)

    def _without_folders(self, ways: int) -> int:
        """Add the ways on which a ``**`` matches no folder; no two stand side by side."""
        for at, part in enumerate(self.parts[:-1]):
            if part == _ANY_DEPTH and ways >> at & 1:
                ways |= 2 << at
        return ways


def from_text(text: str) -> PathPattern:
    """Parse a pattern; one without a slash inside matches at any depth.

    >>> from_text("*.min.js").parts
    ('**', '*.min.js')
    >>> from_text("/docs/").parts, from_text("src/**/gen").parts
    (('docs',), ('src', '**', 'gen'))
    """
    body = text.removesuffix("/")
    if "/" not in body:
        body = f"{_ANY_DEPTH}/{'*' if body == _ANY_DEPTH else body}"
    parts = body.removeprefix("/").split("/")
    kept = [one for one, after in pairwise((*parts, "")) if not one == after == _ANY_DEPTH]
    return PathPattern(tuple(kept), text.endswith("/"))


def _glob(part: str, name: str) -> bool:
    """Say whether one name matches one part of a pattern."""
    return _compiled(part).match(name) is not None


@lru_cache(maxsize=4096)
def _compiled(part: str) -> re.Pattern[str]:
    r"""Compile a part; git, unlike ``fnmatch``, knows ``[^a]`` and ``\*``."""
    plain = _ESCAPE.sub(_literal, part.replace("[^", "[!"))
    # Without its end a bracket is a plain sign; fnmatch would look for the end of each.
    before, end, after = plain.rpartition("]")
    plain = f"{before}{end}{after.replace('[', '[[]')}"
    return re.compile(fnmatch.translate(plain))


def _literal(escape: re.Match[str]) -> str:
    """Return an escaped character as ``fnmatch`` needs it: in brackets if it is special."""
    return f"[{escape[1]}]" if escape[1] else escape[2]
