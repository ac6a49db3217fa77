r"""Reads the source in one line of a Jupyter notebook. It parses no notebook.

In a diff of an ``.ipynb`` file a source line is a JSON string, ``"x = 1\n",``; an agent's edit
of a cell has it as plain text. A cell may also stand in one line, as one string or as a short
list (https://nbformat.readthedocs.io/en/latest/format_description.html); Claude Code writes the
string (https://github.com/anthropics/claude-code/issues/49132).
"""

import json
import re
from collections.abc import Callable

SUFFIX = ".ipynb"

# "source": "x = 1\ny = 2",
_WHOLE_CELL = re.compile(r'"source"\s*:\s*(?=["\[])')


def source(line: str) -> str:
    r"""Return the source in a notebook's line, or the line itself if it has none.

    >>> source('    "print(\\"a\\")\\n",')
    'print("a")'
    >>> source(' "source": "a = 1\\nb = 2",')
    'a = 1\nb = 2'
    >>> source(' "cells": [')
    ' "cells": ['
    """
    found = _parsed(line)
    if found is None:
        return line
    value = found[1]
    return ("".join(value) if isinstance(value, list) else value).removesuffix("\n")


def with_source(line: str, change: Callable[[str], str]) -> str:
    """Return a notebook's line with its source changed, or the changed line if it has none."""
    found = _parsed(line)
    if found is None:
        return change(line)
    start, value, end = found
    made = [change(part) for part in value] if isinstance(value, list) else change(value)
    return start + json.dumps(made, ensure_ascii=False) + end


def _parsed(line: str) -> tuple[str, str | list[str], str] | None:
    """Return the source in a line, with what stands around it; ``None``: it holds none."""
    start, text = line[: len(line) - len(line.lstrip())], line.strip()
    end = line[len(start) + len(text) :]
    if text.endswith(","):
        text, end = text[:-1], "," + end
    cell = _WHOLE_CELL.match(text)
    if cell:
        start, text = start + cell[0], text[cell.end() :]
    if len(text) < 2 or text[0] + text[-1] not in ('""', "[]"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_list = isinstance(value, list) and value and all(isinstance(part, str) for part in value)
    return (start, value, end) if is_list or isinstance(value, str) else None
