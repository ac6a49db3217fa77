"""The viewer, the organizations and the repositories that one may read."""

from flask.testing import FlaskClient

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
