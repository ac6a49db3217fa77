"""Which organizations wish a weekly summary, and which week was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "weekly_summary",
        sa.Column("installation_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("webhook", sa.LargeBinary),
        sa.Column("mail", sa.Text),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set_at", sa.BigInteger, nullable=False),
        sa.Column("claimed_week", sa.Text),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("problem", sa.Text),
        sa.PrimaryKeyConstraint("installation_id", name="pk_weekly_summary"),
    )
