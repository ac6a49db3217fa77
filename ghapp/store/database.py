"""A connection to SQLite or PostgreSQL by URL: reading, writing, migrating. It knows no table.

Every failure of the database leaves this module as a `StoreError`; only `DatabaseUnavailable`
is worth another try.
"""

import hashlib
import os
import sqlite3
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

BUSY_TIMEOUT_SECONDS = 30
"""How long a writer of SQLite waits for the other writers; 8 processes waited 0.85 s at worst."""

BUSY_LOOK_SECONDS = 0.01
"""Between two tries where SQLite does not wait by itself."""

CONNECT_TIMEOUT_SECONDS = 5
"""How long PostgreSQL may take to answer a connection before it counts as away."""

POOL_TIMEOUT_SECONDS = 10
"""How long a thread waits for a free connection of this process."""

POOL_SIZE = 5
"""Connections of one process that stay open."""

MOST_CONNECTIONS = 20
"""Connections of one process at most: more than its web door has threads."""

OLDEST_SQLITE = (3, 35, 0)
"""The first one with ``RETURNING``."""

# Primary result codes of SQLite that can be over in a minute: busy, locked, disk error, disk
# full, cannot open, protocol (a lock race). All others say that something is really wrong.
_PASSING_SQLITE_CODES = frozenset({5, 6, 10, 13, 14, 15})
_DAMAGED_SQLITE_CODES = frozenset({11, 26})


class StoreError(Exception):
    """The store cannot do what was asked; the message says where and what to do."""


class DatabaseUnavailable(StoreError):  # noqa: N818 - a state that callers wait out, not a fault
    """The database is away, full or too busy: worth another try, and 503 for a webhook."""


class DatabaseDamaged(StoreError):  # noqa: N818 - named as a state, like its sibling
    """The file is no database or is broken: restore a backup, another try changes nothing."""


class WrongDatabaseURL(StoreError):  # noqa: N818 - named as a state, like its sibling
    """The URL names no database that can be used here."""


class Database:
    """One database, its pool of connections, and the two ways in: `read` and `write`."""

    def __init__(self, url: str) -> None:
        """Prepare a pool; nothing is connected yet. Raises `WrongDatabaseURL`."""
        self.url = parse_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgresql_engine(self.url)
        _OPEN.add(self)

    def __repr__(self) -> str:
        return f"Database({self.url.render_as_string(hide_password=True)!r})"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction for reading: one consistent state on SQLite, and nothing is kept."""
        with self._translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction for writing: all of it is kept on leaving, or none of it.

        On SQLite it begins as the only writer (``BEGIN IMMEDIATE``), so what it reads stays
        true until it ends.
        """
        with self._translated(), self.engine.connect() as connection:
            writer = connection.execution_options(writes=True)
            with writer.begin():
                yield writer

    def lock(self, connection: Connection, name: str) -> None:
        """Wait until no other transaction holds the lock of that name; held until the end.

        On SQLite `write` has shut out all others already.
        """
        if not self.is_sqlite:
            digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
            key = int.from_bytes(digest, "big", signed=True)
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})

    def insert(self, table: Table) -> "postgresql.Insert | sqlite.Insert":
        """Return an INSERT that knows ``ON CONFLICT`` and ``RETURNING`` in this database."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def migrate(self) -> str:
        """Bring the tables up to this version; safe when several processes do it at once.

        Returns the revision that is in force afterwards.
        """
        from ghapp.store.migrations import upgrade  # noqa: PLC0415 - Alembic costs 0.1 s to import

        with self._translated(), self.engine.connect() as connection:
            return upgrade(connection.execution_options(writes=True))

    def is_alive(self) -> bool:
        """Say whether the database answers now."""
        try:
            with self.read() as connection:
                connection.execute(text("SELECT 1"))
        except StoreError:
            return False
        return True

    def close(self) -> None:
        """Give all idle connections back; the database can be used again afterwards."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeout) as error:
            translated = self._as_store_error(error)
            if translated is None:
                raise
            raise translated from error

    def _as_store_error(self, error: DBAPIError | PoolTimeout) -> StoreError | None:
        where = self.url.render_as_string(hide_password=True)
        if isinstance(error, PoolTimeout):
            message = f"{where}: no free connection after {POOL_TIMEOUT_SECONDS} s; try again"
            return DatabaseUnavailable(message)
        code = getattr(error.orig, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in _DAMAGED_SQLITE_CODES:
            return DatabaseDamaged(f"{where}: {error.orig}; restore a backup of this file")
        if code is not None and code & 0xFF not in _PASSING_SQLITE_CODES:
            return None
        if error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError)):
            return DatabaseUnavailable(f"{where}: {str(error.orig).strip()}; try again")
        return None


def parse_url(url: str) -> URL:
    """Return the URL with the driver that is used here; raises `WrongDatabaseURL`.

    ``postgres://`` is read as ``postgresql://``. A SQLite URL has to name a file, because
    several processes share it.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        # The text is not repeated: a mistyped URL can hold a password.
        message = "the database URL cannot be read; give sqlite:///FILE or postgresql://HOST/NAME"
        raise WrongDatabaseURL(message) from None
    kind = parsed.drivername.partition("+")[0]
    if kind in {"postgres", "postgresql"}:
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        message = (
            f"database {kind!r} is not supported; give sqlite:///FILE or postgresql://HOST/NAME"
        )
        raise WrongDatabaseURL(message)
    if parsed.database in {None, "", ":memory:"}:
        message = "SQLite in memory cannot be shared by processes; give sqlite:///FILE"
        raise WrongDatabaseURL(message)
    return parsed.set(drivername="sqlite+pysqlite")


def _sqlite_engine(url: URL) -> Engine:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        message = f"SQLite {sqlite3.sqlite_version} is too old; 3.35 or newer is needed"
        raise WrongDatabaseURL(message)
    # The file holds evidence: a directory that is made for it is its owner's only.
    Path(str(url.database)).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(
        url,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        max_overflow=MOST_CONNECTIONS - POOL_SIZE,
        pool_size=POOL_SIZE,
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, record: object) -> None:
    del record
    # The driver would begin transactions of its own, late and deferred; we begin them.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")  # what was acknowledged survives a power cut
    connection.execute("PRAGMA foreign_keys = ON")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL; SQLite waits for nobody here, whatever the busy timeout says."""
    deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(BUSY_LOOK_SECONDS)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql_engine(url: URL) -> Engine:
    arguments: dict[str, Any] = {"application_name": "ghapp"}
    if "connect_timeout" not in url.query:
        arguments["connect_timeout"] = CONNECT_TIMEOUT_SECONDS
    engine = create_engine(
        url,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        max_overflow=MOST_CONNECTIONS - POOL_SIZE,
        pool_size=POOL_SIZE,
        pool_pre_ping=True,  # a restarted server costs one question, not one failed job
        connect_args=arguments,
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: Any, record: object) -> None:
    del record
    # All questions here are short: starting workers costs more than they save.
    connection.execute("SET max_parallel_workers_per_gather = 0")
    connection.commit()


_OPEN: "weakref.WeakSet[Database]" = weakref.WeakSet()


def _forget_connections() -> None:
    # A forked work-horse must neither use nor close its parent's connections.
    for database in _OPEN:
        database.engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_connections)
