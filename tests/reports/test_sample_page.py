"""The page on which people judge lines: one card for each, and answers that come back."""

import csv
import html
import re

from msgspec.structs import replace

from ghapp.documents.sampling import SampledLine
from ghapp.reports.sample_page import COLUMNS, LONGEST, ShownLine, rows, to_page
from tests.reports.audits import lines

BAD = '=x"</article><script>alert(1)</script>\u202e'


def shown(path: str = "src/a.py", text: str | None = "total = 1") -> ShownLine:
    [verdict] = lines("run", first=7)
    verdict = replace(verdict, edit="toolu_1", agent="codex", difference=0.0)
    line = SampledLine(
        stratum="run",
        stratum_lines=80,
        repository="acme/shop",
        pull_request=17,
        merge_commit=None,
        path=path,
        verdict=verdict,
    )
    return ShownLine(line=line, text=text)


def test_a_row_has_every_column_and_empty_answers() -> None:
    [row] = rows([shown()])
    told = dict(zip(COLUMNS, row, strict=True))
    assert (told["id"], told["path"], told["line"], told["text"]) == (1, "src/a.py", 7, "total = 1")
    assert (told["answer"], told["note"]) == ("", "")


def test_a_card_carries_its_row_without_the_answers() -> None:
    page = to_page([shown(), shown(path="b.py")], seed=7)
    cards = [html.unescape(row) for row in re.findall(r'<article data-row="([^"]*)">', page)]
    read = list(csv.reader(cards))
    assert [len(row) for row in read] == [len(COLUMNS) - 2] * 2
    assert [row[COLUMNS.index("path")] for row in read] == ["src/a.py", "b.py"]
    assert 'data-seed="7"' in page
    assert page.count('type="radio"') == 2 * 3


def test_a_line_that_nobody_has_is_shown_without_its_text() -> None:
    assert "<pre>" not in to_page([shown(text=None)], seed=1)
    assert "<pre></pre>" in to_page([shown(text="")], seed=1)


def test_hostile_names_and_lines_stay_text_and_no_formula() -> None:
    page = to_page([shown(path=BAD, text=BAD)], seed=1)
    assert page.count("<script>") == 1, "only our own"
    [row] = csv.reader(map(html.unescape, re.findall(r'<article data-row="([^"]*)">', page)))
    assert row[COLUMNS.index("path")] == row[COLUMNS.index("text")] == f"'{BAD}"
    [text] = re.findall("<pre>(.*?)</pre>", page)
    assert "\u202e" not in text


def test_a_very_long_line_is_cut() -> None:
    [text] = re.findall("<pre>(.*?)</pre>", to_page([shown(text="x" * 5000)], seed=1))
    assert len(text) == LONGEST
