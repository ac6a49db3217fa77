"""The pages people see: one module for each. Who may see which is decided in `ghapp.web.access`."""

from flask import Blueprint

from ghapp.bootstrap import Services
from ghapp.web.pages import front, method


def pages(services: Services) -> Blueprint:
    """Return the routes of all pages."""
    blueprint = Blueprint("pages", __name__)
    for page in (front, method):
        page.add(blueprint, services)
    return blueprint
