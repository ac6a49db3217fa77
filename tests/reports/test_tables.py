"""CSV that a spreadsheet reads as text, and JSON Lines."""

import csv
import io

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ghapp.reports.tables import FORMULA, to_csv, to_json_lines
from tests.searching import searched

VALUES = st.one_of(st.none(), st.integers(), st.text(st.characters(exclude_categories=["Cs"])))


@searched(40)
@given(st.lists(st.lists(VALUES, min_size=2, max_size=2)))
def test_no_cell_is_a_formula_and_all_comes_back(rows: list[list[object]]) -> None:
    text = "".join(to_csv(("a", "b"), rows))
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read[0] == ["a", "b"]
    assert len(read) == len(rows) + 1
    for row, cells in zip(rows, read[1:], strict=True):
        for value, cell in zip(row, cells, strict=True):
            plain = "" if value is None else str(value)
            if isinstance(value, str):
                assert not cell.startswith(FORMULA)
            assert cell in {plain, f"'{plain}"}


def test_json_lines_hold_one_row_each() -> None:
    rows = [{"a": 1}, {"a": "\n"}]
    lines = b"".join(to_json_lines(rows)).splitlines()
    assert [msgspec.json.decode(line) for line in lines] == rows
