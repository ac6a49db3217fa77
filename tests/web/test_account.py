"""What a person sets for herself: tokens made, shown once, revoked; signing out everywhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.web.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


def make(place: Place, browser: FlaskClient, **fields: str) -> tuple[int, str]:
    form = place.form_of(browser, **{"label": "my label", "days": "90", **fields})
    answer = browser.post("/settings/tokens", data=form)
    found = re.search(r"ghapp_read_[\w-]+", answer.text)
    return answer.status_code, found[0] if found else ""


def test_a_token_is_shown_once_and_reads_until_it_is_revoked(place: Place) -> None:
    browser = place.sign_in("reader")
    status, secret = make(place, browser)
    assert status == 201
    headers = {"Authorization": f"Bearer {secret}"}
    program = place.browser()
    assert program.get("/api/viewer", headers=headers).status_code == 200
    page = browser.get("/settings/tokens").text
    assert "my label" in page
    assert secret not in page
    (token,) = place.store.tokens.of_login("reader")
    path = f"/settings/tokens/{token.id}/revoke"
    other = place.sign_in("member")
    assert other.post(path, data=place.form_of(other)).status_code == 404
    assert browser.post(path, data=place.form_of(browser)).status_code == 303
    assert program.get("/api/viewer", headers=headers).status_code == 401
    assert "my label" not in browser.get("/settings/tokens").text


@pytest.mark.parametrize(
    "fields", [{"label": ""}, {"label": "x" * 101}, {"days": "0"}, {"installation": "1"}]
)
def test_what_cannot_be_is_refused(place: Place, fields: dict[str, str]) -> None:
    browser = place.sign_in("reader")
    assert make(place, browser, **fields)[0] == 400
    assert place.store.tokens.of_login("reader") == ()


def test_a_name_is_harmless_on_the_page(place: Place) -> None:
    browser = place.sign_in("reader")
    make(place, browser, label="<b>\u202ex")
    page = browser.get("/settings/tokens").text
    assert "<b>" not in page
    assert "\u202e" not in page


def test_signing_out_everywhere_ends_every_browser(place: Place) -> None:
    first, second = place.sign_in("reader"), place.sign_in("reader")
    secret = make(place, first)[1]
    gone = first.post("/settings/sign-out-everywhere", data=place.form_of(first))
    assert gone.status_code == 303
    for browser in (first, second):
        assert browser.get("/settings/tokens").status_code == 302
    headers = {"Authorization": f"Bearer {secret}"}
    assert place.browser().get("/api/viewer", headers=headers).status_code == 401


def test_the_page_says_by_which_command_a_machine_is_enrolled(place: Place) -> None:
    page = place.signed_in("reader").get("/settings/tokens").text
    assert (
        "<code>ghapp collect enroll http://localhost</code> and <code>ghapp collect install" in page
    )
