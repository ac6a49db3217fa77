"""Which revision the tables have, read without Alembic. It changes nothing.

Alembic takes 0.1 s to import and writes lines to the log; every process asks this.
"""

from sqlalchemy import Connection, inspect, text

VERSION_TABLE = "alembic_version"
"""Where Alembic keeps the revision: https://alembic.sqlalchemy.org/en/latest/api/runtime.html."""
NEWEST = "0001"
"""The last revision in ``migrations/versions``, which this version of the program needs."""


def present(connection: Connection) -> str | None:
    """Return the revision of the tables; ``None``: there are none of this app."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(
        text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - a constant
    ).scalar()
    return found
