"""What git takes for a message's trailers: key and value at the end of a text. It knows no agent.

The rules are those of ``git interpret-trailers`` without configuration
(https://git-scm.com/docs/git-interpret-trailers). A test compares the two.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

_GENERATED = ("Signed-off-by: ", "(cherry picked from commit ")
"""What git itself writes: it may stand among a few lines that are no trailers."""
_COMMENT = "#"
# Assisted-by: Claude:claude-opus-4-6
_TRAILER = re.compile(r"([A-Za-z0-9-]+)[ \t]*:(?!//)(.*)", re.DOTALL)


class CommitTrailer(NamedTuple):
    """One trailer; a value that was folded over lines is one line."""

    key: str
    value: str


def trailers(message: str) -> tuple[CommitTrailer, ...]:
    r"""Return the trailers of a message, in order; none if its last paragraph is no block of them.

    >>> trailers("Fix\n\nAssisted-by: Claude:opus\n  sparse\n")
    (CommitTrailer(key='Assisted-by', value='Claude:opus sparse'),)
    """
    lines = [line.rstrip("\r") for line in message.rstrip().split("\n")]
    block = _last_paragraph(lines)
    return tuple(_unfolded(block)) if _is_block(block) else ()


def _last_paragraph(lines: Sequence[str]) -> list[str]:
    """Return the last paragraph, without comments; empty: it is the first, which is the title."""
    start = len(lines)
    while start and lines[start - 1].strip():
        start -= 1
    return [line for line in lines[start:] if not line.startswith(_COMMENT)] if start else []


def _is_block(lines: Sequence[str]) -> bool:
    """Return whether all lines are trailers, or a quarter of them, one of which git wrote."""
    found = others = 0
    is_generated = after_trailer = False
    for line in lines:
        if line[:1].isspace():
            # It continues a trailer, or counts like the line that it continues.
            others += not after_trailer
            continue
        is_generated |= line.startswith(_GENERATED)
        after_trailer = line.startswith(_GENERATED) or _TRAILER.fullmatch(line) is not None
        found += after_trailer
        others += not after_trailer
    return bool(found) and (not others or (is_generated and found * 3 >= others))


def _unfolded(lines: Sequence[str]) -> list[CommitTrailer]:
    """Return the trailers of a block, leaving out other lines and what continues them."""
    found: list[tuple[str, list[str]]] = []
    is_trailer = False
    for line in lines:
        if not line[:1].isspace():
            match = _TRAILER.fullmatch(line)
            is_trailer = match is not None
            if match is not None:
                found.append((match[1], [match[2].strip()]))
        elif is_trailer:
            found[-1][1].append(line.strip())
    return [CommitTrailer(key, " ".join(filter(None, parts))) for key, parts in found]
