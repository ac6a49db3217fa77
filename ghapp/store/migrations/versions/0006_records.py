"""Signed records: keys, envelopes, the heads of chains, and the policies that audits name."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables; envelopes are never altered, as the audits that they sign."""
    op.create_table(
        "record_key",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("public", sa.LargeBinary, nullable=False),
        sa.Column("secret", sa.LargeBinary),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("retired_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_record_key"),
    )
    op.create_table(
        "record",
        sa.Column("audit_id", ROW_ID, nullable=False, autoincrement=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name="pk_record"),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name="fk_record_audit_id"),
    )
    op.create_table(
        "record_head",
        sa.Column("repository_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("repository_id", name="pk_record_head"),
    )
    op.create_table(
        "policy",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("members", sa.LargeBinary, nullable=False),
        sa.Column("used_since", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_policy"),
    )
    _forbid_changes_of_records()


def _forbid_changes_of_records() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER record_no_{change.lower()} BEFORE {change} ON record "
                "BEGIN SELECT RAISE(ABORT, 'records are never altered'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER record_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON record "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_never_altered()"
    )
