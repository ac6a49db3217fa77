"""Where Prometheus asks: ``/metrics``, for who has the operator's token. It counts nothing."""

from flask import Blueprint, Response

from ghapp.bootstrap import Services
from ghapp.metrics import CONTENT_TYPE, render
from ghapp.store import StoreError
from ghapp.web.errors import problem
from ghapp.web.operator import for_operators


def metrics(services: Services) -> Blueprint:
    """Return the route ``/metrics``."""
    blueprint = Blueprint("metrics", __name__)
    for_operators(blueprint, services)

    @blueprint.get("/metrics")
    def scrape() -> Response:
        try:
            return Response(render(services), content_type=CONTENT_TYPE)
        except StoreError:
            return problem(503, "the database is away")

    return blueprint
