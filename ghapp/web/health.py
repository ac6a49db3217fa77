"""Whether this process lives, and whether it can do its work. It mends nothing."""

from flask import Blueprint, Response, jsonify

from ghapp import __version__
from ghapp.bootstrap import Services


def health(services: Services) -> Blueprint:
    """Return the routes ``/healthz`` and ``/readyz``."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def lives() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @blueprint.get("/readyz")
    def is_ready() -> Response:
        database, queue = services.store.database.is_alive(), services.queue.is_alive()
        answer = jsonify({"ready": database, "database": _word(database), "queue": _word(queue)})
        # Without Redis deliveries are still kept, so only the database makes us not ready.
        answer.status_code = 200 if database else 503
        return answer

    return blueprint


def _word(is_there: bool) -> str:  # noqa: FBT001 - the one argument says itself
    return "ok" if is_there else "away"
