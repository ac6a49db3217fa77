"""Undoes git's quoting of path names. It knows no diff and no attributes file.

https://git-scm.com/docs/git-config, core.quotePath
"""

import re

_ESCAPE = re.compile(rb'\\([abfnrtv"\\]|[0-3][0-7]{2})')  # \t, \", \303
_LETTERS = dict(zip(b'abfnrtv"\\', b'\a\b\f\n\r\t\v"\\', strict=True))

QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
r"""A whole quoted name, such as ``"a/caf\303\251.txt"``."""


def unquote(name: str) -> str:
    r"""Return a path as it is on disk; a name without quotes is returned unchanged.

    Git quotes names with control characters, quotes, backslashes and, by default, bytes
    above 127. Bytes that are not UTF-8 become U+FFFD.

    >>> unquote('"a/caf\\303\\251 \\"x\\".txt"')
    'a/café "x".txt'
    """
    if not QUOTED.fullmatch(name):
        return name
    return _ESCAPE.sub(_byte, name[1:-1].encode()).decode(errors="replace")


def _byte(escape: re.Match[bytes]) -> bytes:
    r"""Return the byte of an escape such as ``\t`` or ``\303``."""
    sign = escape[1]
    return bytes([int(sign, 8) if len(sign) == 3 else _LETTERS[sign[0]]])
