"""Fixtures of the fault tests: a place with a real database and a real Valkey."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ghapp.store import Store
from tests.faults.place import Place, running_place


@pytest.fixture
def place(tmp_path: Path, sqlite_store: Store, redis_url: str) -> Iterator[Place]:
    """Return a place on SQLite: most faults are GitHub's, and no matter of the database."""
    with running_place(tmp_path / "place", sqlite_store, redis_url) as made:
        yield made


@pytest.fixture
def place_on_each(tmp_path: Path, store: Store, redis_url: str) -> Iterator[Place]:
    """Return a place, once on each database: where SQL, locks or transactions decide."""
    with running_place(tmp_path / "place", store, redis_url) as made:
        yield made
