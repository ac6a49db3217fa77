"""The pages of method and reasons: how each number is made, in the documentation's words."""

from flask import render_template

from ghapp.rulebook import PAGES, PageSection, sections
from ghapp.web.pages.blueprint import pages

FOR_PROGRAMS = {"5-the-audit-document", "6-the-command-line"}
"""Sections of the rules that explain no number."""


@pages.get("/method")
def method() -> str:
    """Show the method."""
    parts = {page: _shown(page) for page in PAGES}
    return render_template("method.html", parts=parts, title="How each number is made")


@pages.get("/reasons")
def reasons() -> str:
    """Show what each reason means: comments and check runs link here."""
    parts = {"reasons": _shown("reasons")}
    return render_template("method.html", parts=parts, title="What each reason means")


def _shown(page: str) -> list[PageSection]:
    return [one for one in sections(page).values() if one.anchor not in FOR_PROGRAMS]
