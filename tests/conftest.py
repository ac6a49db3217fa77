"""What tests of every room may ask for: real stores on both databases, a real Valkey."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import pytest

from ghapp.store import Store
from tests.databases import new_database, shared_server
from tests.queues import valkey_server

# The same examples in each plain run, so that a change is judged by what it changes; a run with
# a larger factor draws new ones. A machine under load is no reason to fail.
hypothesis.settings.register_profile(
    "plain",
    derandomize=os.environ.get("GHAPP_EXAMPLES_FACTOR", "1") == "1",
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("plain")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real PostgreSQL server, one for the whole test run."""
    here = tmp_path_factory.getbasetemp()
    # Under xdist each worker has a folder of its own below that of the run.
    run = here.parent if "PYTEST_XDIST_WORKER" in os.environ else here
    with shared_server(run / "postgresql") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty database, without tables: once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite3'}"
        return
    with new_database(request.getfixturevalue("postgresql")) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite file with all tables and nothing in them, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.sqlite3"
    Store.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: str) -> Iterator[str]:
    """Return the name of a PostgreSQL database with all tables, to be copied."""
    with new_database(postgresql) as url:
        Store.open(url).close()
        yield urlsplit(url).path.strip("/")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Return an empty store, once on each database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_store")
        return
    server, template = map(request.getfixturevalue, ("postgresql", "migrated_postgresql"))
    with new_database(server, template) as url, Store.unmigrated(url) as opened:
        yield opened


@pytest.fixture
def sqlite_store(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Store]:
    """Return an empty store on SQLite, for tests that are about something else."""
    path = tmp_path / "test.sqlite3"
    shutil.copyfile(migrated_sqlite, path)
    with Store.unmigrated(f"sqlite:///{path}") as opened:
        yield opened


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """Address of a real Valkey server, one for each test process."""
    with valkey_server() as url:
        yield url


@pytest.fixture
def redis_url(valkey: str) -> str:
    """Address of a real and empty Valkey."""
    import redis  # noqa: PLC0415 - most tests need no Redis

    with redis.Redis.from_url(valkey) as client:
        client.flushall()
    return valkey
