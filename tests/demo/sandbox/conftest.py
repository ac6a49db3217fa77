"""Fixtures for the stand-in; GitHub's API descriptions judge each test at its end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.sandbox.hub import Hub
from tests.openapi.validate import problems


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """Yield a stand-in; afterwards require that every exchange matches GitHub's description."""
    made = Hub(tmp_path)
    yield made
    made.close()
    known = [one for one in made.sandbox.exchanges if one.template is not None]
    assert problems(known, made.sandbox.world.deliveries.values()) == []
