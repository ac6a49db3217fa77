"""The front page: what this is, and the way in."""

from flask import Blueprint, render_template

from ghapp.bootstrap import Services


def add(blueprint: Blueprint, services: Services) -> None:
    """Add the route ``/``."""

    @blueprint.get("/")
    def front() -> str:
        return render_template("front.html", web_url=services.settings.web_url)
