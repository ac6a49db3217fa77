"""Sign-in by a typed code: pending, too fast, refused, too late, once."""

from datetime import timedelta

import requests

from ghapp.demo.sandbox.device_flow import GRANT
from tests.demo.sandbox.hub import Hub

JSON = {"Accept": "application/json"}


def _post(hub: Hub, path: str, **members: str) -> dict[str, str]:
    answer = requests.post(hub.sandbox.web_url + path, data=members, headers=JSON, timeout=60)
    found: dict[str, str] = answer.json()
    return found


def _started(hub: Hub) -> dict[str, str]:
    return _post(hub, "/login/device/code", client_id=hub.app.client_id)


def _asked(hub: Hub, started: dict[str, str], **changed: str) -> dict[str, str]:
    hub.clock.now += timedelta(seconds=5)
    members = {
        "client_id": hub.app.client_id,
        "device_code": started["device_code"],
        "grant_type": GRANT,
    }
    return _post(hub, "/login/oauth/access_token", **(members | changed))


def test_a_typed_code_gives_a_token_once(hub: Hub) -> None:
    started = _started(hub)
    assert _asked(hub, started)["error"] == "authorization_pending"
    hub.sandbox.device_flow.approve(started["user_code"].lower(), "ada")
    token = _asked(hub, started)["access_token"]
    assert hub.ask("GET", "/user", token=token).json()["login"] == "ada"
    assert _asked(hub, started)["error"] == "incorrect_device_code"


def test_whoever_asks_too_often_has_to_slow_down(hub: Hub) -> None:
    started = _started(hub)
    _asked(hub, started)
    hub.clock.now -= timedelta(seconds=3)
    slowed = _asked(hub, started)
    assert (slowed["error"], slowed["interval"]) == ("slow_down", 10)


def test_refused_and_late_codes_are_told_apart(hub: Hub) -> None:
    refused, late = _started(hub), _started(hub)
    assert refused["user_code"] != late["user_code"]
    hub.sandbox.device_flow.deny(refused["user_code"])
    assert _asked(hub, refused)["error"] == "access_denied"
    hub.clock.now += timedelta(seconds=int(late["expires_in"]))
    assert _asked(hub, late)["error"] == "expired_token"


def test_only_a_registered_app_that_ticked_the_box_may_start(hub: Hub) -> None:
    assert _post(hub, "/login/device/code", client_id="nobody")["error"] == "Not Found"
    started = _started(hub)
    assert _asked(hub, started, client_id="other")["error"] == "incorrect_client_credentials"
    hub.app.device_flow = False
    assert _started(hub)["error"] == "device_flow_disabled"


def test_a_person_types_the_code_on_a_page(hub: Hub) -> None:
    started = _started(hub)
    page = requests.get(started["verification_uri"], timeout=60)
    assert 'name="user_code"' in page.text
    wrong = requests.post(started["verification_uri"], data={"user_code": "ABCD-EFGH"}, timeout=60)
    assert wrong.status_code == 404
    typed = {"user_code": started["user_code"], "login": "ada"}
    assert requests.post(started["verification_uri"], data=typed, timeout=60).ok
    assert "access_token" in _asked(hub, started)
