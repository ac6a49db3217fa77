"""Migrations only add: what an older version of the program does goes on working beside them."""

from collections.abc import Callable

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, text

from ghapp.store import Database
from ghapp.store.migrations import configuration, revisions
from ghapp.store.revision import NEWEST

HISTORY = revisions(configuration())

Columns = dict[tuple[str, str], tuple[str, bool]]
"""Table and column → its type, and whether a row can do without it."""


def _upgrade(connection: Connection, revision: str) -> None:
    config: Config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _columns(connection: Connection) -> Columns:
    seen = inspect(connection)
    return {
        (table, column["name"]): (
            str(column["type"]),
            column["nullable"] or column.get("default") is not None,
        )
        for table in seen.get_table_names()
        for column in seen.get_columns(table)
    }


def _breaks_an_older_version(before: Columns, after: Columns) -> list[tuple[str, str]]:
    """Return the columns that are gone or changed, and new ones that an old row cannot fill."""
    changed = [name for name, what in before.items() if after.get(name) != what]
    tables = {table for table, _ in before}
    new = {name: what for name, what in after.items() if name not in before and name[0] in tables}
    return changed + [name for name, (_, can_do_without) in new.items() if not can_do_without]


def test_the_program_needs_the_last_revision() -> None:
    assert HISTORY[-1] == NEWEST


def _steps(connection: Connection) -> list[tuple[str, Callable[[], None]]]:
    return [(one, lambda one=one: _upgrade(connection, one)) for one in HISTORY[1:]]  # type: ignore[misc]


def test_every_migration_after_the_first_only_adds(database_url: str) -> None:
    database = Database(database_url)
    with database.write() as connection:
        _upgrade(connection, HISTORY[0])
        assert len(_columns(connection)) > 200
        for revision, step in _steps(connection):
            before = _columns(connection)
            step()
            assert (revision, _breaks_an_older_version(before, _columns(connection))) == (
                revision,
                [],
            )
    database.close()


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("ALTER TABLE cursor DROP COLUMN value", ("cursor", "value")),
        ("ALTER TABLE cursor RENAME COLUMN value TO worth", ("cursor", "value")),
        ("DROP TABLE cursor", ("cursor", "name")),
        ("ALTER TABLE cursor ADD COLUMN more TEXT", None),
        ("ALTER TABLE cursor ADD COLUMN more TEXT NOT NULL DEFAULT ''", None),
        ("CREATE TABLE other (name TEXT NOT NULL)", None),
    ],
)
def test_a_step_that_breaks_an_older_version_is_found(
    database_url: str, statement: str, found: tuple[str, str] | None
) -> None:
    database = Database(database_url)
    with database.write() as connection:
        _upgrade(connection, HISTORY[0])
        before = _columns(connection)
        connection.execute(text(statement))
        broken = _breaks_an_older_version(before, _columns(connection))
    database.close()
    assert broken == [] if found is None else found in broken
