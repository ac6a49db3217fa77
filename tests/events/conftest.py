"""What the tests of this folder stand on: a repository at the sandbox that the store knows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ghapp.store import Installation, Repository, Store
from tests.github.place import START, Place, assert_good_manners


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a repository at the sandbox, and demand good manners of the requests to it."""
    made = Place(tmp_path)
    yield made
    made.close()
    assert_good_manners(made)


@pytest.fixture
def known(place: Place, sqlite_store: Store) -> Store:
    """Give a store that knows the place's installation and repository."""
    number = place.installation.id
    sqlite_store.installations.seen(Installation(id=number, account="acme"), now=START)
    there = Repository(id=place.repository.id, owner="acme", name="app", installation_id=number)
    sqlite_store.installations.repository_seen(there, now=START)
    return sqlite_store
