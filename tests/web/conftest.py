"""The web door over a real store, with a queue that only remembers."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ghapp.bootstrap import Services, build
from ghapp.queue.enqueue import QueueAway, QueueState, RedisQueue
from ghapp.settings import Settings
from ghapp.store import WorkItem
from ghapp.web import limits
from ghapp.web.app import create_app
from ghapp.web.limits import RATES, RateLimit, bearer
from tests.app_key import PRIVATE_KEY
from tests.databases import make_sqlite, new_database
from tests.searching import FACTOR

SECRETS = ("0f3b2a9c55d14e7788aa", "the one before 41d0c2")
APP = 7
NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)


class RememberingQueue(RedisQueue):
    """Stands in for Redis where a test is about the door; ``is_away`` makes it refuse."""

    def __init__(self) -> None:
        self.queued: list[WorkItem] = []
        self.wakes = 0
        self.is_away = False

    def push(self, items: Iterable[WorkItem], *, now: datetime) -> int:
        """Remember the items, or refuse."""
        del now
        found = list(items)
        if self.is_away:
            raise QueueAway("Redis cannot be reached: ConnectionError")
        self.queued += found
        return len(found)

    def wake(self) -> None:
        """Remember that the scheduler was woken, or refuse."""
        if self.is_away:
            raise QueueAway("Redis cannot be reached: ConnectionError")
        self.wakes += 1

    def state(self) -> QueueState:
        """Say what the test decided."""
        return QueueState.AWAY if self.is_away else QueueState.OK


@pytest.fixture
def queue() -> RememberingQueue:
    """Return the queue that the door tells."""
    return RememberingQueue()


def door_settings(directory: Path) -> Settings:
    """Return the settings of a door whose Redis is nowhere."""
    return Settings.from_environment(
        {
            "GHAPP_DATA_DIR": str(directory),
            "GITHUB_APP_ID": str(APP),
            "GITHUB_PRIVATE_KEY": PRIVATE_KEY,
            "GITHUB_WEBHOOK_SECRETS": ",".join(SECRETS),
            "REDIS_URL": "unix:///nowhere/valkey.sock",
        }
    )


@pytest.fixture
def services(tmp_path: Path, queue: RememberingQueue) -> Iterator[Services]:
    """Return the services of a door on an empty SQLite database."""
    settings = door_settings(tmp_path)
    make_sqlite(settings.database_url)
    made = build(settings)
    yield Services(settings=settings, store=made.store, queue=queue, clock=lambda: NOW)
    made.store.close()


@pytest.fixture(scope="module")
def without_limits() -> Iterator[None]:
    """Let anybody ask as often as they like: tests that ask thousands of times would learn 429."""
    with pytest.MonkeyPatch.context() as patch:
        for path in RATES:
            patch.setitem(RATES, path, RateLimit("1000000 per minute", bearer))
        patch.setattr(limits, "MOST_TELEMETRY", 1_000_000)
        yield


@pytest.fixture(scope="module")
def on_postgresql(postgresql: str, migrated_postgresql: str) -> Iterator[dict[str, str]]:
    """Return the settings of one place on PostgreSQL."""
    with new_database(postgresql, migrated_postgresql) as url:
        yield {"DATABASE_URL": url}


@contextmanager
def _on(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Give the settings of a place on a database that no other place has, with its own keys."""
    if request.param == "sqlite":
        yield {}
        return
    server, template = map(request.getfixturevalue, ("postgresql", "migrated_postgresql"))
    with new_database(server, template) as url:
        yield {"DATABASE_URL": url}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def on_database(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Return the settings of a place on each database, in any order."""
    with _on(request) as settings:
        yield settings


@pytest.fixture(scope="module", params=["sqlite", "postgresql"] if FACTOR > 1 else ["sqlite"])
def at_night_on_each(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Return the settings of a place on SQLite, in the nightly run on each database.

    For tests whose SQL is tested on both by the tests of the store.
    """
    with _on(request) as settings:
        yield settings


@pytest.fixture
def client(services: Services) -> FlaskClient:
    """Return a client of the application."""
    return create_app(services).test_client()
