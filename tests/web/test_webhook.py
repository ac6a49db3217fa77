"""The webhook door: what is kept, what is told, and what is answered."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ghapp.bootstrap import Services
from ghapp.github.webhooks import MAX_BODY_BYTES, sign
from ghapp.store import DeliveryEnd, Installation, Repository, StoreError, WorkKind
from tests.store.records import deliveries
from tests.web.conftest import APP, NOW, SECRETS, RememberingQueue

MERGED: dict[str, Any] = {
    "action": "closed",
    "installation": {"id": 5},
    "repository": {"id": 42, "full_name": "acme/app"},
    "sender": {"login": "maria", "type": "User"},
    "pull_request": {
        "number": 17,
        "merged": True,
        "merged_at": "2026-05-20T15:29:58Z",
        "head": {"sha": "a" * 40, "ref": "topic"},
        "base": {"sha": "b" * 40, "ref": "main"},
    },
}


def send(
    client: FlaskClient,
    body: bytes | dict[str, Any],
    *,
    event: str = "pull_request",
    guid: str = "d-1",
    **headers: str,
) -> TestResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": guid,
        "X-Hub-Signature-256": sign(raw, SECRETS[0]),
        "X-GitHub-Hook-Installation-Target-ID": str(APP),
    }
    return client.post("/webhooks/github", data=raw, headers={**given, **headers})


def test_a_merge_is_kept_made_due_and_queued(
    client: FlaskClient, services: Services, queue: RememberingQueue
) -> None:
    answer = send(client, MERGED)
    assert (answer.status_code, answer.json) == (202, {"delivery": "d-1", "outcome": "scheduled"})
    (kept,) = deliveries(services.store)
    assert (kept.guid, kept.repository_id, kept.pull_request) == ("d-1", 42, 17)
    assert (kept.outcome, kept.received_at) == (DeliveryEnd.SCHEDULED, NOW)
    assert kept.body is None
    assert [item.name for item in services.store.work.overdue(NOW)] == ["audit:42:17"]
    assert queue.wakes == 1


def test_the_secret_before_is_still_good(client: FlaskClient) -> None:
    raw = json.dumps(MERGED).encode()
    answer = send(client, raw, **{"X-Hub-Signature-256": sign(raw, SECRETS[1])})
    assert answer.status_code == 202


def test_the_same_guid_is_accepted_once(
    client: FlaskClient, services: Services, queue: RememberingQueue
) -> None:
    send(client, MERGED)
    again = send(client, MERGED)
    assert (again.status_code, again.json) == (
        202,
        {"delivery": "d-1", "outcome": "already accepted"},
    )
    assert queue.wakes == 1
    assert len(services.store.work.of(42, 17)) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Hub-Signature-256": "sha256=" + "0" * 64}, 401),
        ({"X-Hub-Signature-256": ""}, 401),
        ({"X-GitHub-Hook-Installation-Target-ID": "8"}, 403),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"X-GitHub-Delivery": "not/a guid"}, 400),
    ],
    ids=["wrong_signature", "no_signature", "other_app", "form", "no_guid"],
)
def test_what_is_refused_is_not_kept(
    client: FlaskClient, services: Services, headers: dict[str, str], status: int
) -> None:
    answer = send(client, MERGED, **headers)
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"]
    assert deliveries(services.store) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"action": "closed"}', b"\xff\xfe"])
def test_a_malformed_body_is_said_to_be_one(
    client: FlaskClient, services: Services, body: bytes
) -> None:
    assert send(client, body).status_code == 400
    assert deliveries(services.store) == []


def test_an_event_without_use_is_kept_as_ignored(client: FlaskClient, services: Services) -> None:
    answer = send(client, {"action": "created"}, event="star")
    assert (answer.status_code, answer.json) == (202, {"delivery": "d-1", "outcome": "ignored"})
    (kept,) = deliveries(services.store)
    assert kept.outcome is DeliveryEnd.IGNORED
    assert "star.created" in str(kept.detail)


def test_without_redis_it_is_kept_and_due(
    client: FlaskClient, services: Services, queue: RememberingQueue
) -> None:
    queue.is_away = True
    assert send(client, MERGED).status_code == 202
    assert [item.name for item in services.store.work.overdue(NOW)] == ["audit:42:17"]


def test_without_its_database_it_asks_to_be_told_again(
    client: FlaskClient, services: Services
) -> None:
    path = services.store.database.url.database
    assert path is not None
    services.store.close()
    with open(path, "r+b") as file:  # noqa: PTH123 - damaged on purpose
        file.write(b"no database at all" * 100)
    answer = send(client, MERGED)
    assert answer.status_code == 503
    with pytest.raises(StoreError):
        services.store.deliveries.one("d-1")


def test_more_than_github_sends_is_refused(client: FlaskClient) -> None:
    answer = send(client, b" " * (MAX_BODY_BYTES + 128 * 1024))
    assert answer.status_code == 413
    assert answer.json is not None


def test_as_much_as_github_sends_is_read(client: FlaskClient) -> None:
    raw = json.dumps(MERGED).encode()
    assert send(client, raw + b" " * (MAX_BODY_BYTES - len(raw))).status_code == 202


def test_what_an_event_opens_waits_for_github(client: FlaskClient, services: Services) -> None:
    body = {
        "action": "created",
        "installation": {"id": 5, "account": {"login": "acme", "type": "Organization"}},
        "repositories": [{"id": 42, "full_name": "acme/app"}],
        "sender": {"login": "maria"},
    }
    answer = send(client, body, event="installation").json
    assert answer == {"delivery": "d-1", "outcome": "scheduled"}
    assert services.store.installations.installation(5) is None
    (asked,) = services.store.work.overdue(NOW)
    assert asked.kind == WorkKind.CONFIRM
    (kept,) = deliveries(services.store)
    assert kept.outcome is DeliveryEnd.SCHEDULED


@pytest.mark.parametrize(
    ("action", "is_active"), [("deleted", False), ("suspend", False), ("unsuspend", True)]
)
def test_an_installation_that_ends_is_left_alone(
    client: FlaskClient, services: Services, action: str, *, is_active: bool
) -> None:
    services.store.installations.seen(Installation(id=5, account="acme"), now=NOW)
    body = {"action": action, "installation": {"id": 5, "account": {"login": "acme"}}}
    send(client, body, event="installation")
    installed = services.store.installations.installation(5)
    assert installed is not None
    assert installed.is_active is is_active


def test_repositories_go_at_once(client: FlaskClient, services: Services) -> None:
    store = services.store.installations
    store.seen(Installation(id=5, account="acme"), now=NOW)
    for number, name in ((42, "app"), (43, "web")):
        one = Repository(id=number, owner="acme", name=name, installation_id=5)
        store.repository_seen(one, now=NOW)
    gone = {
        "action": "removed",
        "installation": {"id": 5},
        "repositories_removed": [{"id": 43, "full_name": "acme/web"}],
    }
    send(client, gone, event="installation_repositories")
    assert [one.full_name for one in store.repositories(5)] == ["acme/app"]


@pytest.mark.parametrize("path", ["/webhooks/github", "/webhooks/github/"])
def test_a_slash_at_the_end_of_the_address_makes_no_difference(
    client: FlaskClient, path: str
) -> None:
    answer = client.post(path, data=b"{}", headers={"X-GitHub-Event": "ping"})
    # Neither lost (404) nor sent elsewhere, where GitHub does not follow (308).
    assert (answer.status_code, answer.mimetype) == (401, "application/json")
