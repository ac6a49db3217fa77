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
    assert problems(made.sandbox.exchanges, made.sandbox.world.deliveries.values()) == []


@pytest.fixture
def live(place: Place) -> Place:
    """Return a place whose app runs: Valkey, web, the live worker, the scheduler."""
    place.app.start("valkey", "web", "worker-live", "scheduler")
    return place
