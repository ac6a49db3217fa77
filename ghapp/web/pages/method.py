"""The method: how each number is made, in the words of the documentation. It makes none."""

from flask import Blueprint, render_template

from ghapp.bootstrap import Services
from ghapp.rulebook import PAGES, PageSection, sections

FOR_PROGRAMS = {"5-the-audit-document", "6-the-command-line"}
"""Sections of the rules that say nothing about a number."""


def add(blueprint: Blueprint, services: Services) -> None:
    """Add the route ``/method``."""
    del services

    @blueprint.get("/method")
    def method() -> str:
        parts = {page: _shown(page) for page in PAGES}
        return render_template("method.html", parts=parts)


def _shown(page: str) -> list[PageSection]:
    return [one for one in sections(page).values() if one.anchor not in FOR_PROGRAMS]
