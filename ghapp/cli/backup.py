"""``ghapp admin backup`` and ``restore``: copy the whole database, without reading its rows.

Neither migrates the database first: people back up before an upgrade, and restore where the
database may be damaged.
"""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import click
from sqlalchemy import text

from ghapp.cli.app_store import app_environment, reported
from ghapp.cli.output import at_work, quiet_option, say
from ghapp.serve.running import DirectoryHeld, locked, note_of
from ghapp.settings import Settings
from ghapp.store.database import Database
from ghapp.store.revision import VERSION_TABLE
from ghapp.store.schema import metadata


@click.command("backup")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@quiet_option
def backup(target: Path) -> None:
    """Copy the database to TARGET while everything runs. Keep a copy of the encryption key, too."""
    _, database = _database()
    try:
        # Made here and by nobody before: in a folder of others it could be theirs, or a link.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise click.ClickException(f"{target} exists: name a new file") from error
    except OSError as error:
        raise click.ClickException(f"{target}: {error.strerror}") from error
    try:
        with at_work("copying the database"):
            if database.is_sqlite:
                _copy_sqlite(_file_of(database), target)
            else:
                _pg("pg_dump", database, "--format=custom", f"--file={target}")
    except BaseException:
        target.unlink()
        raise
    say(f"{target}: {target.stat().st_size} bytes")


@click.command("restore")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Replace the database.")
@quiet_option
def restore(source: Path, *, yes: bool) -> None:
    """Replace the database with SOURCE, or change nothing. First stop web, workers, scheduler."""
    if not yes:
        raise click.UsageError("restore replaces the whole database: give --yes")
    data, database = _database(must_exist=False)
    with _alone(data, database), at_work("restoring the database"):
        if database.is_sqlite:
            _put_back_sqlite(source, _file_of(database))
        else:
            _put_back_postgresql(source, database)
        try:
            with reported():
                revision = database.migrate()
        finally:
            database.close()
    say(f"restored, at revision {revision}; the scheduler now fetches what is newer")


# --- nobody else ----------------------------------------------------------------------------------

HOW_TO_STOP = (
    "stop it first (Ctrl-C where it runs, `systemctl stop`, or kill), then restore: otherwise a "
    "part of it would go on with the old database"
)


@contextmanager
def _alone(data: Path, database: Database) -> Iterator[None]:
    """Keep the app from starting until the block ends. Refuse while it runs, here or elsewhere."""
    try:
        with locked(data) if data.is_dir() else nullcontext():
            others = _others(database)
            if others:
                where = database.url.render_as_string(hide_password=True)
                problem = f"the app is connected to {where} ({others})"
                raise click.ClickException(f"{problem}: {HOW_TO_STOP}")
            yield
    except DirectoryHeld:
        running = note_of(data)
        process = f" (process {running.pid})" if running else ""
        message = f"the app runs in {data}{process}: {HOW_TO_STOP}"
        raise click.ClickException(message) from None


def _others(database: Database) -> str:
    """Return who else has the database open, as far as it says; empty: nobody."""
    if database.is_sqlite:
        return "another process has the file open" if _is_open(_file_of(database)) else ""
    with reported():
        count = database.value(text(_CONNECTED))
    database.close()
    return f"{count} connection(s)" if count else ""


_CONNECTED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = 'ghapp' AND pid <> pg_backend_pid()"
)
"""https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW"""


def _is_open(file: Path) -> bool:
    """Return whether another process has an SQLite file open, also where it only waits.

    Whoever has a file in WAL mode open holds a shared lock on it all the time, so nobody else gets
    it exclusively: https://www.sqlite.org/pragma.html#pragma_locking_mode
    """
    if not file.exists():
        return False
    try:
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    except sqlite3.DatabaseError:
        return False  # damaged: a reason to restore
    return False


# --- SQLite ---------------------------------------------------------------------------------------


def _file_of(database: Database) -> Path:
    return Path(str(database.url.database))


def _copy_sqlite(database: Path, target: Path) -> None:
    """Copy one consistent state of a database while others write to it.

    https://www.sqlite.org/backup.html
    """
    if not database.exists():
        raise click.ClickException(f"{database} does not exist: there is nothing to back up")
    try:
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
    except sqlite3.Error as error:
        raise click.ClickException(f"{database}: {error}") from error


def _put_back_sqlite(source: Path, database: Path) -> None:
    _check_sqlite(source)
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = database.with_name(database.name + ".new")
    new.touch(mode=0o600)
    shutil.copyfile(source, new)
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    new.replace(database)


def _check_sqlite(source: Path) -> None:
    """Refuse a file that is damaged or not ours, while the present database still exists."""
    try:
        with closing(sqlite3.connect(source)) as copy:
            (found,) = copy.execute("PRAGMA integrity_check").fetchone()
            copy.execute(f"SELECT * FROM {VERSION_TABLE}")  # noqa: S608 - a constant
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise click.ClickException(f"{source} is damaged, or is not a backup of this app: {found}")


# --- PostgreSQL -----------------------------------------------------------------------------------


def _put_back_postgresql(source: Path, database: Database) -> None:
    """Drop our tables and restore those of the backup, in one transaction.

    Tables that are younger than the backup are dropped, too; otherwise the migrations could not
    make them again. Tables of others in the same database stay.
    """
    with tempfile.TemporaryDirectory(prefix="ghapp-restore-") as private:
        script = Path(private) / "restore.sql"
        # pg_restore reads the whole archive before psql drops anything: damage changes nothing.
        options = ("--clean", "--if-exists", "--no-owner", "--no-privileges")
        _run("pg_restore", *options, f"--file={script}", str(source))
        if f" {VERSION_TABLE} " not in _run("pg_restore", "--list", str(source)):
            raise click.ClickException(f"{source} is not a backup of this app")
        tables = ", ".join([VERSION_TABLE, *metadata.tables])
        dropped = f"--command=DROP TABLE IF EXISTS {tables} CASCADE"
        quietly = ("--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1")
        _pg("psql", database, *quietly, "--single-transaction", dropped, f"--file={script}")


def _pg(program: str, database: Database, *arguments: str) -> str:
    """Run one of PostgreSQL's own programs; only its environment holds the password."""
    url = database.url
    address = url.set(drivername="postgresql", password=None).render_as_string()
    return _run(program, f"--dbname={address}", *arguments, password=str(url.password or ""))


def _run(program: str, *arguments: str, password: str = "") -> str:
    found = shutil.which(program)
    if found is None:
        raise click.ClickException(f"{program} is not installed: it comes with PostgreSQL's client")
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL's, no shell
        [found, *arguments],
        env={**os.environ, **({"PGPASSWORD": password} if password else {})},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        problem = done.stderr.strip() or f"status {done.returncode}"
        raise click.ClickException(f"{program}: {problem}")
    return done.stdout


def _database(*, must_exist: bool = True) -> tuple[Path, Database]:
    """Return the data directory and the database of the app."""
    given = app_environment(must_exist=must_exist)
    with reported():
        settings = Settings.from_environment(given, app_required=False, makes=False)
        return settings.data_dir, Database(settings.database_url)
