"""What the tests of the stand-in stand on; each ends with GitHub's descriptions as judge."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.sandbox.hub import Hub
from tests.openapi.validate import problems


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """Give a stand-in, and demand that everything that went over the wire is as described."""
    made = Hub(tmp_path)
    yield made
    made.close()
    known = [one for one in made.sandbox.exchanges if one.template is not None]
    assert problems(known, made.sandbox.world.deliveries.values()) == []
