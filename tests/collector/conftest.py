"""Fixtures for tests of the collector: a machine, and a stand-in for the app."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector.machine import Machine
from tests.collector.stand_in import App, running_app


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine whose user is not enrolled."""
    return Machine(tmp_path / "home")


@pytest.fixture
def app() -> Iterator[App]:
    """Return the stand-in for the app, serving on loopback."""
    with running_app() as serving:
        yield serving
