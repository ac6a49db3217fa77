"""Sign-in by a typed code: what GitHub's answers mean, and what is not an answer."""

from datetime import timedelta

import pytest
import requests

from ghapp.github.answers import TemporaryFailure
from ghapp.github.device_flow import DeviceCode, NotApproved, start, user_token
from tests.github.place import Place


def started(place: Place) -> DeviceCode:
    return start(place.sandbox.web_url, place.app.app.client_id)


def asked(place: Place, code: DeviceCode) -> str | None:
    """Ask for the token, as long after the last time as GitHub wants."""
    place.clock.now += timedelta(seconds=code.interval)
    return user_token(place.sandbox.web_url, place.app.app.client_id, code.device_code)


def test_a_typed_code_gives_the_token_once(place: Place) -> None:
    code = started(place)
    assert asked(place, code) is None
    place.sandbox.device_flow.approve(code.user_code, "ada")
    token = asked(place, code)
    assert token is not None
    assert place.sandbox.world.user_tokens[token].account.login == "ada"
    with pytest.raises(NotApproved, match="incorrect_device_code"):
        asked(place, code)


def test_asking_too_often_is_no_end(place: Place) -> None:
    code = started(place)
    asked(place, code)
    place.clock.now -= timedelta(seconds=code.interval - 1)
    assert asked(place, code) is None


def test_a_refusal_and_a_code_that_is_over_say_so(place: Place) -> None:
    refused, late = started(place), started(place)
    place.sandbox.device_flow.deny(refused.user_code)
    with pytest.raises(NotApproved, match=r"access_denied.*start again"):
        asked(place, refused)
    place.clock.now += timedelta(seconds=late.expires_in)
    with pytest.raises(NotApproved, match="expired_token"):
        asked(place, late)


def test_what_the_apps_owner_has_to_tick_is_said(place: Place) -> None:
    place.app.app.device_flow = False
    with pytest.raises(NotApproved, match=r"device_flow_disabled.*tick 'Enable Device Flow'"):
        started(place)


def test_an_unknown_app_is_told(place: Place) -> None:
    with pytest.raises(NotApproved, match="GITHUB_CLIENT_ID"):
        start(place.sandbox.web_url, "nobody")


def test_the_secret_is_in_no_repr(place: Place) -> None:
    code = started(place)
    assert code.device_code not in repr(code)
    assert code.user_code in repr(code)


def test_an_address_that_is_not_safe_gets_no_secret() -> None:
    with pytest.raises(ValueError, match="https"):
        user_token("http://example.test", "client", "secret")


def test_no_answer_is_for_later(place: Place) -> None:
    place.sandbox.close()
    with pytest.raises(TemporaryFailure, match="no answer"):
        started(place)


def test_a_page_instead_of_an_answer_is_for_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Page:
        """Such as that of a proxy, or of a GitHub under maintenance."""

        status_code, content = 200, b"<html>"

    monkeypatch.setattr(requests, "post", lambda *_, **__: Page())
    with pytest.raises(TemporaryFailure, match="not as documented"):
        started(place)
    monkeypatch.setattr(Page, "status_code", 503)
    with pytest.raises(TemporaryFailure, match="status 503"):
        started(place)
