"""The web flow: redirects, codes, and what a person's token reaches."""

import hashlib
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from tests.demo.sandbox.hub import Hub

BACK = "http://127.0.0.1:9/login/callback"
VERIFIER = "v" * 48


@pytest.fixture(autouse=True)
def _callback(hub: Hub) -> None:
    hub.app.callback_urls.append(BACK)


def challenge() -> str:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def authorize(hub: Hub, **query: str) -> requests.Response:
    asked = {"client_id": hub.app.client_id, "state": "s1", "redirect_uri": BACK, **query}
    url = f"{hub.sandbox.web_url}/login/oauth/authorize"
    return requests.get(url, params=asked, timeout=60, allow_redirects=False)


def sent_back(answer: requests.Response) -> dict[str, str]:
    assert answer.headers["Location"].startswith(BACK)
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def redeem(hub: Hub, **form: str) -> Any:
    credentials = {"client_id": hub.app.client_id, "client_secret": hub.app.client_secret}
    answer = requests.post(
        f"{hub.sandbox.web_url}/login/oauth/access_token",
        data={**credentials, **form},
        headers={"Accept": "application/json"},
        timeout=60,
    )
    assert answer.status_code == 200
    return answer.json()


def test_a_code_works_once_and_with_its_verifier(hub: Hub) -> None:
    hub.sandbox.sit_down("dev")
    back = sent_back(authorize(hub, code_challenge=challenge(), code_challenge_method="S256"))
    assert back["state"] == "s1"
    assert redeem(hub, code=back["code"])["error"] == "bad_verification_code"
    again = sent_back(authorize(hub, code_challenge=challenge(), code_challenge_method="S256"))
    made = redeem(hub, code=again["code"], code_verifier=VERIFIER)
    assert (made["expires_in"], made["token_type"]) == (28_800, "bearer")
    assert hub.ask("GET", "/user", token=made["access_token"]).json()["login"] == "dev"
    twice = redeem(hub, code=again["code"], code_verifier=VERIFIER)
    assert twice["error"] == "bad_verification_code"


def test_a_code_is_good_for_ten_minutes(hub: Hub) -> None:
    code = sent_back(authorize(hub))["code"]
    hub.clock.now += timedelta(minutes=10, seconds=1)
    assert redeem(hub, code=code)["error"] == "bad_verification_code"


def test_a_browser_is_sent_to_registered_addresses_only(hub: Hub) -> None:
    assert sent_back(authorize(hub, redirect_uri="https://evil.example/"))["error"] == (
        "redirect_uri_mismatch"
    )
    assert authorize(hub, client_id="nobody").status_code == 404


def test_a_person_may_say_no(hub: Hub) -> None:
    hub.sandbox.sit_down("dev", denies=True)
    assert sent_back(authorize(hub))["error"] == "access_denied"


def test_wrong_credentials_are_told_with_status_200(hub: Hub) -> None:
    code = sent_back(authorize(hub))["code"]
    wrong = redeem(hub, code=code, client_secret="no")
    assert wrong["error"] == "incorrect_client_credentials"
    assert redeem(hub, grant_type="password")["error"] == "unsupported_grant_type"


def test_a_token_ends_and_is_renewed_once(hub: Hub) -> None:
    first = redeem(hub, code=sent_back(authorize(hub))["code"])
    hub.clock.now += timedelta(hours=8)
    assert hub.ask("GET", "/user", token=first["access_token"]).status_code == 401
    renewal = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = redeem(hub, **renewal)
    assert hub.ask("GET", "/user", token=second["access_token"]).status_code == 200
    assert redeem(hub, **renewal)["error"] == "bad_refresh_token"
    hub.sandbox.end_user_tokens("maintainer")
    assert hub.ask("GET", "/user", token=second["access_token"]).status_code == 401


def test_a_person_meets_what_he_may_read_and_the_app_is_installed_on(hub: Hub) -> None:
    hub.sandbox.sit_down("dev")
    elsewhere = hub.sandbox.add_repository("other", "app")
    token = redeem(hub, code=sent_back(authorize(hub))["code"])["access_token"]
    assert hub.repo("GET", token=token).status_code == 404
    for repository in (hub.repository, elsewhere):
        hub.sandbox.allow(repository, "dev", "write")
    assert hub.repo("GET", token=token).json()["permissions"]["push"] is True
    assert hub.ask("GET", "/repos/other/app", token=token).status_code == 404
    listed = hub.ask("GET", "/user/installations", token=token).json()
    assert [one["id"] for one in listed["installations"]] == [hub.installation.id]


def test_a_membership_needs_a_permission_and_an_installation(hub: Hub) -> None:
    token = redeem(hub, code=sent_back(authorize(hub))["code"])["access_token"]
    path = "/user/memberships/orgs/acme"
    assert hub.ask("GET", path, token=token).status_code == 403
    hub.installation.permissions["members"] = "read"
    assert hub.ask("GET", path, token=token).status_code == 404
    hub.sandbox.add_member("acme", "maintainer", "admin")
    shown = hub.ask("GET", path, token=token).json()
    assert (shown["role"], shown["state"]) == ("admin", "active")
    hub.sandbox.remove_member("acme", "maintainer")
    assert hub.ask("GET", path, token=token).status_code == 404


def test_addresses_are_told_to_an_app_that_asks_for_them(hub: Hub) -> None:
    hub.sandbox.sit_down("dev")
    hub.sandbox.give_email("dev", "dev@example.com")
    hub.sandbox.give_email("dev", "old@example.com", verified=False)
    token = redeem(hub, code=sent_back(authorize(hub))["code"])["access_token"]
    refused = hub.ask("GET", "/user/emails", token=token)
    assert refused.status_code == 403
    assert refused.json()["message"] == "Resource not accessible by integration"
    hub.app.permissions["emails"] = "read"
    found = hub.ask("GET", "/user/emails", token=token).json()
    assert [(one["email"], one["primary"], one["verified"]) for one in found] == [
        ("dev@example.com", True, True),
        ("old@example.com", False, False),
    ]


def test_no_installation_has_what_people_grant(hub: Hub) -> None:
    hub.app.permissions["emails"] = "read"
    assert "emails" not in hub.sandbox.install(hub.app, "elsewhere").permissions
