"""Migrations only add: what an older version of the program does goes on working beside them."""

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect

from ghapp.store import Database
from ghapp.store.migrations import configuration, revisions

HISTORY = revisions(configuration())


def _upgrade(connection: Connection, revision: str) -> None:
    config: Config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _columns(connection: Connection) -> dict[tuple[str, str], tuple[str, bool]]:
    """Return every column by table and name: its type, and whether a row can do without it."""
    seen = inspect(connection)
    return {
        (table, column["name"]): (
            str(column["type"]),
            column["nullable"] or column.get("default") is not None,
        )
        for table in seen.get_table_names()
        for column in seen.get_columns(table)
    }


@pytest.mark.parametrize("revision", HISTORY[1:])
def test_a_migration_only_adds(database_url: str, revision: str) -> None:
    database = Database(database_url)
    with database.write() as connection:
        _upgrade(connection, HISTORY[HISTORY.index(revision) - 1])
        before = _columns(connection)
        _upgrade(connection, revision)
        after = _columns(connection)
    database.close()
    assert {name: after.get(name) for name in before} == before
    # An older version writes rows of its tables without what came later.
    tables = {table for table, _ in before}
    new = {name: what for name, what in after.items() if name not in before and name[0] in tables}
    assert [name for name, (_, can_do_without) in new.items() if not can_do_without] == []
