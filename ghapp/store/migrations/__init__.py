"""The tables' history, one module a revision, and `upgrade`, which runs what is missing.

Revisions stand in ``versions/`` and are written by hand. From 1.0.0 on, none imports
`ghapp.store.schema`: a revision has to build today what it built on its day.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

LOCK = int.from_bytes(b"ghapp_db", "big")
"""Key of PostgreSQL's advisory lock that is held while the tables change."""


def upgrade(connection: Connection) -> str:
    """Bring the tables to the newest revision in one transaction; return that revision.

    Whoever comes second waits (SQLite: the connection begins as the only writer; PostgreSQL:
    an advisory lock) and then finds nothing to do. Tables of a newer version of this program
    are left as they are, so that an older process can be restarted beside them.
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
    """Return Alembic's configuration; there is no file of it, so that a wheel needs none."""
    config = Config()
    config.set_main_option("path_separator", "newline")
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def revisions(config: Config) -> list[str]:
    """Return the revisions that this version of the program has, oldest first."""
    script = ScriptDirectory.from_config(config)
    return [one.revision for one in script.walk_revisions()][::-1]
