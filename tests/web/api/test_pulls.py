"""A pull request, its audits and its lines, page by page."""

import pytest
from flask.testing import FlaskClient

from tests.store.records import NOW, document
from tests.web.api.audited import FILES, PULL, pages
from tests.web.place import Place


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


def test_who_read_what_is_logged(place: Place) -> None:
    place.signed_in("reader").get(f"{PULL}/document")
    (last,) = place.store.access_log.of(place.repositories["app"].id, limit=1)
    assert (last.who, last.door, last.what, last.pull_request) == (
        "login:reader",
        "api",
        "document",
        17,
    )
