"""The terminal report: width, color, and terminals without Unicode."""

import io

import pytest
from rich.console import Console

from ghapp.reports import terminal
from tests.cases import cases, names
from tests.reports.renew import CASES, read


def page(case: str, *, encoding: str = "utf-8", color: bool = False, lines: bool = False) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace")
    console = Console(
        file=file, width=80, force_terminal=color, color_system="auto" if not color else "standard"
    )
    terminal.render(read(CASES / case), console, lines=lines)
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("case", names(cases("reports")))
def test_no_line_is_wider_than_the_terminal_or_ends_in_spaces(case: str) -> None:
    for line in page(case, lines=True).splitlines():
        assert len(line) <= 80
        assert line == line.rstrip()


def test_no_color_where_nobody_sees_it() -> None:
    assert "\x1b" not in page("provisional")
    assert "\x1b" in page("provisional", color=True)


def test_a_terminal_without_unicode_gets_a_bar_too() -> None:
    assert "######" in page("provisional", encoding="ascii")


def test_escape_sequences_of_a_name_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in page("hostile_names", lines=True)


def test_markup_of_a_name_is_text() -> None:
    assert "`|@evil<b>" in page("hostile_names", lines=True)


def test_no_bar_where_there_is_no_share() -> None:
    for case in ("no_evidence", "files_could_not_be_read", "nothing_to_count"):
        assert "\u2591" not in page(case)
