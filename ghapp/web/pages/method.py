"""The method: how each number is made, in the words of the documentation. It makes none."""

from flask import Blueprint, render_template

from ghapp.bootstrap import Services
from ghapp.rulebook import PAGES, sections


def add(blueprint: Blueprint, services: Services) -> None:
    """Add the route ``/method``."""
    del services

    @blueprint.get("/method")
    def method() -> str:
        parts = {page: list(sections(page).values()) for page in PAGES}
        return render_template("method.html", parts=parts)
