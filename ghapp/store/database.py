"""A connection to SQLite or PostgreSQL by URL: reading, writing, migrating. It knows no table.

Every failure of the database becomes a `StoreError`. Only `DatabaseUnavailable` is worth a retry.
"""

import hashlib
import os
import sqlite3
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import partial
from operator import itemgetter
from pathlib import Path
from select import POLLIN, poll
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Engine,
    Executable,
    Insert,
    Row,
    Table,
    UpdateBase,
    column,
    create_engine,
    event,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    DisconnectionError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ghapp.store.revision import NEWEST, present

BUSY_TIMEOUT_SECONDS = 30
"""How long a writer of SQLite waits for other writers; 8 processes waited 0.85 s at worst."""

BUSY_LOOK_SECONDS = 0.01
"""Pause between two tries where SQLite does not wait by itself."""

CONNECT_TIMEOUT_SECONDS = 5
"""How long PostgreSQL may take to answer a connection before it counts as away."""

POOL_TIMEOUT_SECONDS = 10
"""How long a thread waits for a free connection of this process."""

POOL_SIZE = 5
"""Connections of one process that stay open."""

MOST_CONNECTIONS = 20
"""Most connections of one process: more than the web server has threads."""

_TAKE_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
OLDEST_SQLITE = (3, 35, 0)
"""The first version with ``RETURNING``: https://sqlite.org/lang_returning.html."""

# PostgreSQL's codes for a table and a column that are not there; SQLite has words for them only.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_UNKNOWN_NAMES = frozenset({"42P01", "42703"})
_UNKNOWN_NAMES_OF_SQLITE = ("no such table", "no such column", "has no column named")

# Primary result codes of SQLite (https://sqlite.org/rescode.html) that can pass by themselves:
# busy, locked, disk error, disk full, cannot open, protocol (a lock race).
_PASSING_SQLITE_CODES = frozenset({5, 6, 10, 13, 14, 15})
# Corrupt, and not a database.
_DAMAGED_SQLITE_CODES = frozenset({11, 26})


Statement = TypeVar("Statement", bound=Executable)


class StoreError(Exception):
    """The store cannot do what was asked; the message says where, and what to do."""


class DatabaseUnavailable(StoreError):  # noqa: N818 - a state that callers wait out, not a fault
    """The database is away, full or too busy: retry later; a webhook is answered with 503."""


class NotMigrated(DatabaseUnavailable):
    """The tables of this version are not there; `ghapp migrate` makes them."""


class DatabaseDamaged(StoreError):  # noqa: N818 - named as a state, like its sibling
    """The file is not a database or is corrupt: restore a backup; a retry changes nothing."""


class WrongDatabaseURL(StoreError):  # noqa: N818 - named as a state, like its sibling
    """The URL does not name a database that the store can use."""


class DatabaseState(StrEnum):
    """Whether the app can work with its database."""

    OK = "ok"
    AWAY = "away"
    NOT_MIGRATED = "not migrated"


