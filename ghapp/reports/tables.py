"""Rows as CSV and as JSON Lines, for spreadsheets and for programs. It reads nothing.

In CSV no cell is taken for a formula: names, titles and paths come from users, and a
spreadsheet runs what begins with ``=``.
"""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence

import msgspec

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell begins with that some spreadsheet takes for a formula, full-width signs too."""


def inert(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers.

    >>> inert("=1+1"), inert(-3), inert("plain")
    ("'=1+1", -3, 'plain')
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the rows of a CSV file (RFC 4180), the columns first; ``None`` is an empty cell."""
    page = io.StringIO()
    writer = csv.writer(page)
    for row in itertools.chain([columns], rows):
        writer.writerow([inert(value) for value in row])
        yield page.getvalue()
        page.seek(0)
        page.truncate()


def to_json_lines(rows: Iterable[object]) -> Iterator[bytes]:
    """Yield the rows as JSON, one a line."""
    for row in rows:
        yield msgspec.json.encode(row) + b"\n"
