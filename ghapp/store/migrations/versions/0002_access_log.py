"""The access log: who looked at audits and exports."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "access_log",
        sa.Column("id", ROW_ID, nullable=False, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("door", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("repository_id", sa.BigInteger),
        sa.Column("pull_request", sa.Integer),
        sa.Column("detail", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_access_log"),
    )
    op.create_index("access_log_repository", "access_log", ["repository_id", "id"])
    op.create_index("access_log_at", "access_log", ["at"])
