"""What the tests of this folder stand on: one merged pull request at the sandbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.github.place import Place, assert_good_manners
from tests.publishers.desired import Publisher


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a repository at the sandbox, and demand good manners of the requests to it."""
    made = Place(tmp_path)
    yield made
    made.close()
    assert_good_manners(made)


@pytest.fixture
def publisher(place: Place) -> Publisher:
    """Give one merged pull request to publish to."""
    return Publisher(place)
