"""Bookmarks of recurring tasks."""

from sqlalchemy import select

from ghapp.store import Store
from ghapp.store.schema import cursor
from tests.store.records import NOW


def test_a_cursor_moves(store: Store) -> None:
    store.cursors.move("sweep", "1", now=NOW)
    store.cursors.move("sweep", "2", now=NOW)
    assert store.cursors.read("sweep") == "2"
    with store.database.read() as connection:
        assert len(connection.execute(select(cursor)).all()) == 1


def test_a_task_that_never_ended_has_no_bookmark(sqlite_store: Store) -> None:
    sqlite_store.cursors.move("reconcile:42", "nul \0", now=NOW)
    assert sqlite_store.cursors.read("reconcile:42") == "nul \ufffd"
    assert sqlite_store.cursors.read("reconcile:4") is None
