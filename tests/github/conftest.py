"""What the tests of this folder stand on: one repository at the sandbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.github.place import Place, assert_good_manners


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a repository at the sandbox, and demand good manners of the requests to it."""
    made = Place(tmp_path)
    yield made
    made.close()
    assert_good_manners(made)
