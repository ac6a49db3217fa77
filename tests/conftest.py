"""What tests of every room may ask for: real stores on both databases, a real Valkey."""

import contextlib
import gc
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import pytest
import structlog
from cryptography.hazmat.primitives import serialization
from werkzeug.routing import Rule

from ghapp.store import Store
from tests.databases import (
    NoPostgreSQL,
    ReusedDatabase,
    make_sqlite,
    new_database,
    reused_database,
    shared_server,
)
from tests.published_schema import hold_to_schema
from tests.queues import MortalValkey, NoValkey, mortal_valkey, valkey_server
from tests.searching import FACTOR, searched

# A law that names no number of examples draws as many as hypothesis does.
hypothesis.settings.register_profile("plain", searched(100))
# For mutants (bench/mutants.py): that one example fails is enough, none is made smaller.
hypothesis.settings.register_profile(
    "unshrunk",
    hypothesis.settings.get_profile("plain"),
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
hypothesis.settings.load_profile("plain")

# Checking an RSA key takes 40 ms, and each app that a test makes has it checked twice. The modules
# that do so are imported after this one.
serialization.load_pem_private_key = cache(serialization.load_pem_private_key)

# Compiling what makes a route's address is three quarters of making an app, and hundreds of tests
# make one. It depends on the route alone: the compiled function gets its rule as an argument.
_compile_builder = Rule._compile_builder
_builders: dict[Any, Callable[..., tuple[str, str]]] = {}


def _builder_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - Werkzeug's signature
    key = (rule.rule, *rule._trace, append_unknown)
    if rule.defaults or key not in _builders:
        _builders[key] = _compile_builder(rule, append_unknown)
    return _builders[key]


Rule._compile_builder = _builder_once  # type: ignore[method-assign]


@pytest.fixture(scope="session", autouse=True)
def _apps_of_tests_note_themselves_apart(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """Keep apart where apps note that they run: no command of another test finds them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


# --- what this machine lacks: said in one sentence, at the end ------------------------------------


@contextlib.contextmanager
def _needed(request: pytest.FixtureRequest, name: str) -> Iterator[None]:
    """End the whole run where a service cannot be had: no test is skipped, none fails alone."""
    try:
        yield
    except (NoPostgreSQL, NoValkey) as problem:
        said = " ".join(str(problem).split())
        request.session.shouldstop = f"{name} cannot start here, so no test was judged: {said}"
        pytest.fail(f"{name} cannot start", pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests were left out, why, and how to get them: one line for each reason."""
    for line in left_out(terminalreporter.stats.get("skipped", [])):
        terminalreporter.write_line(line, yellow=True)


def left_out(reports: Iterable[Any]) -> list[str]:
    """Return a line for each reason for which tests were skipped."""
    groups: dict[str, list[str]] = {}
    for report in reports:
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        groups.setdefault(why.removeprefix("Skipped: "), []).append(report.nodeid.split("::")[0])
    return [
        f"left out: {len(files)} test(s) of {', '.join(sorted(set(files)))}: {why}"
        for why, files in groups.items()
    ]


# Nothing that is made while tests are collected is garbage.
gc.disable()


def pytest_collection_finish() -> None:
    """Hold all documents to the schema, once every module that makes some is imported.

    What lives to the end is no longer looked through for garbage: that took a tenth of the time.
    """
    hold_to_schema()
    gc.enable()
    gc.freeze()


@pytest.fixture(scope="session")
def postgresql(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of a real PostgreSQL server, one for the whole test run."""
    here = tmp_path_factory.getbasetemp()
    # Under xdist each worker has a folder of its own below that of the run.
    run = here.parent if "PYTEST_XDIST_WORKER" in os.environ else here
    with _needed(request, "PostgreSQL"), shared_server(run / "postgresql") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty database, without tables: once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        # Only a migration makes a file; an empty one is an empty database.
        (tmp_path / "test.sqlite3").touch()
        yield f"sqlite:///{tmp_path / 'test.sqlite3'}"
        return
    with new_database(request.getfixturevalue("postgresql")) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: str) -> Iterator[str]:
    """Return the name of a PostgreSQL database with all tables, to be copied."""
    with new_database(postgresql) as url:
        Store.open(url).close()
        yield urlsplit(url).path.strip("/")


@pytest.fixture(scope="session")
def reused_postgresql(postgresql: str, migrated_postgresql: str) -> Iterator[ReusedDatabase]:
    """Return one PostgreSQL database for a test process; `emptied` gives it to a test."""
    with reused_database(postgresql, migrated_postgresql) as database:
        yield database


@pytest.fixture
def postgresql_store(reused_postgresql: ReusedDatabase) -> Iterator[Store]:
    """Return an empty store on PostgreSQL: one database for a test process, emptied each time."""
    with Store.unmigrated(reused_postgresql.emptied()) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """Return an empty store, once on each database: where SQL, locks or transactions decide."""
    opened: Store = request.getfixturevalue(f"{request.param}_store")
    return opened


@pytest.fixture(params=["sqlite", "postgresql"] if FACTOR > 1 else ["sqlite"])
def night_store(request: pytest.FixtureRequest) -> Store:
    """Return an empty store on SQLite, in the nightly run once on each database.

    For tests whose SQL is tested on both by the tests of the store.
    """
    opened: Store = request.getfixturevalue(f"{request.param}_store")
    return opened


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """Return an empty store on SQLite, for tests that are about something else."""
    with Store.unmigrated(make_sqlite(f"sqlite:///{tmp_path / 'test.sqlite3'}")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    """Leave the log out: lines with whole tracebacks take longer than what they tell of."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def valkey(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a real Valkey server, one for each test process."""
    with _needed(request, "Valkey"), valkey_server() as url:
        yield url


@pytest.fixture
def own_valkey() -> Iterator[MortalValkey]:
    """Lend a Valkey of the test's own, which does not run yet."""
    # Not below pytest's own folder: a unix socket's path must be short.
    with (
        tempfile.TemporaryDirectory(prefix="ghapp-valkey-", dir="/tmp") as home,
        mortal_valkey(Path(home)) as server,
    ):
        yield server


@pytest.fixture
def redis_url(valkey: str) -> str:
    """Address of a real and empty Valkey."""
    import redis  # noqa: PLC0415 - most tests need no Redis

    with redis.Redis.from_url(valkey) as client:
        client.flushall()
    return valkey
