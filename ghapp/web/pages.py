"""The pages people see: what this is, and one audit. Who may see which is decided elsewhere."""

from flask import Blueprint, render_template

from ghapp import __version__
from ghapp.bootstrap import Services


def pages(services: Services) -> Blueprint:
    """Return the route ``/``."""
    blueprint = Blueprint("pages", __name__)

    @blueprint.get("/")
    def front() -> str:
        return render_template("front.html", version=__version__, web_url=services.settings.web_url)

    return blueprint
