"""One app with the demo's data for all tests of pages, and the browser of who may read it."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.web.pages.year import place_with_a_year
from tests.web.place import Place


@pytest.fixture(scope="module")
def database() -> dict[str, str]:
    """Return the settings of the place's database: SQLite, where a module does not say more."""
    return {}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]) -> Iterator[Place]:
    """Yield the app with the demo's repositories, which the admin may read."""
    made = place_with_a_year(tmp_path_factory, **database)
    yield made
    made.close()


@pytest.fixture
def admin(place: Place) -> FlaskClient:
    """Return a browser in which the owner of acme is signed in."""
    return place.signed_in("admin")