class Database:
    """One database with its connection pool. All access goes through `read` and `write`."""

    def __init__(self, url: str) -> None:
        """Prepare a pool; connect to nothing yet. Raises `WrongDatabaseURL`."""
        self.url = parse_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgresql_engine(self.url)
        self._statements: dict[object, Any] = {}
        _OPEN.add(self)

    def __repr__(self) -> str:
        return f"Database({self.url.render_as_string(hide_password=True)!r})"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction for reading. On SQLite all its queries see one state."""
        with self._translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction for writing: leaving it commits everything, an error nothing.

        On SQLite it begins as the only writer (``BEGIN IMMEDIATE``), so what it reads stays
        true until it ends: https://sqlite.org/lang_transaction.html.
        """
        with self._translated(), self.engine.connect() as connection:
            writer = connection.execution_options(writes=True)
            with writer.begin():
                yield writer

    def rows(self, query: Executable) -> Sequence[Any]:
        """Return all rows of a query, in a transaction of its own."""
        with self.read() as connection:
            return connection.execute(query).all()

    def first(self, query: Executable) -> Row[Any] | None:
        """Return the first row of a query, in a transaction of its own; ``None``: no row."""
        with self.read() as connection:
            return connection.execute(query).first()

    def value(self, query: Executable) -> Any:
        """Return the first column of a query's first row; ``None``: no row."""
        with self.read() as connection:
            return connection.execute(query).scalar()

    def execute(self, statement: UpdateBase) -> int:
        """Change rows in a transaction of its own; return how many."""
        with self.write() as connection:
            return connection.execute(statement).rowcount

    def lock(self, connection: Connection, name: str) -> None:
        """Wait for the lock of that name, and hold it until the transaction ends.

        On SQLite `write` already excludes all other writers.
        """
        if not self.is_sqlite:
            digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
            key = int.from_bytes(digest, "big", signed=True)
            connection.execute(_TAKE_LOCK, {"key": key})

    def insert(self, table: Table) -> "postgresql.Insert | sqlite.Insert":
        """Return an INSERT with this database's ``ON CONFLICT`` and ``RETURNING``."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def once(self, name: object, build: Callable[[], Statement]) -> Statement:
        """Return the statement of a name, built once: building often costs more than running."""
        found = self._statements.get(name)
        if found is None:
            found = self._statements[name] = build()
        statement: Statement = found
        return statement

    def insert_many(
        self,
        connection: Connection,
        name: object,
        build: Callable[[], Insert],
        rows: Sequence[dict[str, Any]],
    ) -> None:
        """Run the INSERT of a name, built once, for each row; all rows have the same columns.

        SQLAlchemy would prepare each row's parameters anew, which costs more than the rows do.
        """
        if not rows:
            return
        key = (name, tuple(rows[0]))
        found: _DriverInsert | None = self._statements.get(key)
        if found is None:
            kind = _SqliteInsert if self.is_sqlite else _PostgresqlInsert
            found = self._statements[key] = kind(build(), self.engine.dialect, list(rows[0]))
        found.run(connection, rows)

    def migrate(self) -> str:
        """Make the database if need be, bring its tables up to this version; return their revision.

        Several processes may call it at once.
        """
        from ghapp.store.migrations import upgrade  # noqa: PLC0415 - Alembic costs 0.1 s to import

        self._make_file()
        with self._translated(), self.engine.connect() as connection:
            return upgrade(connection.execution_options(writes=True))

    def _make_file(self) -> None:
        """Make the file of SQLite; all other access leaves a missing one missing."""
        if not self.is_sqlite:
            return
        file = Path(str(self.url.database))
        try:
            # The file contains evidence: only the owner may enter a directory that we create.
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o644))
        except OSError as error:
            message = f"{file} cannot be made ({error.strerror}): name another file in DATABASE_URL"
            raise DatabaseUnavailable(message) from error

    def check(self) -> None:
        """Raise `NotMigrated` unless the tables of this version are there. It changes nothing.

        Raises the other errors of the store, too.
        """
        where = self.url.render_as_string(hide_password=True)
        if self._has_no_file():
            raise NotMigrated(
                f"{where}: there is no such file; no app has run with it yet: "
                "start one, or run `ghapp migrate`"
            )
        with self.read() as connection:
            found = present(connection)
        if found is None:
            raise NotMigrated(f"{where} holds no tables of this app: start it, or `ghapp migrate`")
        if found < NEWEST:
            problem = f"is at revision {found}, and this version needs {NEWEST}"
            raise NotMigrated(f"{where} {problem}: run `ghapp migrate`")

    def _has_no_file(self) -> bool:
        return self.is_sqlite and not Path(str(self.url.database)).exists()

    def state(self) -> DatabaseState:
        """Return whether this process can work with the database now."""
        try:
            self.check()
        except NotMigrated:
            return DatabaseState.NOT_MIGRATED
        except StoreError:
            return DatabaseState.AWAY
        return DatabaseState.OK

    def close(self) -> None:
        """Close all idle connections; the database can be used again afterwards."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeout) as error:
            if self._has_no_file() or _names_something_unknown(error):
                self.check()  # its error says more than this one
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
            # One line: a server's own words may take several.
            return DatabaseUnavailable(f"{where}: {' '.join(str(error.orig).split())}; try again")
        return None


