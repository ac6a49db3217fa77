"""The read-only API below ``/api``: its routes, put together. Each module holds one resource."""

from flask import Blueprint

from ghapp.bootstrap import Services
from ghapp.web.api import exports, pulls, repositories, summaries


def api(services: Services) -> Blueprint:
    """Return the routes that read; whoever asks them has to be allowed to on GitHub."""
    blueprint = Blueprint("api", __name__, url_prefix="/api")
    for resource in (repositories, summaries, pulls, exports):
        resource.add(blueprint, services)
    return blueprint
