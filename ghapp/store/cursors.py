"""How far each recurring task has come, by name. The values belong to the tasks."""

from datetime import datetime

from sqlalchemy import select

from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import cursor


class CursorTable:
    """Durable bookmarks, such as ``reconcile:42`` or ``sweep``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, name: str) -> str | None:
        """Return a bookmark's value; ``None``: the task never finished."""
        value: str | None = self._database.value(
            select(cursor.c.value).where(cursor.c.name == name)
        )
        return value

    def move(self, name: str, value: str, *, now: datetime) -> None:
        """Set a bookmark."""
        values = {"value": clean(value), "moved_at": now}
        insert = self._database.insert(cursor).values(name=name, **values)
        self._database.execute(insert.on_conflict_do_update(index_elements=["name"], set_=values))
