"""The method page: how each number is made, in the words of the documentation."""

from flask import render_template

from ghapp.rulebook import PAGES, PageSection, sections
from ghapp.web.pages.blueprint import pages

FOR_PROGRAMS = {"5-the-audit-document", "6-the-command-line"}
"""Sections of the rules that explain no number."""


@pages.get("/method")
def method() -> str:
    """Show the method."""
    parts = {page: _shown(page) for page in PAGES}
    return render_template("method.html", parts=parts)


def _shown(page: str) -> list[PageSection]:
    return [one for one in sections(page).values() if one.anchor not in FOR_PROGRAMS]
