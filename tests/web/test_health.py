"""Alive, and ready to work: what a load balancer asks."""

from flask.testing import FlaskClient

from tests.web.conftest import RememberingQueue


def test_it_lives_and_is_ready(client: FlaskClient, queue: RememberingQueue) -> None:
    assert client.get("/healthz").json["status"] == "ok"  # type: ignore[index]
    assert client.get("/readyz").json == {"ready": True, "database": "ok", "queue": "ok"}
    queue.is_away = True
    away = client.get("/readyz")
    assert (away.status_code, away.json) == (
        200,
        {"ready": True, "database": "ok", "queue": "away"},
    )
