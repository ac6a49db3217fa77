"""Liveness and readiness of this process."""

from flask import Blueprint, Response, jsonify

from ghapp import __version__
from ghapp.web.current import services

health = Blueprint("health", __name__)


@health.get("/healthz")
def lives() -> dict[str, str]:
    """Say that this process answers."""
    return {"status": "ok", "version": __version__}


@health.get("/readyz")
def is_ready() -> Response:
    """Say whether this process can work; 503 if it cannot."""
    database, queue = services.store.database.is_alive(), services.queue.state()
    word = "ok" if database else "away"
    answer = jsonify({"ready": database, "database": word, "queue": queue.value})
    # Without Redis the app still stores deliveries, so only the database makes it not ready.
    answer.status_code = 200 if database else 503
    return answer
