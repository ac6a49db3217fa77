r"""A line of a Jupyter notebook as the line of source that it holds. It parses no notebook.

In a diff of a ``.ipynb`` file a line of source is a JSON string, ``"x = 1\n",``, while an
agent's edit of a cell holds it plainly.
"""

import json

SUFFIX = ".ipynb"


def source(line: str) -> str:
    r"""Return the source that a notebook's line holds, or the line itself.

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
