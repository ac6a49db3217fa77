"""The JSON Schema of a repository's policy file, for editors that complete and check it."""

from flask import Blueprint, Response, jsonify

from ghapp.bootstrap import Services
from ghapp.policy.file import schema


def schemas(services: Services) -> Blueprint:
    """Return the route ``/schemas/attribution.json``."""
    del services
    blueprint = Blueprint("schemas", __name__)

    @blueprint.get("/schemas/attribution.json")
    def attribution() -> Response:
        answer = jsonify(schema())
        answer.content_type = "application/schema+json"
        # Editors fetch it from other origins, and it is the same for everybody.
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    return blueprint
