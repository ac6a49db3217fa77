"""Fixtures of the journeys: a place with the real app; GitHub's description judges it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
