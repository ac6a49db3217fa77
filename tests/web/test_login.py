"""Signing in and out, and what becomes of it when GitHub, a person or a stranger does otherwise."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from ghapp.bootstrap import Services
from ghapp.web.access import require_member, require_reader, viewer
from ghapp.web.login import local_path
from tests.web.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    made.app.add_url_rule("/try/<owner>/<name>", "try", lambda **names: _tried(names))
    made.app.add_url_rule("/try-member", "member", _member)
    made.app.add_url_rule("/api/who", "who", _who, methods=["GET", "POST"])
    yield made
    made.close()


def _tried(names: dict[str, str]) -> str:
    return require_reader(**names).full_name


def _member() -> str:
    return require_member("acme").account


def _who() -> str:
    found = viewer()
    return "anonymous" if found is None else found.login


def test_a_person_signs_in_and_comes_back_to_where_she_wanted(place: Place) -> None:
    browser = place.browser()
    first = browser.get("/try/acme/app?by=week")
    assert first.status_code == 302
    wanted = parse_qs(urlsplit(first.headers["Location"]).query)["next"]
    place.sign_in("reader", browser, next=wanted[0])
    assert place.returned.status_code == 303
    assert place.returned.headers["Location"] == "/try/acme/app?by=week"
    assert browser.get("/try/acme/app").text == "acme/app"
    assert browser.get("/api/who").text == "reader"


def test_the_cookie_says_nothing_and_stays_with_us(place: Place) -> None:
    place.sign_in("reader")
    kept = [one for one in place.returned.headers.getlist("Set-Cookie") if one.startswith("login=")]
    assert "HttpOnly" in kept[0]
    assert "SameSite=Lax" in kept[0]
    assert "reader" not in kept[0]
    encrypted = place.app.test_client().get("/login", base_url="https://localhost")
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


def test_a_redirect_that_this_browser_did_not_start_is_refused(place: Place) -> None:
    mine, other = place.browser(), place.browser()
    mine.get("/login")
    theirs = other.get("/login").headers["Location"]
    state = parse_qs(urlsplit(theirs).query)["state"][0]
    for query in (f"code=1&state={state}", "code=1", "code=1&state="):
        assert mine.get(f"/login/callback?{query}").status_code == 400
    assert place.browser().get(f"/login/callback?code=1&state={state}").status_code == 400
    other.set_cookie("sign-in", "gAAAAA")
    assert other.get(f"/login/callback?code=1&state={state}").status_code == 400


def test_a_sign_in_may_take_ten_minutes(place: Place) -> None:
    browser = place.browser()
    away = browser.get("/login").headers["Location"]
    state = parse_qs(urlsplit(away).query)["state"][0]
    place.clock.pass_by(minutes=10, seconds=1)
    assert browser.get(f"/login/callback?code=1&state={state}").status_code == 400


def test_pkce_is_used(place: Place) -> None:
    query = parse_qs(urlsplit(place.browser().get("/login").headers["Location"]).query)
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
    ["//evil.example/", "https://evil.example/", "/\\evil.example", "/\t/evil.example", "evil"],
)
def test_nobody_is_led_elsewhere(place: Place, next_path: str) -> None:
    place.sign_in("reader", next=next_path)
    assert place.returned.headers["Location"] == "/"


@given(st.text())
def test_only_paths_of_ours_are_returned(text: str) -> None:
    found = local_path(text)
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))
    assert urlsplit(found).netloc == ""


def test_signing_out_needs_our_own_form(place: Place) -> None:
    browser = place.sign_in("reader")
    assert browser.post("/logout").status_code == 403
    assert browser.post("/logout", data={"form_token": "0" * 64}).status_code == 403
    other = place.sign_in("member")
    assert browser.post("/logout", data=place.form_of(other)).status_code == 403
    assert browser.get("/api/who").text == "reader"
    assert browser.post("/logout", data=place.form_of(browser)).status_code == 303
    assert browser.get("/api/who").text == "anonymous"
    assert other.get("/api/who").text == "member"


def test_a_form_without_our_token_comes_from_nobody(place: Place) -> None:
    browser = place.sign_in("reader")
    assert browser.post("/api/who").text == "anonymous"
    assert browser.post("/api/who", data=place.form_of(browser)).text == "reader"


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


def test_github_is_asked_as_the_person_and_once_in_minutes(place: Place) -> None:
    browser = place.sign_in("reader")
    for _ in range(3):
        assert browser.get("/try/acme/app").status_code == 200
    person = place.store.logins.named("reader")
    assert person is not None
    assert place.asked_as() == {f"user:{person.id}"}
    paths = [one.path for one in place.sandbox.exchanges]
    assert paths == ["/user", f"/repositories/{place.repositories['app'].id}"]


def test_what_is_taken_away_on_github_ends_here_within_minutes(place: Place) -> None:
    browser = place.sign_in("member")
    assert browser.get("/try/acme/app").status_code == 200
    assert browser.get("/try-member").status_code == 200
    place.sandbox.allow(place.repositories["app"], "member", "none")
    place.sandbox.remove_member("acme", "member")
    place.clock.pass_by(minutes=5, seconds=1)
    assert browser.get("/try/acme/app").status_code == 404
    assert browser.get("/try-member").status_code == 404


def test_an_invitation_is_no_membership(place: Place) -> None:
    place.sandbox.add_member("acme", "reader", "pending")
    assert place.sign_in("reader").get("/try-member").status_code == 404


def test_without_the_permission_nobody_is_a_member(place: Place) -> None:
    del place.installed.permissions["members"]
    answer = place.sign_in("member").get("/try-member")
    assert answer.status_code == 403
    assert "Members: read" in answer.text


@pytest.mark.parametrize(
    ("kind", "status"), [("server_error", 503), ("secondary_limit", 429), ("cut_off_before", 500)]
)
def test_where_github_cannot_be_asked_nobody_is_let_in(
    place: Place, kind: str, status: int
) -> None:
    browser = place.sign_in("reader")
    fault = {"kind": kind, "method": "GET", "route": "/repos/{owner}/{repo}", "status": status}
    place.sandbox.play(fault)
    away = browser.get("/try/acme/app")
    assert away.status_code == 503
    assert int(away.headers["Retry-After"]) >= 1
    assert "GitHub cannot be asked" in away.text
    place.clock.pass_by(minutes=2)
    assert browser.get("/try/acme/app").status_code == 200


def test_a_name_that_was_given_anew_shows_nothing_of_the_old(place: Place) -> None:
    # Somebody else's repository has the name now; the record is still of the one before.
    place.sandbox.rename_repository(place.repositories["secret"], "moved")
    again = place.sandbox.add_repository("acme", "secret")
    place.sandbox.allow(again, "reader", "read")
    assert place.sign_in("reader").get("/try/acme/secret").status_code == 404


def test_without_a_client_secret_nobody_signs_in(client: FlaskClient, services: Services) -> None:
    assert services.readers is None
    answer = client.get("/login")
    assert answer.status_code == 404
    assert "GITHUB_CLIENT_SECRET" in answer.text


def test_public_repositories_are_open_only_where_the_settings_say_so(tmp_path: Path) -> None:
    for switch, status in (("off", 302), ("on", 200)):
        place = Place(tmp_path / switch, GHAPP_PUBLIC_PAGES=switch)
        place.app.add_url_rule("/try/<owner>/<name>", "try", lambda **names: _tried(names))
        assert place.browser().get("/try/acme/open").status_code == status
        assert place.browser().get("/try/acme/app").status_code == 302
        place.close()
