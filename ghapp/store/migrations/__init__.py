"""The history of the tables, one module for each revision, and `upgrade`, which applies it.

Revisions are in ``versions/``, written by hand. From 1.0.0 on, none imports
`ghapp.store.schema`: a revision must always build what it built on its day.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

LOCK = int.from_bytes(b"ghapp_db", "big")
"""Key of the PostgreSQL advisory lock that an upgrade holds."""


def upgrade(connection: Connection) -> str:
    """Bring the tables to the newest revision in one transaction; return that revision.

    A second process waits (SQLite: the connection begins as the only writer; PostgreSQL: an
    advisory lock) and then finds nothing to do. Tables of a newer version of this program stay
    as they are, so that an older process can restart beside a newer one.
    """
    config = configuration()
    with connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        current = MigrationContext.configure(connection).get_current_revision()
        known = revisions(config)
        if current is not None and (current == known[-1] or current not in known):
            return current
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return known[-1]


def configuration() -> Config:
    """Return Alembic's configuration. It has no file, so the wheel needs none."""
    config = Config()
    config.set_main_option("path_separator", "newline")
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def revisions(config: Config) -> list[str]:
    """Return the revisions of this version of the program, oldest first."""
    script = ScriptDirectory.from_config(config)
    return [one.revision for one in script.walk_revisions()][::-1]
