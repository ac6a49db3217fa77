"""Differences as a table, a page and rows: all that differs, and nothing that does not."""

import io

import pytest
from rich.console import Console

from ghapp.documents.differences import AuditDifference, compare
from ghapp.reports import differences
from ghapp.reports.differences import COLUMNS, render, rows, to_page
from tests.reports.audits import audit

SAME = compare(audit(1, "run", "no_match"), audit(1, "run", "no_match"))
OTHER = compare(audit(2, "run", "no_match"), audit(2, "run", "line", "run"))


def found() -> list[AuditDifference]:
    return [SAME, OTHER]


def terminal() -> str:
    page = io.StringIO()
    render(found, Console(file=page, width=120, color_system=None))
    return page.getvalue()


def test_a_row_for_each_line_that_differs() -> None:
    told = [dict(zip(COLUMNS, row, strict=True)) for row in rows(found())]
    assert [(one["pull_request"], one["path"], one["line"]) for one in told] == [
        (2, "a.py", 2),
        (2, "a.py", 3),
    ]
    assert (told[0]["reason_before"], told[0]["reason_after"]) == ("no_match", "line")
    assert (told[1]["reason_before"], told[1]["reason_after"]) == (None, "run")


def test_the_terminal_names_what_differs_and_counts_the_rest() -> None:
    told = terminal()
    assert "acme/shop#2" in told
    assert "acme/shop#1" not in told
    assert "2 pull requests: 1 the same, 1 different in 2 lines; attributed 2 -> 4" in told
    assert "1  (none) -> run" in told


def test_a_page_shows_what_differs_and_both_names_as_text() -> None:
    told = "".join(to_page(found, "<before>", "after\u202e"))
    assert "&lt;before&gt; against after\\u202e" in told
    assert told.count("<article>") == 1
    assert "<td>not an added line</td>" in told
    assert told.endswith("</html>\n")


def test_where_nothing_differs_there_is_no_list() -> None:
    told = "".join(to_page(lambda: [SAME], "a", "b"))
    assert "Pull requests that differ" not in told
    assert "1 pull request: 1 the same, 0 different" in told


def test_lines_beyond_the_most_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differences, "MOST_LINES", 1)
    told = "".join(to_page(found, "a", "b"))
    assert told.count("<tr><td><code>a.py:") == 1
    assert "and 1 more line<" in told


def test_a_path_cannot_leave_its_cell() -> None:
    path = '"><script>alert(1)</script>'
    bad = compare(audit(3, "run", path=path), audit(3, "line", path=path))
    assert "<script>" not in "".join(to_page(lambda: [bad], "a", "b"))
