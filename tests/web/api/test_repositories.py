"""The viewer, the organizations and the repositories that one may read."""

from flask.testing import FlaskClient

from ghapp.store import Installation
from tests.store.records import NOW
from tests.web.api.audited import pages
from tests.web.place import Place


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


def test_entity_tags_spare_what_has_not_changed(reader: FlaskClient) -> None:
    tag = reader.get("/api/repositories").headers["ETag"]
    assert reader.get("/api/repositories", headers={"If-None-Match": tag}).status_code == 304


def test_the_viewer_is_who_signed_in(reader: FlaskClient) -> None:
    shown = reader.get("/api/viewer").json
    assert shown is not None
    assert (shown["login"], shown["token"], shown["installations"]) == ("reader", None, None)


def test_organizations_are_those_where_one_reads_anything(place: Place) -> None:
    place.store.installations.seen(Installation(id=1, account="other"), now=NOW)
    found = place.signed_in("reader").get("/api/organizations").json
    assert found == [
        {
            "login": "acme",
            "installation_id": place.installed.id,
            "account_type": "Organization",
        }
    ]


def test_one_repository_is_said_as_the_list_says_it(reader: FlaskClient) -> None:
    listed = reader.get("/api/repositories").json
    assert reader.get("/api/repositories/acme/app").json == listed[0]  # type: ignore[index]
    assert reader.get("/api/repositories/acme/app?limit=1").status_code == 400
    assert reader.get("/api/repositories/acme/secret").status_code == 404
