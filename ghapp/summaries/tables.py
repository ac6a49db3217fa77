"""Tables that people send as CSV, read whole or not at all. It knows no column by name."""

import csv
import io
from collections.abc import Callable, Collection, Sequence

LONGEST = 200
"""Most characters of a cell."""


class TableError(ValueError):
    """A table is not valid; ``problems`` names each line and what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


def read_table(
    text: str,
    columns: Sequence[str],
    required: Collection[str],
    judge: Callable[[dict[str, str]], str | None],
    *,
    most: int,
) -> list[dict[str, str]]:
    r"""Return the rows of a CSV, each its cells by column; ``judge`` says what is wrong with one.

    Names of columns may use any case, and spaces. Raises `TableError`, which names every problem.

    >>> read_table("Person,Start date\nann,2026-01-31\n", ("person", "start_date"), (),
    ...            lambda cells: None, most=9)
    [{'person': 'ann', 'start_date': '2026-01-31'}]
    """
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        head = [name.strip().lower().replace(" ", "_") for name in next(rows, [])]
        wrong = set(required) - set(head) or set(head) - set(columns)
        if wrong or len(set(head)) != len(head):
            message = f"line 1: the columns are {', '.join(head)}; give {', '.join(columns)}"
            raise TableError([message])
        found = [(rows.line_num, row) for row in rows if any(row)]
    except csv.Error as error:
        raise TableError([f"line {rows.line_num}: {error}; use commas and quotes"]) from None
    if len(found) > most:
        raise TableError([f"{len(found)} rows; at most {most} are allowed"])
    made, problems = [], []
    for line, row in found:
        cells = [cell.strip() for cell in row]
        named = dict(zip(head, cells, strict=False))
        problem = _of_form(head, cells) or judge(named)
        problems += [] if problem is None else [f"line {line}: {problem}"]
        made.append(named)
    if problems:
        raise TableError(problems)
    return made


def _of_form(head: list[str], cells: list[str]) -> str | None:
    if len(cells) != len(head):
        return f"{len(cells)} cells, but {len(head)} columns"
    if any(len(cell) > LONGEST or not cell.isprintable() for cell in cells):
        return f"a cell has more than {LONGEST} characters or unprintable ones"
    return None
