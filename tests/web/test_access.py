"""Who sends a request and what GitHub lets that person read; nobody gets in on a guess."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ghapp.store import Installation, NewToken, SignedIn, Store, TokenKind, new_secret
from ghapp.web.access import PageViewer
from tests.web.conftest import NOW
from tests.web.place import Place
from tests.web.trying import with_tries


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Return an app for tests that only sign people in and out."""
    made = with_tries(Place(tmp_path_factory.mktemp("shared")))
    yield made
    made.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = with_tries(Place(tmp_path))
    yield made
    made.close()


def test_a_form_without_our_token_comes_from_nobody(shared: Place) -> None:
    browser = shared.sign_in("reader")
    assert browser.post("/api/who").text == "anonymous"
    assert browser.post("/api/who", data=shared.form_of(browser)).text == "reader"


def test_github_is_asked_as_the_person_and_once_in_minutes(place: Place) -> None:
    browser = place.sign_in("reader")
    for _ in range(3):
        assert browser.get("/try/acme/app").status_code == 200
    person = place.store.logins.named("reader")
    assert person is not None
    assert place.asked_as() == {f"user:{person.id}"}
    paths = [one.path for one in place.sandbox.exchanges]
    assert paths == ["/user", "/user/emails", f"/repositories/{place.repositories['app'].id}"]


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


def test_an_organization_whose_login_was_given_anew_shows_nothing_of_the_old(
    place: Place,
) -> None:
    """Somebody registers the login of an organization that is gone, and installs the app there."""
    world = place.sandbox.world
    gone = world.accounts.pop("acme")
    world.accounts["acme-that-was"], gone.login = gone, "acme-that-was"
    world.memberships["acme-that-was"] = world.memberships.pop("acme")
    place.clock.pass_by(minutes=1)
    installed = place.sandbox.install(place.installed.app, "acme")
    assert installed.account.id != gone.id
    seen = Installation(id=installed.id, account="acme", account_id=installed.account.id)
    place.store.installations.seen(seen, now=place.clock())
    place.sandbox.add_member("acme", "stranger", "admin")
    browser = place.sign_in("stranger")
    assert browser.get("/organizations/acme").status_code == 200
    for path in (
        "/organizations/acme",
        "/organizations/acme/pulls",
        "/api/organizations/acme/pulls.csv",
    ):
        text = browser.get(path).text
        assert "acme/app" not in text
        assert "secret" not in text
    assert browser.get("/repositories/acme/app").status_code == 404


def test_public_repositories_are_open_only_where_the_settings_say_so(tmp_path: Path) -> None:
    for switch, status in (("off", 302), ("on", 200)):
        place = with_tries(Place(tmp_path / switch, GHAPP_PUBLIC_PAGES=switch))
        assert place.browser().get("/try/acme/open").status_code == status
        assert place.browser().get("/try/acme/app").status_code == 302
        place.close()


def test_a_program_is_told_to_sign_in_and_a_browser_is_led_there(shared: Place) -> None:
    program = shared.browser().get("/api/viewer")
    assert program.status_code == 401
    assert program.headers["WWW-Authenticate"].startswith("Bearer")
    browser = shared.browser().get("/try/acme/app?a=1&b=%2F")
    wanted = parse_qs(urlsplit(browser.headers["Location"]).query)["next"]
    assert wanted == ["/try/acme/app?a=1&b=%2F"]


def test_a_repository_that_nobody_knows_leads_to_the_sign_in_as_a_private_one_does(
    shared: Place,
) -> None:
    for name in ("app", "nothing"):
        assert shared.browser().get(f"/try/acme/{name}").status_code == 302


@pytest.mark.parametrize(
    ("account_id", "status"), [("reader", 200), ("member", 404)], ids=["own", "another's"]
)
def test_the_only_member_of_a_personal_account_is_that_person(
    place: Place, account_id: str, status: int
) -> None:
    person = place.sandbox.user(account_id)
    personal = Installation(
        id=place.installed.id, account="acme", account_id=person.id, account_type="User"
    )
    place.store.installations.seen(personal, now=NOW)
    assert place.sign_in("reader").get("/try-member").status_code == status


HIDDEN_AND_UNKNOWN = [
    ("/try/acme/secret", "/try/acme/nothing"),
    ("/try/acme/secret", "/try/nobody/secret"),
    ("/try-member/acme", "/try-member/nobody"),
    ("/try-member/private-person", "/try-member/nobody"),
]
"""What exists and is hidden, beside what does not exist."""


