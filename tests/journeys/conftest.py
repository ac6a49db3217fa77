"""What journeys ask for: a place with the real app wired up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.running import Place, running_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return a place; nothing of its app runs yet."""
    with running_place(tmp_path) as made:
        yield made


@pytest.fixture
def live(place: Place) -> Place:
    """Return a place whose app runs: Valkey, web, the live worker, the scheduler."""
    place.app.start("valkey", "web", "worker-live", "scheduler")
    return place
