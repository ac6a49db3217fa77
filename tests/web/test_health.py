"""Alive, and ready to work: what a load balancer asks."""

from dataclasses import replace

from flask.testing import FlaskClient

from ghapp.bootstrap import Services
from ghapp.queue.enqueue import RedisQueue, connect
from ghapp.store import Store
from ghapp.web.app import create_app
from tests.queues import MortalValkey
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


def test_a_redis_that_takes_no_writes_is_not_ok(
    services: Services, own_valkey: MortalValkey
) -> None:
    own_valkey.start()
    real = replace(services, queue=RedisQueue(connect(own_valkey.url, quick=True)))
    client = create_app(real).test_client()
    assert client.get("/readyz").json["queue"] == "ok"  # type: ignore[index]
    own_valkey.follow("127.0.0.1", 9)
    answer = client.get("/readyz")
    # Deliveries are stored all the same, so the door stays open.
    assert (answer.status_code, answer.json["queue"]) == (200, "read-only")  # type: ignore[index]
    own_valkey.lead()
    own_valkey.set(maxmemory="1")
    assert client.get("/readyz").json["queue"] == "full"  # type: ignore[index]


def test_without_its_database_it_lives_and_is_not_ready(services: Services) -> None:
    away = Store.unmigrated("postgresql://nobody@127.0.0.1:1/none")
    client = create_app(replace(services, store=away)).test_client()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (
        503,
        {"ready": False, "database": "away", "queue": "ok"},
    )
