"""Rows as CSV for spreadsheets and as JSON Lines for programs. It reads nothing.

No CSV cell starts like a formula: names, titles and paths come from users, and a spreadsheet
runs a cell that starts with ``=``. https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence

import msgspec

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters that some spreadsheet reads as a formula, including full-width signs."""


def inert(value: object) -> object:
    """Return a cell that no spreadsheet reads as a formula; numbers stay numbers.

    >>> inert("=1+1"), inert(-3), inert("plain")
    ("'=1+1", -3, 'plain')
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the rows of a CSV file (RFC 4180), header first; ``None`` is an empty cell."""
    page = io.StringIO()
    writer = csv.writer(page)
    for row in itertools.chain([columns], rows):
        writer.writerow([inert(value) for value in row])
        yield page.getvalue()
        page.seek(0)
        page.truncate()


def to_json_lines(rows: Iterable[object]) -> Iterator[bytes]:
    """Yield each row as one line of JSON."""
    for row in rows:
        yield msgspec.json.encode(row) + b"\n"
