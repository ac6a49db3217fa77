"""Sections of the documentation on a page: their links work there, and they hold no markup."""

import re

import pytest

from ghapp.rulebook import PAGES, PageSection, sections
from ghapp.web.prose import to_html

VERDICTS = next(one for one in sections("rules").values() if "erdict" in one.title)


def html(text: str) -> str:
    return str(to_html(PageSection(page="rules", anchor="a", title="A", level=2, text=text)))


@pytest.mark.parametrize("page", [f"rules.md#{VERDICTS.anchor}", f"#{VERDICTS.anchor}"])
def test_a_link_to_a_section_stays_on_the_page(page: str) -> None:
    assert f'<a href="/method#{VERDICTS.id}">see</a>' in html(f"[see]({page})")


def test_a_link_elsewhere_stays_and_one_into_the_repository_is_its_words() -> None:
    assert '<a href="https://example.com/a">see</a>' in html("[see](https://example.com/a)")
    for target in ("api.md#tokens", "../ghapp/wire.py", "rules.md#nowhere", "http://example.com"):
        assert html(f"[see]({target})") == "<p>see</p>\n"


def test_tables_are_tables_and_raw_html_is_text() -> None:
    assert "<table>" in html("| a | b |\n| - | - |\n| 1 | 2 |\n")
    assert "&lt;script&gt;" in html("<script>alert(1)</script>")


@pytest.mark.parametrize("page", PAGES)
def test_every_section_can_be_shown(page: str) -> None:
    for section in sections(page).values():
        links = re.findall(r'href="([^"]+)"', to_html(section))
        assert all(one.startswith(("/method#", "https://")) for one in links)