def conditions(place: Place, name: str) -> None:
    """Bring GitHub into a state."""
    if name == "away":
        place.sandbox.play({"kind": "server_error", "status": 503, "times": None})
    if name == "limited":
        place.sandbox.play({"kind": "primary_limit", "times": None})
    if name == "revoked":
        place.sandbox.end_user_tokens("stranger")
    if name == "no_members":
        del place.installed.permissions["members"]


@pytest.mark.parametrize(("hidden", "unknown"), HIDDEN_AND_UNKNOWN)
@pytest.mark.parametrize(
    ("state", "status"),
    [("well", 404), ("away", 503), ("limited", 503), ("revoked", 302), ("no_members", 404)],
)
def test_what_is_hidden_answers_as_what_does_not_exist(
    place: Place, hidden: str, unknown: str, state: str, status: int
) -> None:
    account = place.sandbox.user("private-person")
    personal = Installation(
        id=place.installed.id + 1, account=account.login, account_id=account.id, account_type="User"
    )
    place.store.installations.seen(personal, now=NOW)
    answers, asked = [], []
    for path in (hidden, unknown):
        browser = place.sign_in("stranger")
        conditions(place, state)
        before = len(place.sandbox.exchanges)
        answers.append(browser.get(path))
        asked.append(len(place.sandbox.exchanges) - before)
        place.sandbox.faults.clear()
        place.installed.permissions["members"] = "read"
        place.clock.pass_by(minutes=10)
    assert [one.status_code for one in answers] == [status, status]
    one, other = (
        answer.text.replace(path, "")
        for answer, path in zip(answers, (hidden, unknown), strict=True)
    )
    assert state == "revoked" or one == other
    assert asked[0] == asked[1] > 0


def test_who_reads_a_repository_is_told_why_members_are_hidden(place: Place) -> None:
    del place.installed.permissions["members"]
    assert place.sign_in("reader").get("/try-member/acme").status_code == 403
    assert place.sign_in("stranger").get("/try-member/acme").status_code == 404


def test_asking_again_costs_a_hidden_name_what_it_costs_an_unknown_one(place: Place) -> None:
    browser = place.sign_in("stranger")
    for path in ("/try/acme/secret", "/try/acme/nothing", "/try-member/acme", "/try-member/nobody"):
        assert browser.get(path).status_code == 404
        before = len(place.sandbox.exchanges)
        assert browser.get(path).status_code == 404
        assert len(place.sandbox.exchanges) == before


def test_a_repository_with_a_new_name_makes_nobody_quiet(place: Place) -> None:
    browser, readers = place.sign_in("reader"), place.services.readers
    person = place.store.logins.named("reader")
    assert readers is not None
    assert person is not None
    place.sandbox.rename_repository(place.repositories["app"], "moved")
    assert readers.text(person, "acme/app", "src/app.py", "main") is None
    assert browser.get("/try/acme/app").status_code == 200


def test_a_form_token_is_of_one_browser_and_of_nobody_who_is_not_signed_in(shared: Place) -> None:
    first, second = shared.sign_in("reader"), shared.sign_in("reader")
    tokens = {shared.form_of(one)["form_token"] for one in (first, second)}
    assert len(tokens) == 2
    assert shared.form_of(shared.browser()) == {"form_token": ""}


@pytest.mark.parametrize(
    ("installations", "asked", "may"),
    [(None, 7, True), (None, None, True), ((7,), 7, True), ((7,), 8, False), ((7,), None, False)],
)
def test_a_token_covers_what_it_was_made_for(
    sqlite_store: Store, installations: tuple[int, ...] | None, asked: int | None, *, may: bool
) -> None:
    person = SignedIn(id=1, login="ann", sealed=b"x")
    new = NewToken(kind=TokenKind.READ, login="ann", user_id=1, installations=installations)
    token = sqlite_store.tokens.issue(new, new_secret(TokenKind.READ), now=NOW)
    viewer = PageViewer(person=person, token=token)
    assert viewer.may_ask_about(asked) is may
    assert viewer.who == f"token:{token.id}"
    in_a_browser = PageViewer(person=person)
    assert in_a_browser.may_ask_about(asked)
    assert in_a_browser.who == "login:ann"
