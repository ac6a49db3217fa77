"""Fixtures for tests of commands: a machine whose user collects, and a stand-in for the app."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.collector.machine import Machine, shortly_before
from tests.collector.stand_in import App, running_app


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine whose user is not enrolled."""
    made = Machine(tmp_path / "home")
    made.at = shortly_before(datetime.now(UTC))
    return made


@pytest.fixture
def app() -> Iterator[App]:
    """Return the stand-in for the app."""
    with running_app() as serving:
        yield serving
