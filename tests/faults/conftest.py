"""What fault tests ask for: a place on each database, with a real Valkey."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from ghapp.store import Store
from tests.faults.place import Place, running_place


@pytest.fixture
def place(tmp_path: Path, store: Store, redis_url: str) -> Iterator[Place]:
    """Return a place, once on SQLite and once on PostgreSQL."""
    with running_place(tmp_path / "place", store, redis_url) as made:
        yield made


@pytest.fixture
def quick_place(tmp_path: Path, sqlite_store: Store, redis_url: str) -> Iterator[Place]:
    """Return a place on SQLite only, for what no database has a say in."""
    with running_place(tmp_path / "place", sqlite_store, redis_url) as made:
        yield made


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    """Leave the log out: thousands of lines with whole tracebacks take longer than the tests."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