class _DriverInsert(ABC):
    """An INSERT in the driver's words, and how it takes rows. None of their values is bytes."""

    def __init__(self, statement: Insert, dialect: Dialect, columns: Sequence[str]) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        self.text = str(compiled)
        self.order: Sequence[str] = getattr(compiled, "positiontup", None) or ()
        own = statement.table.c
        self._processors = _processors({one.name: one.type for one in own}, dialect)
        # Amounts that stand in the statement itself; the row has the others.
        given = {name: value for name, value in compiled.params.items() if name not in own}
        types = {name: bind.type for bind, name in compiled.bind_names.items() if name in given}
        found = _processors(types, dialect)
        self.given = {
            name: found[name](value) if name in found else value for name, value in given.items()
        }

    @abstractmethod
    def run(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows."""

    def processed(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return rows, all with the same columns, with values as the driver takes them."""
        found = list(map(dict, rows))
        for name, process in self._processors.items():
            if name not in found[0]:
                continue
            # Rows are mostly of one moment and one kind.
            before, made = found[0][name], process(found[0][name])
            for row in found:
                if row[name] is not before:
                    before, made = row[name], process(row[name])
                row[name] = made
        return found


class _SqliteInsert(_DriverInsert):
    """A statement that runs for each row."""

    def run(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows."""
        values = itemgetter(*self.order)
        whole = [values(row | self.given) for row in self.processed(rows)]
        connection.exec_driver_sql(self.text, whole)


class _PostgresqlInsert(_DriverInsert):
    """A statement that takes all rows at once, as JSON: one question instead of one for each row.

    https://www.postgresql.org/docs/current/functions-json.html#FUNCTIONS-JSON-PROCESSING-TABLE
    """

    def __init__(self, statement: Insert, dialect: Dialect, columns: Sequence[str]) -> None:
        table = statement.table
        rows = f"json_populate_recordset(CAST(NULL AS {table.name}), CAST(:rows AS json))"
        names: list[Any] = [column(one) for one in columns]
        query = select(*names).select_from(text(rows))
        super().__init__(statement.from_select(columns, query), dialect, ["rows"])
        self.given.pop("rows")
        self._key = itemgetter(*(one.name for one in table.primary_key))

    def run(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows; those of a key in their order."""
        left = rows
        while left:
            # A statement may not change a row twice.
            first: dict[Any, dict[str, Any]] = {}
            left = [row for row in left if first.setdefault(self._key(row), row) is not row]
            body = msgspec.json.encode(self.processed(first.values()))
            connection.exec_driver_sql(self.text, {**self.given, "rows": body.decode()})


def _processors(types: Mapping[str, Any], dialect: Dialect) -> dict[str, Callable[[Any], Any]]:
    """Return what makes values of some types the driver's own, by their names."""
    found = {name: one.dialect_impl(dialect).bind_processor(dialect) for name, one in types.items()}
    return {name: process for name, process in found.items() if process is not None}


def _names_something_unknown(error: DBAPIError | PoolTimeout) -> bool:
    """Return whether a statement named a table or a column that is not there."""
    if isinstance(error, PoolTimeout):
        return False
    code = getattr(error.orig, "sqlstate", None)
    return code in _UNKNOWN_NAMES or any(
        words in str(error.orig) for words in _UNKNOWN_NAMES_OF_SQLITE
    )


def parse_url(url: str) -> URL:
    """Return the URL with the driver that the store uses. Raises `WrongDatabaseURL`.

    ``postgres://`` means ``postgresql://``. A SQLite URL has to name a file, because several
    processes share the database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        # The message does not repeat the URL: a mistyped one can contain a password.
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
    file = Path(str(url.database)).absolute()

    def connect() -> sqlite3.Connection:
        # rw: only `Database.migrate` makes a file. https://www.sqlite.org/uri.html
        return sqlite3.connect(
            f"file:{quote(str(file))}?mode=rw",
            uri=True,
            timeout=BUSY_TIMEOUT_SECONDS,
            check_same_thread=False,
        )

    engine = create_engine(
        url,
        creator=connect,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        max_overflow=MOST_CONNECTIONS - POOL_SIZE,
        pool_size=POOL_SIZE,
    )
    event.listen(engine, "connect", partial(_prepare_sqlite, path=Path(str(url.database))))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _keep_private(path: Path) -> None:
    """Take the file from everybody but its owner; SQLite gives its other files the same mode."""
    for one in (path, *(path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm"))):
        with suppress(OSError):
            if one.stat().st_mode & 0o077:
                one.chmod(0o600)


def _prepare_sqlite(connection: sqlite3.Connection, record: object, *, path: Path) -> None:
    del record
    _keep_private(path)
    # The driver would begin its own transactions, late and deferred; `_begin_sqlite` begins ours.
    # https://docs.python.org/3/library/sqlite3.html#sqlite3-controlling-transactions
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")  # a commit survives a power cut
    connection.execute("PRAGMA foreign_keys = ON")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL. SQLite ignores the busy timeout here, so wait ourselves."""
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
        connect_args=arguments,
    )
    event.listen(engine, "connect", _prepare_postgresql)
    event.listen(engine, "checkout", _refuse_ended_postgresql)
    return engine


def _prepare_postgresql(connection: Any, record: object) -> None:
    del record
    # Our queries are short: starting parallel workers costs more than they save.
    connection.execute("SET max_parallel_workers_per_gather = 0")
    connection.commit()


def _refuse_ended_postgresql(connection: Any, record: object, proxy: object) -> None:
    """Let the pool connect anew if the server ended an idle connection: no job fails for it.

    The server says nothing on an idle connection but that it ends, so a look at the socket tells
    what SQLAlchemy's own ping would need a query for, which costs as much as most transactions.
    https://docs.sqlalchemy.org/en/20/core/pooling.html#custom-legacy-pessimistic-ping
    """
    del record, proxy
    if not connection.closed:
        waiting = poll()
        waiting.register(connection.fileno(), POLLIN)
        if not waiting.poll(0):
            return
    raise DisconnectionError("the server ended this connection")


_OPEN: "weakref.WeakSet[Database]" = weakref.WeakSet()


def _forget_connections() -> None:
    # A forked worker must neither use nor close its parent's connections.
    # https://docs.sqlalchemy.org/en/20/core/pooling.html#using-connection-pools-with-multiprocessing-or-os-fork
    for database in _OPEN:
        database.engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_connections)
