"""The JSON Schema of a repository's policy file, for editors that complete and check it."""

from flask import Blueprint, Response, jsonify

from ghapp.policy.file import schema

schemas = Blueprint("schemas", __name__)


@schemas.get("/schemas/attribution.json")
def attribution() -> Response:
    """Answer with the schema of ``attribution.yml``."""
    answer = jsonify(schema())
    answer.content_type = "application/schema+json"
    # Editors fetch it from other origins, and it is the same for everybody.
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer
