"""The read-only API: what it answers, page by page, and what it refuses to be asked."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from ghapp.attribution.model import FileVerdict, LineVerdict
from ghapp.store import NewToken, TokenKind, new_secret
from tests.store.records import NOW, document
from tests.web.place import Place

PULL = "/api/repositories/acme/app/pulls/17"
LINES = tuple(
    LineVerdict(line=number, reason="run" if number % 2 else "no_match", attributed=number % 2 == 1)
    for number in range(1, 8)
)
FILES = tuple(
    FileVerdict(
        path=path,
        previous_path=None,
        added=7,
        effective=7,
        attributed=4,
        excluded=None,
        lines=LINES,
    )
    for path in ("a.py", "b.py")
)


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, at_night_on_each: dict[str, str]
) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("api"), **at_night_on_each)
    app = made.repositories["app"].id
    made.store.audits.save(app, 17, document(NOW, repository="acme/app", files=FILES), now=NOW)
    yield made
    made.close()


@pytest.fixture
def reader(place: Place) -> FlaskClient:
    return place.signed_in("reader")


def pages(browser: FlaskClient, address: str) -> list[Any]:
    """Return all items of a list, following its links."""
    found: list[Any] = []
    while address:
        answer = browser.get(address)
        assert answer.status_code == 200
        assert answer.json is not None
        found += answer.json
        link = answer.headers.get("Link", "")
        address = link.removeprefix("<").partition(">")[0]
    return found


def test_repositories_are_those_that_the_person_reads(place: Place) -> None:
    names = {
        who: [one["full_name"] for one in pages(place.signed_in(who), "/api/repositories?limit=1")]
        for who in ("stranger", "reader", "admin")
    }
    everything = ["acme/app", "acme/secret", "acme/open"]
    assert names == {
        "stranger": ["acme/open"],
        "reader": ["acme/app", "acme/open"],
        "admin": everything,
    }


def test_a_pull_request_with_all_its_audits(reader: FlaskClient) -> None:
    shown = reader.get(PULL).json
    assert shown is not None
    assert [one["number"] for one in shown["audits"]] == [1, 2]
    assert shown["in_force"]["number"] == 2
    assert shown["published"] == []


def test_a_document_byte_for_byte(place: Place, reader: FlaskClient) -> None:
    saved = place.store.audits.numbered(place.repositories["app"].id, 17, 1)
    assert saved is not None
    first = reader.get(f"{PULL}/audits/1/document")
    assert first.data == place.store.audits.document(saved.id)
    assert first.headers["ETag"] == f'"{saved.digest}"'
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = reader.get(
        f"{PULL}/audits/1/document", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")
    latest = reader.get(f"{PULL}/document").json
    assert latest is not None
    assert len(latest["files"]) == 2


def test_lines_page_by_page(reader: FlaskClient) -> None:
    found = pages(reader, f"{PULL}/lines?limit=3")
    assert [(one["path"], one["line"]) for one in found] == [
        (path, number) for path in ("a.py", "b.py") for number in range(1, 8)
    ]
    attributed = pages(reader, f"{PULL}/lines?limit=2&attributed=true&path=b.py")
    assert [one["line"] for one in attributed] == [1, 3, 5, 7]
    assert pages(reader, f"{PULL}/lines?reason=no_match&audit=1") == []


def test_a_list_goes_on_in_the_audit_that_it_began_with(place: Place, reader: FlaskClient) -> None:
    app, of_the_app = place.repositories["app"].id, {"repository": "acme/app", "pull_request": 18}
    place.store.audits.save(app, 18, document(NOW, files=FILES, **of_the_app), now=NOW)
    first = reader.get(f"{PULL.replace('17', '18')}/lines?limit=10")
    after = first.headers["Link"].partition(">")[0].removeprefix("<")
    place.store.audits.save(app, 18, document(NOW, **of_the_app), now=NOW)
    rest = reader.get(after).json
    assert rest is not None
    assert [one["line"] for one in rest] == [4, 5, 6, 7]


@pytest.mark.parametrize(
    "query",
    [
        "nothing=1",
        "limit=0",
        "limit=5000",
        "after=x",
        "after=0.0",
        "after=1.²",
        "attributed=maybe",
        "audit=9999999999",
        "path=a&path=b",
    ],
)
def test_what_cannot_be_meant_is_refused(reader: FlaskClient, query: str) -> None:
    answer = reader.get(f"{PULL}/lines?{query}")
    assert answer.status_code == 400
    assert answer.json is not None
    assert query.partition("=")[0] in answer.json["error"]


def test_numbers_that_no_database_keeps_are_not_there(reader: FlaskClient) -> None:
    for path in (f"/api/repositories/acme/app/pulls/{2**63}", f"{PULL}/audits/{2**70}/document"):
        assert reader.get(path).status_code == 404


def test_entity_tags_spare_what_has_not_changed(reader: FlaskClient) -> None:
    tag = reader.get("/api/repositories").headers["ETag"]
    assert reader.get("/api/repositories", headers={"If-None-Match": tag}).status_code == 304


# --- read tokens ----------------------------------------------------------------------------------


def bearer(place: Place, login: str, **changed: Any) -> tuple[FlaskClient, dict[str, str]]:
    """Return a program that shows a read token of this person's."""
    place.signed_in(login)
    person = place.store.logins.named(login)
    assert person is not None
    secret = new_secret(TokenKind.READ)
    values = {"kind": TokenKind.READ, "login": login, "user_id": person.id, **changed}
    place.store.tokens.issue(msgspec.convert(values, NewToken), secret, now=NOW)
    return place.browser(), {"Authorization": f"Bearer {secret}"}


def test_a_token_reads_what_its_person_reads(place: Place) -> None:
    program, headers = bearer(place, "reader")
    assert program.get(PULL, headers=headers).status_code == 200
    assert program.get("/api/repositories/acme/secret", headers=headers).status_code == 404
    shown = program.get("/api/viewer", headers=headers).json
    assert shown is not None
    assert (shown["login"], shown["installations"]) == ("reader", None)


def test_a_token_reads_only_what_it_was_made_for(place: Place) -> None:
    program, headers = bearer(place, "admin", installations=(1,))
    assert program.get(PULL, headers=headers).status_code == 404
    assert program.get("/api/repositories", headers=headers).json == []
    program, headers = bearer(place, "admin", installations=(place.installed.id,))
    assert program.get(PULL, headers=headers).status_code == 200


def test_a_token_of_another_kind_reads_nothing(place: Place) -> None:
    program, headers = bearer(place, "reader", kind="upload")
    refused = program.get(PULL, headers=headers)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_ends_with_its_time_by_hand_and_with_the_sign_in(place: Place) -> None:
    program, headers = bearer(place, "reader", expires_at=NOW)
    assert program.get(PULL, headers=headers).status_code == 401
    program, headers = bearer(place, "member")
    assert program.get(PULL, headers=headers).status_code == 200
    person = place.store.logins.named("member")
    assert person is not None
    place.store.logins.end_all(person.id)
    refused = program.get(PULL, headers=headers)
    assert refused.status_code == 401
    assert "sign in again" in refused.text
    place.sign_in("member")
    assert program.get(PULL, headers=headers).status_code == 200
    for token in place.store.tokens.of_user(person.id):
        place.store.tokens.revoke(token.id, now=NOW)
    assert program.get(PULL, headers=headers).status_code == 401


def test_a_token_is_no_cookie(place: Place) -> None:
    program, headers = bearer(place, "reader")
    assert program.post("/logout", headers=headers).status_code == 403


def test_who_read_what_is_logged(place: Place) -> None:
    place.signed_in("reader").get(f"{PULL}/document")
    (last,) = place.store.access_log.of(place.repositories["app"].id, limit=1)
    assert (last.who, last.door, last.what, last.pull_request) == (
        "login:reader",
        "api",
        "document",
        17,
    )
