"""Webhooks as an app receives them: signed, recorded, redelivered."""

import hashlib
import hmac
import json
from datetime import timedelta

from ghapp.demo.sandbox.events import renamed, transferred
from tests.demo.sandbox.hub import Hub


def test_a_merged_pull_request_is_told_and_signed(hub: Hub) -> None:
    (delivery,) = hub.sandbox.deliver_closed(hub.pull)
    (received,) = hub.receiver.received
    secret = hub.app.webhook_secret.encode()
    wanted = "sha256=" + hmac.new(secret, received.body, hashlib.sha256).hexdigest()
    assert received.headers["x-hub-signature-256"] == wanted
    assert received.headers["x-github-delivery"] == delivery.guid
    assert received.headers["x-github-hook-installation-target-id"] == str(hub.app.id)
    payload = json.loads(received.body)
    assert payload["action"] == "closed"
    assert payload["pull_request"]["merged"] is True
    assert payload["pull_request"]["merge_commit_sha"] == hub.pull.merge_commit_sha
    assert payload["installation"]["id"] == hub.installation.id
    assert (delivery.status_code, delivery.status) == (202, "OK")


def test_every_event_is_as_described(hub: Hub) -> None:
    sandbox, repository, pull = hub.sandbox, hub.repository, hub.pull
    body = {"name": "attribution", "head_sha": pull.head_sha, "conclusion": "neutral"}
    run = repository.check_runs[hub.repo("POST", "/check-runs", body).json()["id"]]
    sandbox.settle()
    comment = sandbox.add_comment(pull, "dev", "/audit again")
    label = sandbox.add_label(pull, "claude-code-assisted")
    sandbox.deliver_requested_action(repository, run, "audit", "dev")
    sandbox.deliver_suite(repository, run.suite, "dev")
    sandbox.deliver_suite(repository, run.suite, "dev", "requested")
    for action in ("created", "edited", "deleted"):
        sandbox.deliver_comment(pull, comment, action)
        sandbox.deliver_label(repository, label, action, "dev")
    sandbox.deliver_labeled(pull, label, "dev")
    sandbox.deliver_labeled(pull, label, "dev", "unlabeled")
    sandbox.deliver_push(repository, pull.base_sha, pull.merge_commit_sha or "", "dev")
    sandbox.deliver_opened(sandbox.open_pull(repository, files={"c.py": "c\n"}))
    sandbox.deliver_repository(repository, "archived", "dev")
    sandbox.deliver_repository(repository, "renamed", "dev", renamed("before"))
    sandbox.deliver_repository(repository, "transferred", "dev", transferred(sandbox.user("old")))
    for action in ("created", "suspend", "unsuspend", "deleted"):
        sandbox.deliver_installation(hub.installation, action)
    sandbox.deliver_installation_repositories(hub.installation, added=[repository])
    sandbox.deliver_installation_repositories(hub.installation, removed=[repository])
    sandbox.deliver_ping(hub.app)
    assert {"check_run.requested_action", "push", "ping"} <= set(hub.receiver.events)
    assert len(hub.receiver.events) == 25


def test_a_write_tells_its_own_app(hub: Hub) -> None:
    hub.repo("POST", "/issues/1/labels", {"labels": ["claude-code-assisted"]})
    hub.sandbox.settle()
    assert hub.receiver.events == ["label.created", "pull_request.labeled"]


def test_deliveries_are_listed_and_sent_again(hub: Hub) -> None:
    hub.receiver.status = 503
    (failed,) = hub.sandbox.deliver_closed(hub.pull)
    hub.receiver.status = 202
    hub.sandbox.deliver_ping(hub.app)
    listed = hub.ask("GET", "/app/hook/deliveries?status=failure", token=hub.jwt()).json()
    assert [(one["id"], one["status_code"]) for one in listed] == [(failed.id, 503)]
    again = f"/app/hook/deliveries/{failed.id}/attempts"
    assert hub.ask("POST", again, token=hub.jwt()).status_code == 202
    hub.sandbox.settle()
    guids = [one.headers["x-github-delivery"] for one in hub.receiver.received]
    assert guids[0] == guids[2] == failed.guid
    newest = hub.ask("GET", "/app/hook/deliveries", token=hub.jwt()).json()[0]
    assert (newest["redelivery"], newest["status_code"]) == (True, 202)
    shown = hub.ask("GET", f"/app/hook/deliveries/{newest['id']}", token=hub.jwt()).json()
    assert shown["request"]["payload"]["number"] == 1


def test_the_list_is_paged_by_cursor_and_ends_after_three_days(hub: Hub) -> None:
    for _ in range(5):
        hub.sandbox.deliver_ping(hub.app)
    found, path = [], "/app/hook/deliveries?per_page=2"
    while path:
        answer = hub.ask("GET", path, token=hub.jwt())
        found += [one["id"] for one in answer.json()]
        path = answer.links.get("next", {}).get("url", "").removeprefix(hub.sandbox.api_url)
    assert len(found) == len(set(found)) == 5
    assert found == sorted(found, reverse=True)
    hub.clock.now += timedelta(days=3, seconds=1)
    assert hub.ask("GET", "/app/hook/deliveries", token=hub.jwt()).json() == []


def test_nobody_answers(hub: Hub) -> None:
    hub.app.webhook_url = "http://127.0.0.1:9/webhook"
    delivery = hub.sandbox.deliver_ping(hub.app)
    assert delivery.status_code == 502
    assert "failed to connect" in delivery.status


def test_nothing_leaves_this_machine(hub: Hub) -> None:
    hub.app.webhook_url = "http://elsewhere.example/webhook"
    assert (
        hub.sandbox.deliver_ping(hub.app).status
        == "not sent: elsewhere.example is not on this machine"
    )
    hub.app.webhook_url = None
    assert hub.sandbox.deliver_ping(hub.app).status == "not sent: the app has no webhook address"
    hub.sandbox.world.deliveries.clear()


def test_an_app_without_an_address_is_told_nothing(hub: Hub) -> None:
    hub.app.webhook_url = None
    hub.repo("POST", "/issues/1/labels", {"labels": ["claude-code-assisted"]})
    hub.sandbox.settle()
    assert hub.sandbox.deliver_closed(hub.pull) == ()
    assert hub.sandbox.world.deliveries == {}


def test_a_wrong_signature_on_purpose(hub: Hub) -> None:
    hub.sandbox.deliver_raw(hub.app, "ping", {"zen": "x"}, secret="wrong")
    hub.sandbox.deliver_raw(hub.app, "ping", b"{", headers={"X-Hub-Signature-256": None})
    first, second = hub.receiver.received
    right = hmac.new(hub.app.webhook_secret.encode(), first.body, hashlib.sha256).hexdigest()
    assert first.headers["x-hub-signature-256"] != f"sha256={right}"
    assert "x-hub-signature-256" not in second.headers
    hub.sandbox.world.deliveries.clear()
