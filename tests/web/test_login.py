"""Signing in and out, and what becomes of it when GitHub, a person or a stranger does otherwise."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ghapp.bootstrap import Services
from ghapp.store.logins import SignedIn, new_cookie
from ghapp.web.access import form_token
from ghapp.web.limits import RATES
from ghapp.web.login import local_path
from tests.web.place import Place
from tests.web.trying import with_tries


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Return an app for tests that sign in and out, together more often than one may."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RATES, "/login", replace(RATES["/login"], amount="1000 per minute"))
        made = with_tries(Place(tmp_path_factory.mktemp("shared")))
        yield made
        made.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = with_tries(Place(tmp_path))
    yield made
    made.close()


def test_a_person_signs_in_and_comes_back_to_where_she_wanted(shared: Place) -> None:
    browser = shared.browser()
    first = browser.get("/try/acme/app?by=week")
    assert first.status_code == 302
    wanted = parse_qs(urlsplit(first.headers["Location"]).query)["next"]
    shared.sign_in("reader", browser, next=wanted[0])
    assert shared.returned.status_code == 303
    assert shared.returned.headers["Location"] == "/try/acme/app?by=week"
    assert browser.get("/try/acme/app").text == "acme/app"
    assert browser.get("/api/who").text == "reader"


def test_the_cookie_says_nothing_and_stays_with_us(shared: Place) -> None:
    shared.sign_in("reader")
    kept = [
        one for one in shared.returned.headers.getlist("Set-Cookie") if one.startswith("login=")
    ]
    assert "HttpOnly" in kept[0]
    assert "SameSite=Lax" in kept[0]
    assert "reader" not in kept[0]
    encrypted = shared.app.test_client().get("/login", base_url="https://localhost")
    assert "__Host-sign-in=" in encrypted.headers["Set-Cookie"]
    assert "Secure" in encrypted.headers["Set-Cookie"]


def test_where_people_come_by_https_every_cookie_is_secure(tmp_path: Path) -> None:
    behind_a_proxy = Place(tmp_path, GHAPP_PUBLIC_URL="https://app.example")
    cookies = behind_a_proxy.browser().get("/login").headers.getlist("Set-Cookie")
    behind_a_proxy.close()
    assert cookies
    assert all(one.startswith("__Host-") and "Secure" in one for one in cookies)


def test_what_is_kept_opens_nothing(place: Place) -> None:
    browser = place.sign_in("reader")
    cookie = browser.get_cookie("login")
    assert cookie is not None
    raw = Path(str(place.store.database.url.database)).read_bytes()
    raw += Path(f"{place.store.database.url.database}-wal").read_bytes()
    assert cookie.value.encode() not in raw
    assert b"ghu_" not in raw
    assert b"ghr_" not in raw


def test_a_redirect_that_this_browser_did_not_start_is_refused(shared: Place) -> None:
    mine, other = shared.browser(), shared.browser()
    mine.get("/login")
    theirs = other.get("/login").headers["Location"]
    state = parse_qs(urlsplit(theirs).query)["state"][0]
    for query in (f"code=1&state={state}", "code=1", "code=1&state="):
        assert mine.get(f"/login/callback?{query}").status_code == 400
    assert shared.browser().get(f"/login/callback?code=1&state={state}").status_code == 400
    other.set_cookie("sign-in", "gAAAAA")
    assert other.get(f"/login/callback?code=1&state={state}").status_code == 400


def test_a_sign_in_may_take_ten_minutes(shared: Place) -> None:
    browser = shared.browser()
    away = browser.get("/login").headers["Location"]
    state = parse_qs(urlsplit(away).query)["state"][0]
    shared.clock.pass_by(minutes=10, seconds=1)
    assert browser.get(f"/login/callback?code=1&state={state}").status_code == 400


def test_pkce_is_used(shared: Place) -> None:
    query = parse_qs(urlsplit(shared.browser().get("/login").headers["Location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["code_challenge"][0]) == 43


def test_a_person_who_says_no_is_not_let_in(place: Place) -> None:
    place.sandbox.sit_down("reader", denies=True)
    browser = place.browser()
    state = parse_qs(urlsplit(browser.get("/login").headers["Location"]).query)["state"][0]
    refused = browser.get(f"/login/callback?error=access_denied&state={state}")
    assert refused.status_code == 403
    wrong = browser.get(f"/login/callback?code=made-up&state={state}")
    assert wrong.status_code == 403
    assert browser.get("/api/who").text == "anonymous"


@pytest.mark.parametrize(
    "next_path",
    [
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "evil",
        "//[",
    ],
)
def test_nobody_is_led_elsewhere(shared: Place, next_path: str) -> None:
    shared.sign_in("reader", next=next_path)
    assert shared.returned.headers["Location"] == "/"


@given(st.text())
def test_only_paths_of_ours_are_returned(text: str) -> None:
    found = local_path(text)
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))
    assert urlsplit(found).netloc == ""


def test_signing_out_needs_our_own_form(shared: Place) -> None:
    browser = shared.sign_in("reader")
    assert browser.post("/logout").status_code == 403
    assert browser.post("/logout", data={"form_token": "0" * 64}).status_code == 403
    other = shared.sign_in("member")
    assert browser.post("/logout", data=shared.form_of(other)).status_code == 403
    assert browser.get("/api/who").text == "reader"
    assert browser.post("/logout", data=shared.form_of(browser)).status_code == 303
    assert browser.get("/api/who").text == "anonymous"
    assert other.get("/api/who").text == "member"


def test_a_login_ends_after_two_weeks(place: Place) -> None:
    browser = place.sign_in("reader")
    place.clock.pass_by(days=13)
    assert browser.get("/try/acme/app").status_code == 200
    place.clock.pass_by(days=1)
    assert browser.get("/try/acme/app").status_code == 302
    assert place.store.logins.expire(place.clock()) == 1


def test_tokens_are_renewed_and_when_taken_back_signing_in_is_needed(place: Place) -> None:
    browser = place.sign_in("reader")
    place.clock.pass_by(hours=9)
    assert browser.get("/try/acme/app").status_code == 200
    assert {one.revoked for one in place.sandbox.world.user_tokens.values()} == {True, False}
    place.sandbox.end_user_tokens("reader")
    place.clock.pass_by(minutes=6)
    assert browser.get("/try/acme/app").status_code == 302
    place.sign_in("reader", browser)
    assert browser.get("/try/acme/app").status_code == 200


def test_without_a_client_secret_nobody_signs_in(client: FlaskClient, services: Services) -> None:
    assert services.readers is None
    answer = client.get("/login")
    assert answer.status_code == 404
    assert "GITHUB_CLIENT_SECRET" in answer.text


def attributes(cookie: str) -> set[str]:
    """Return what a Set-Cookie says beside its value and when it ends."""
    parts = {part.strip() for part in cookie.split(";")[1:]}
    return {part for part in parts if not part.startswith(("Max-Age", "Expires"))}


@pytest.mark.parametrize("path", ["/logout", "/settings/sign-out-everywhere"])
def test_a_cookie_is_deleted_as_it_was_set(tmp_path: Path, path: str) -> None:
    # Browsers ignore a `__Host-` cookie's deletion that lacks `Secure` or names another path.
    place = Place(tmp_path, GHAPP_PUBLIC_URL="https://localhost")
    try:
        browser = place.app.test_client()
        secret, url = new_cookie(), "https://localhost"
        person = SignedIn(id=1, login="ann", sealed=b"x")
        until = place.clock() + timedelta(days=1)
        place.store.logins.begin(person, secret, until, now=place.clock())
        browser.set_cookie("__Host-login", secret, secure=True)
        with place.app.test_request_context("/", headers={"Cookie": f"__Host-login={secret}"}):
            token = form_token()
        out = browser.post(path, data={"form_token": token}, base_url=url)
        (deleted,) = out.headers.getlist("Set-Cookie")
        (begun,) = browser.get("/login", base_url=url).headers.getlist("Set-Cookie")
    finally:
        place.close()
    assert out.status_code == 303
    assert deleted.startswith("__Host-login=;")
    wanted = {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}
    assert attributes(deleted) == attributes(begun) == wanted


def test_a_cookie_that_was_planted_before_the_sign_in_stays_nobodys(shared: Place) -> None:
    planted = new_cookie()
    browser, attacker = shared.browser(), shared.browser()
    for one in (browser, attacker):
        one.set_cookie("login", planted)
    shared.sign_in("reader", browser)
    assert browser.get("/api/who").text == "reader"
    assert attacker.get("/api/who").text == "anonymous"
    again = browser.get_cookie("login")
    assert again is not None
    assert again.value != planted


def test_an_address_that_github_sent_back_signs_in_once(shared: Place) -> None:
    browser, stolen = shared.browser(), shared.browser()
    shared.sandbox.sit_down("reader")
    away = browser.get("/login")
    back = requests.get(away.headers["Location"], timeout=60, allow_redirects=False)
    carried = browser.get_cookie("sign-in")
    assert carried is not None
    assert browser.get(back.headers["Location"]).status_code == 303
    # Whoever has both the address and the cookie comes too late: GitHub took the code once.
    stolen.set_cookie("sign-in", carried.value)
    assert stolen.get(back.headers["Location"]).status_code == 403
    assert stolen.get("/api/who").text == "anonymous"


def test_another_method_in_a_header_or_a_field_is_not_meant(shared: Place) -> None:
    browser = shared.sign_in("reader")
    for headers in ({"X-HTTP-Method-Override": "POST"}, {"X-Method-Override": "POST"}):
        assert browser.get("/logout?_method=POST", headers=headers).status_code == 405
    assert browser.get("/api/who").text == "reader"
