"""An app with one audited pull request of two files, and who reads it."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.store.records import NOW, document
from tests.web.api.audited import FILES
from tests.web.place import Place


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
