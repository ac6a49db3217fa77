"""How far a recurring task has come, by name. It knows no task."""

from datetime import datetime

from sqlalchemy import select

from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import cursor


class CursorTable:
    """Durable bookmarks, as ``reconcile:42`` or ``sweep``; their values are the tasks' own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, name: str) -> str | None:
        """Return a bookmark's value; ``None``: the task has never come to an end."""
        query = select(cursor.c.value).where(cursor.c.name == name)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def move(self, name: str, value: str, *, now: datetime) -> None:
        """Set a bookmark."""
        values = {"value": clean(value), "moved_at": now}
        insert = self._database.insert(cursor).values(name=name, **values)
        with self._database.write() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=values))
