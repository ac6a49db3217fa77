"""Uploads: keys with names, other names of repositories, machines' reports, erasures."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables; the key that an installation has becomes its first one."""
    op.add_column("edit_batch", sa.Column("key_id", sa.Text))
    op.add_column("edit_batch", sa.Column("actor_id", sa.BigInteger))
    op.add_column("access_token", sa.Column("repositories", sa.Text))
    _create_fingerprint_key()
    op.execute(
        "INSERT INTO fingerprint_key (id, installation_id, number, secret, created_at) "
        "SELECT CAST(id AS TEXT) || '-1', id, 1, evidence_key, seen_at "
        "FROM installation WHERE evidence_key IS NOT NULL"
    )
    _create_repository_alias()
    _create_machine_report()
    _create_erasure()


def _create_fingerprint_key() -> None:
    op.create_table(
        "fingerprint_key",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("installation_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("retired_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_fingerprint_key"),
        sa.UniqueConstraint(
            "installation_id", "number", name="uq_fingerprint_key_installation_id_number"
        ),
    )
    op.create_index(
        "fingerprint_key_present",
        "fingerprint_key",
        ["installation_id"],
        unique=True,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )


def _create_repository_alias() -> None:
    op.create_table(
        "repository_alias",
        sa.Column("full_name_lower", sa.Text, nullable=False),
        sa.Column("repository_id", sa.BigInteger),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("full_name_lower", name="pk_repository_alias"),
        sa.CheckConstraint("why IN ('former', 'fork', 'unknown')", name="ck_repository_alias_why"),
    )


def _create_machine_report() -> None:
    op.create_table(
        "machine_report",
        sa.Column("id", ROW_ID, nullable=False, autoincrement=True),
        sa.Column("installation_id", sa.BigInteger, nullable=False),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("week", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("edits", sa.Integer, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_machine_report"),
        sa.UniqueConstraint(
            *("installation_id", "repository_id", "week", "user_id", "machine"),
            name="uq_machine_report_once",
        ),
    )
    op.create_index("machine_report_person", "machine_report", ["user_id", "week"])
    op.create_index("machine_report_week", "machine_report", ["week"])


def _create_erasure() -> None:
    op.create_table(
        "erasure",
        sa.Column("id", ROW_ID, nullable=False, autoincrement=True),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("edits", sa.Integer, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("erased_by", sa.Text, nullable=False),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasure"),
        sa.CheckConstraint(
            "erased_by IN ('developer', 'administrator')", name="ck_erasure_erased_by"
        ),
    )
    op.create_index("erasure_repository", "erasure", ["repository_id", "last_at"])
