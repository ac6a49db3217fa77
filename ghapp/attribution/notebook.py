r"""Reads the source in one line of a Jupyter notebook. It parses no notebook.

In a diff of an ``.ipynb`` file a source line is a JSON string, ``"x = 1\n",``; an agent's edit
of a cell has it as plain text. A cell may also stand in one line, as one string or as a short
list (https://nbformat.readthedocs.io/en/latest/format_description.html); Claude Code writes the
string (https://github.com/anthropics/claude-code/issues/49132).
"""

import json
import re

SUFFIX = ".ipynb"

# "source": "x = 1\ny = 2",
WHOLE_CELL = re.compile(r'\s*"source"\s*:\s*(?=["\[])')
"""The beginning of a line that holds a whole cell."""


def source(line: str) -> str:
    r"""Return the source in a notebook's line, or the line itself if it has none.

    >>> source('    "print(\\"a\\")\\n",')
    'print("a")'
    >>> source(' "source": "a = 1\\nb = 2",')
    'a = 1\nb = 2'
    >>> source(' "cells": [')
    ' "cells": ['
    """
    text = line.strip().removesuffix(",")
    whole = WHOLE_CELL.match(text)
    text = text[whole.end() :] if whole else text
    if len(text) < 2 or text[0] + text[-1] not in ('""', "[]"):
        return line
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return line
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        value = "".join(value)
    return value.removesuffix("\n") if isinstance(value, str) else line
