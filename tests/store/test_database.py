"""Connecting, transactions, migrations, and what leaves the room when a database is away."""

import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Insert, event, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import Pool

from ghapp.store import (
    Database,
    DatabaseDamaged,
    DatabaseState,
    DatabaseUnavailable,
    NotMigrated,
    Store,
    WrongDatabaseURL,
)
from ghapp.store.database import BUSY_LOOK_SECONDS, parse_url
from ghapp.store.migrations import configuration, revisions
from ghapp.store.schema import cursor, metadata, usage_refusal
from tests.databases import do_not_wait_for_the_disk
from tests.store import processes
from tests.store.records import NOW


def test_the_migrations_build_the_tables_that_the_code_sees(store: Store) -> None:
    with store.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing(store: Store) -> None:
    assert store.database.migrate() == revisions(configuration())[-1]


def test_tables_of_a_newer_version_are_left_as_they_are(store: Store) -> None:
    with store.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert store.database.migrate() == "9999"


def test_four_processes_migrate_at_once(database_url: str) -> None:
    barrier = processes.SERVER.Barrier(4)
    four = [processes.start(processes.migrate, database_url, barrier) for _ in range(4)]
    assert [processes.end_of(process) for process in four] == [0, 0, 0, 0]
    with Store.unmigrated(database_url) as opened, opened.database.read() as connection:
        assert "work_item" in inspect(connection).get_table_names()


def test_tables_that_are_not_there_yet_are_waited_for_and_said(database_url: str) -> None:
    with Store.unmigrated(database_url) as store:
        if store.database.is_sqlite:
            Path(str(store.database.url.database)).touch()
        assert store.database.state() is DatabaseState.NOT_MIGRATED
        with pytest.raises(NotMigrated, match=r"holds no tables.*ghapp migrate"):
            store.cursors.read("a")
        store.database.migrate()
        assert store.database.state() is DatabaseState.OK
        with store.database.write() as connection:
            connection.execute(text("ALTER TABLE cursor RENAME COLUMN value TO later"))
        # Where the revision is this version's, the statement is wrong and not the database.
        with pytest.raises(DBAPIError):
            store.cursors.read("a")
        with store.database.write() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        with pytest.raises(NotMigrated, match=r"is at revision 0000.*ghapp migrate"):
            store.cursors.read("a")


def test_a_file_that_is_not_there_yet_says_what_to_do(tmp_path: Path) -> None:
    with (
        Store.unmigrated(f"sqlite:///{tmp_path / 'none'}") as store,
        pytest.raises(NotMigrated, match=r"no such file.*ghapp migrate"),
    ):
        store.cursors.read("a")
    assert list(tmp_path.iterdir()) == []


def test_a_new_file_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Another process writes the file in its old mode just when this one switches it to WAL.
    path = tmp_path / "test.sqlite3"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE something (x)")
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO something VALUES (1)")
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            other.close()

    monkeypatch.setattr("ghapp.store.database.time.sleep", wait)
    assert Store.unmigrated(f"sqlite:///{path}").database.state() is not DatabaseState.AWAY
    assert waits == [BUSY_LOOK_SECONDS] * 3


def test_a_process_killed_within_a_transaction_leaves_nothing(store: Store) -> None:
    url = store.database.url.render_as_string(hide_password=False)
    killed = processes.start(processes.be_killed_within_a_transaction, url)
    assert processes.end_of(killed) == -signal.SIGKILL
    assert store.cursors.read("a") is None
    store.cursors.move("a", "2", now=NOW)
    assert store.cursors.read("a") == "2"


def test_what_fails_within_a_transaction_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.database.write() as connection:
            connection.execute(
                store.database.insert(cursor).values(name="a", value="1", moved_at=NOW)
            )
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert store.cursors.read("a") is None


def test_a_forked_process_has_connections_of_its_own(store: Store) -> None:
    url = store.database.url.render_as_string(hide_password=False)
    assert processes.end_of(processes.start(processes.write_and_fork, url)) == 0


def test_a_server_that_ended_an_idle_connection_costs_no_transaction(
    postgresql_store: Store,
) -> None:
    store = postgresql_store
    ask = text("SELECT pg_backend_pid()")
    with store.database.read() as connection, store.database.read() as other:
        ended = [connection.scalar(ask), other.scalar(ask)]
    with psycopg.connect(
        store.database.url.set(drivername="postgresql").render_as_string(hide_password=False),
        autocommit=True,
    ) as administrator:
        for pid in ended:
            administrator.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    assert store.database.value(ask) not in ended
    assert store.cursors.read("a") is None


def test_many_rows_of_one_key_count_each(store: Store) -> None:
    database = store.database

    def adding() -> Insert:
        insert = database.insert(usage_refusal)
        more = usage_refusal.c["count"] + insert.excluded["count"]
        return insert.on_conflict_do_update(
            index_elements=list(usage_refusal.primary_key), set_={"count": more}
        )

    head = {"installation_id": 1, "day": 2, "source": 3, "last_at": NOW}
    rows = [{**head, "reason": one, "count": 5} for one in ("a", 'b"\\é', "a", "a")]
    with database.write() as connection:
        for _ in range(2):
            database.insert_many(connection, "refusals", adding, rows)
    query = select(usage_refusal).order_by(usage_refusal.c.reason)
    found = [(row.reason, row.count, row.last_at) for row in database.rows(query)]
    assert found == [("a", 30, NOW), ('b"\\é', 10, NOW)]


@pytest.fixture
def _waits_for_the_disk() -> Iterator[None]:
    event.remove(Pool, "checkout", do_not_wait_for_the_disk)
    yield
    event.listen(Pool, "checkout", do_not_wait_for_the_disk)


@pytest.mark.usefixtures("_waits_for_the_disk")
def test_sqlite_keeps_what_it_acknowledged(sqlite_store: Store) -> None:
    with sqlite_store.database.read() as connection:
        asked = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert asked == ["wal", 2, 1]


def test_a_server_that_is_away_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"postgresql://ghapp@/nothing?host={tmp_path}")
    with pytest.raises(DatabaseUnavailable, match=r"try again"):
        database.migrate()
    assert database.state() is DatabaseState.AWAY


def test_a_password_is_in_no_error(tmp_path: Path) -> None:
    database = Database(f"postgresql://ghapp:hunter2hunter2@/nothing?host={tmp_path}")
    with pytest.raises(DatabaseUnavailable) as raised:
        database.migrate()
    assert "hunter2" not in str(raised.value) + repr(database)


def test_a_directory_in_the_place_of_the_file_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable):
        Store.open(f"sqlite:///{tmp_path}")


def test_a_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "broken.sqlite3").write_bytes(b"no database at all" * 100)
    with pytest.raises(DatabaseDamaged, match="restore a backup"):
        Store.open(f"sqlite:///{tmp_path / 'broken.sqlite3'}")


def test_a_new_folder_for_the_database_is_its_owners_only(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path / 'new' / 'a.sqlite3'}").close()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "url", ["mysql://h/n", "sqlite://", "sqlite:///:memory:", "not a url", "postgresql"]
)
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(WrongDatabaseURL):
        parse_url(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_all_spellings_of_postgresql_use_one_driver(scheme: str) -> None:
    assert parse_url(f"{scheme}://u:p@h/n").drivername == "postgresql+psycopg"
