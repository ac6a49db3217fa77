r"""Reads the source in one line of a Jupyter notebook. It parses no notebook.

In a diff of an ``.ipynb`` file a source line is a JSON string, ``"x = 1\n",``; an agent's edit
of a cell has it as plain text. https://nbformat.readthedocs.io/en/latest/format_description.html
"""

import json

SUFFIX = ".ipynb"


def source(line: str) -> str:
    r"""Return the source in a notebook's line, or the line itself if it has none.

    >>> source('    "print(\\"a\\")\\n",')
    'print("a")'
    >>> source(' "cells": [')
    ' "cells": ['
    """
    text = line.strip().removesuffix(",")
    if len(text) < 2 or not text.startswith('"') or not text.endswith('"'):
        return line
    try:
        value = json.loads(text)
    except ValueError:
        return line
    return value.removesuffix("\n") if isinstance(value, str) else line
