"""Patches in the two forms that agents write: unified diffs, and input of the apply_patch tool.

A hunk here is what `ghapp.evidence.own_lines.from_patch` takes: lines that start with ``+``,
``-`` or a space. This module reads no file, so it cannot tell whether a patch was applied.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from ghapp.evidence.own_lines import split_lines

Hunk = list[str]

# @@ -1,3 +1,4 @@
_HEADER = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
# *** Update File: src/app.py
_FILE = re.compile(r"\*\*\* (Add|Update|Delete) File: (.+)")
_MOVE = "*** Move to: "
_END = "*** End Patch"


class PatchedFile(NamedTuple):
    """What an apply_patch patch does to one file."""

    kind: str
    """``add``, ``update`` or ``delete``."""
    path: str
    """As the agent wrote it, absolute or relative; the new path if the file is moved."""
    hunks: list[Hunk]


def unified_hunks(diff: str) -> list[Hunk]:
    r"""Return the hunks of a unified diff; the counts in their headers say where each ends.

    >>> unified_hunks("--- a\n+++ b\n@@ -1 +1,2 @@\n one\n+two\n")
    [[' one', '+two']]
    """
    hunks: list[Hunk] = []
    old = new = 0
    for line in split_lines(diff):
        sign = line[:1]
        if sign == "@" and (header := _HEADER.match(line)):
            old, new = (1 if count is None else int(count) for count in header.groups())
            hunks.append([])
        elif (old > 0 or new > 0) and sign != "\\":
            # Some programs drop the space of an empty context line.
            old -= sign in " -"
            new -= sign in " +"
            hunks[-1].append(line or " ")
    return hunks


def unified_files(diff: str, strip: int) -> list[tuple[str, list[Hunk]]]:
    r"""Return the path and the hunks of each file that a unified diff changes or adds.

    ``strip`` is how many folders its paths have too many; a diff without paths has no files.

    >>> unified_files("--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n one\n+two\n", 1)
    [('x', [[' one', '+two']])]
    """
    found: list[tuple[str, list[str]]] = []
    old = new = 0
    for line in split_lines(diff):
        if old > 0 or new > 0:
            if not line.startswith("\\"):
                old -= line[:1] in ("", "-", " ")
                new -= line[:1] in ("", "+", " ")
        elif line.startswith("+++ "):
            name = line[4:].partition("\t")[0].rstrip()
            parts = name.split("/")[strip:]
            found.append(("" if name == "/dev/null" else "/".join(parts), []))
        elif header := _HEADER.match(line):
            old, new = (1 if count is None else int(count) for count in header.groups())
        if found:
            found[-1][1].append(line)
    return [(path, unified_hunks("\n".join(lines))) for path, lines in found if path]


def patched_files(patch: str) -> list[PatchedFile]:
    r"""Return what an apply_patch patch does to each file; empty: the text is no such patch.

    >>> patched_files("*** Begin Patch\n*** Add File: a\n+one\n*** End Patch")
    [PatchedFile(kind='add', path='a', hunks=[['+one']])]
    """
    found: list[PatchedFile] = []
    for line in split_lines(patch):
        if opening := _FILE.match(line):
            found.append(PatchedFile(opening[1].lower(), opening[2].strip(), [[]]))
        elif not found or line.startswith(_END):
            continue
        elif line.startswith(_MOVE):
            found[-1] = found[-1]._replace(path=line.removeprefix(_MOVE).strip())
        elif line.startswith("@@"):
            found[-1].hunks.append([])
        elif not line or line[0] in "+- ":
            found[-1].hunks[-1].append(line or " ")
    return [file._replace(hunks=_filled(file.hunks)) for file in found]


def _filled(hunks: Iterable[Hunk]) -> list[Hunk]:
    return [hunk for hunk in hunks if hunk]
