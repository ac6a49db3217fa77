"""The first tables. Until 1.0.0 is tagged, this revision builds what `schema` says today.

At 1.0.0 the calls are written out here, as in every later revision: a revision must always build
what it built on its day.
"""

from alembic import op

from ghapp.store.schema import metadata

revision = "0001"
down_revision = None

NEVER_ALTERED = ("audit", "record")
"""Tables whose rows nobody may change or delete."""


def upgrade() -> None:
    """Create the tables, and let the database itself refuse changes of audits and records."""
    metadata.create_all(op.get_bind())
    if op.get_bind().dialect.name == "sqlite":
        _forbid_changes_on_sqlite()
    else:
        _forbid_changes_on_postgresql()


def _forbid_changes_on_sqlite() -> None:
    for table in NEVER_ALTERED:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table}s are never altered'); END"
            )


def _forbid_changes_on_postgresql() -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION is_never_altered() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '%s are never altered', TG_TABLE_NAME; END $$"
    )
    for table in NEVER_ALTERED:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION is_never_altered()"
        )
