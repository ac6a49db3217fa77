"""The door for developers' evidence: a batch is taken, or what was sent is removed again."""

from flask import Blueprint, Response

from ghapp.bootstrap import Services
from ghapp.web.machines import answer, body, told, turn, upload, upload_token
from ghapp.wire import MOST_BYTES, EditBatch, ForgetRequest

TURNS = "uploads"
"""Directory below the data directory whose files say how many uploads are worked on."""


def uploads(services: Services) -> Blueprint:
    """Return the routes ``POST /api/evidence`` and ``DELETE /api/evidence``."""
    blueprint = Blueprint("uploads", __name__)

    @blueprint.post("/api/evidence")
    @told
    def take() -> Response:
        token = upload_token(services)
        batch = body(EditBatch, MOST_BYTES)
        with turn(services.settings.data_dir / TURNS, services.settings.uploads_at_once):
            return answer(upload(services).take(batch, token, now=services.clock()))

    @blueprint.delete("/api/evidence")
    @told
    def forget() -> Response:
        token = upload_token(services)
        wish = body(ForgetRequest)
        return answer(upload(services).forget(wish, token, now=services.clock()))

    return blueprint
