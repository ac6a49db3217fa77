"""Fixtures of the journeys: a place with the real app; GitHub's description judges it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ghapp.store import Installation, Repository
from tests.journeys.running import Place, running_place
from tests.openapi.validate import problems


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return a place; nothing of its app runs yet.

    Demands in the end that everything that went over the wire is as GitHub describes it.
    """
    with running_place(tmp_path) as made:
        yield made
        expect_good_manners(made)


@pytest.fixture
def known_place(place: Place) -> Place:
    """Return a place whose app does not run yet and knows a repository and its two developers."""
    app = place.registered.app
    place.app.environment["GITHUB_CLIENT_ID"] = app.client_id
    now = datetime.now(UTC)
    owner = place.installation.account
    heard = Installation(
        id=place.installation.id,
        account="acme",
        account_id=owner.id,
        account_type="Organization",
    )
    place.store.installations.seen(heard, now=now)
    seen = Repository(
        id=place.repository.id, owner="acme", name="app", installation_id=place.installation.id
    )
    place.store.installations.repository_seen(seen, now=now)
    for login in ("ann", "bob"):
        place.sandbox.allow(place.repository, login, "write")
    return place


@pytest.fixture
def open_place(known_place: Place) -> Place:
    """Return that place when its app runs."""
    known_place.app.start("valkey", "web", "worker-live", "scheduler")
    return known_place


@pytest.fixture(scope="module")
def app_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Return a place for all journeys of a module, because starting the app takes seconds."""
    with running_place(tmp_path_factory.mktemp("place")) as made:
        yield made
        expect_good_manners(made)


@pytest.fixture
def live(app_place: Place) -> Place:
    """Return a place whose app runs: Valkey, web, the live worker, the scheduler.

    The organization and its repository are new, and whatever a journey before stopped is up.
    """
    app_place.move_on()
    app_place.app.start("valkey", "web", "worker-live", "scheduler")
    return app_place


def expect_good_manners(place: Place) -> None:
    assert problems(place.sandbox.exchanges, place.sandbox.world.deliveries.values()) == []
