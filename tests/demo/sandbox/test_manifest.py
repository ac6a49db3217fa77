"""The stand-in registers no app that GitHub would not register, and sends what GitHub sends."""

import json
import re
from html import unescape
from typing import Any

import pytest
import requests

from ghapp.demo.sandbox.builder import BuilderError
from ghapp.demo.sandbox.manifest import description, problems, supports
from ghapp.demo.sandbox.registration import RegistrationRefused
from ghapp.web.registration import app_file, manifest, read_app_file
from tests.demo.sandbox.hub import Hub

GOOD: dict[str, Any] = {
    "name": "Our Auditor",
    "url": "https://auditor.example",
    "hook_attributes": {"url": "https://auditor.example/webhooks/github"},
    "redirect_url": "http://127.0.0.1:8080/setup/callback",
    "default_permissions": {"pull_requests": "write", "issues": "read"},
    "default_events": ["pull_request", "issue_comment"],
}


def hook(address: str) -> dict[str, Any]:
    return {"hook_attributes": {"url": address}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"default_permissions": {"pull_requests": "write"}},
            "Default events are not supported by permissions: issue_comment",
        ),
        ({"default_events": ["installation"]}, "Default events unsupported: installation"),
        ({"default_events": ["pull_requests"]}, "Default events unsupported: pull_requests"),
        ({"default_permissions": {"issue": "read"}}, "not included in the list: issue"),
        (
            {"default_permissions": {"email_addresses": "read"}},
            "not included in the list: email_addresses",
        ),
        ({"default_permissions": {"checks": "admin"}}, "checks cannot be 'admin': read, write"),
        ({"default_permissions": {"workflows": "read"}}, "workflows cannot be 'read': write"),
        (hook("http://127.0.0.1:8080/x"), "reachable over the public Internet (127.0.0.1)"),
        (hook("https://localhost/x"), "reachable over the public Internet (localhost)"),
        (hook("https://app.localhost./x"), "reachable over the public Internet"),
        (hook("http://[::1]/x"), "reachable over the public Internet (::1)"),
        (hook("http://0.0.0.0/x"), "reachable over the public Internet"),
        (hook("auditor.example/x"), "hook url must be a valid URL"),
        ({"hook_attributes": {"active": False}}, '"url" wasn\'t supplied'),
        ({"url": ""}, '"url" wasn\'t supplied'),
        ({"redirect_url": "/back"}, "redirect_url must be a valid URL"),
        ({"callback_urls": ["https://a.example/x", "x"]}, "callback_urls[1] must be"),
        ({"callback_urls": ["https://a.example/x"] * 11}, "no more than 10 are allowed"),
        ({"name": " "}, "Name can't be blank"),
        ({"name": "x" * 35}, "Name is too long"),
        ({"name": "attribution auditor"}, "Name is already in use"),
    ],
)
def test_what_github_refuses_is_refused(hub: Hub, change: dict[str, Any], said: str) -> None:
    address = f"{hub.sandbox.web_url}/settings/apps/new"
    sent = {"manifest": json.dumps({**GOOD, **change})}
    answer = requests.post(address, data=sent, timeout=60, allow_redirects=False)
    assert (answer.status_code, said in unescape(answer.text)) == (422, True), answer.text
    assert not hub.sandbox.world.manifests


def test_what_github_takes_is_taken() -> None:
    assert problems(GOOD, ["Another App"]) == []


def test_our_own_manifest_is_one_that_github_takes() -> None:
    app = read_app_file(app_file())
    address = "https://auditor.example"
    sent = manifest(app, name=app["name"], public_url=address, redirect_url=f"{address}/back")
    assert problems(json.loads(sent)) == []


@pytest.mark.parametrize("event", read_app_file(app_file())["default_events"])
def test_each_of_our_events_stands_on_a_permission(event: str) -> None:
    asked = read_app_file(app_file())["default_permissions"]
    (needed,) = description()["events"][event]
    assert supports(asked, event)
    without = {name: level for name, level in asked.items() if name != needed}
    assert needed == "metadata" or not supports(without, event)


def test_the_builder_registers_what_github_registers(hub: Hub) -> None:
    with pytest.raises(RegistrationRefused, match="supported by permissions: issue_comment"):
        hub.sandbox.register_app(
            "Another", permissions={"checks": "write"}, events=["issue_comment"]
        )
    with pytest.raises(RegistrationRefused, match="included in the list: pulls"):
        hub.sandbox.register_app("Another", permissions={"pulls": "write"})


def test_an_account_grants_no_more_than_the_app_asks_for(hub: Hub) -> None:
    with pytest.raises(BuilderError, match="does not ask for members"):
        hub.sandbox.install(hub.app, "acme", permissions={"members": "read"})


def test_what_an_account_has_not_granted_yet_is_not_told(hub: Hub) -> None:
    hub.receiver.received.clear()
    comment = hub.sandbox.add_comment(hub.pull, "dev", "/attribution audit")
    hub.sandbox.deliver_comment(hub.pull, comment)
    hub.installation.permissions.pop("issues")
    hub.sandbox.deliver_comment(hub.pull, comment)
    hub.sandbox.settle()
    assert hub.receiver.events == ["issue_comment.created"]
    # GitHub tells apps of every change of a repository but this one.
    hub.sandbox.deliver_repository(hub.repository, "archived", "dev")
    hub.sandbox.deliver_repository(hub.repository, "deleted", "dev")
    hub.sandbox.settle()
    assert hub.receiver.events[1:] == ["repository.archived"]


def test_a_check_run_links_to_a_web_page(hub: Hub) -> None:
    run = {"name": "attribution", "head_sha": hub.pull.head_sha, "details_url": "auditor/17"}
    answer = hub.repo("POST", "/check-runs", run)
    assert (answer.status_code, "http or https" in answer.text) == (422, True)


def test_addresses_are_asked_for_by_the_name_that_github_takes() -> None:
    asked = {**GOOD["default_permissions"], "emails": "read"}
    assert problems({**GOOD, "default_permissions": asked}) == []


def test_what_is_optional_in_our_file_is_what_github_takes() -> None:
    text = app_file().read_text("utf-8")
    optional = re.findall(r"^  # (\w+): (read|write)$", text, re.MULTILINE)
    events = re.findall(r"^  # - (\w+)$", text, re.MULTILINE)
    assert {"deployments", "actions"} <= {name for name, _ in optional}
    assert set(events) == {"deployment_status", "workflow_run", "release", "issues"}
    asked = read_app_file(app_file())
    granted = {**asked["default_permissions"], **dict(optional)}
    whole = {"default_permissions": granted, "default_events": [*asked["default_events"], *events]}
    assert problems({**GOOD, **whole}) == []
    refused = {**whole, "default_permissions": asked["default_permissions"]}
    assert "deployment_status, workflow_run" in " ".join(problems({**GOOD, **refused}))
