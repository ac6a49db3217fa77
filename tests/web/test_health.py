"""Alive, and ready to work: what a load balancer asks."""

from dataclasses import replace

from flask.testing import FlaskClient

from ghapp.bootstrap import Services
from ghapp.store import Store
from ghapp.web.app import create_app
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


def test_without_its_database_it_lives_and_is_not_ready(services: Services) -> None:
    away = Store.unmigrated("postgresql://nobody@127.0.0.1:1/none")
    client = create_app(replace(services, store=away)).test_client()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (
        503,
        {"ready": False, "database": "away", "queue": "ok"},
    )
