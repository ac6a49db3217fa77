"""What came of each pull request, by GitHub's own data."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "outcome",
        sa.Column("repository_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("pull_request", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("collected_at", sa.BigInteger, nullable=False),
        sa.Column("first_commit_at", sa.BigInteger),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("first_review_at", sa.BigInteger),
        sa.Column("review_rounds", sa.Integer, nullable=False),
        sa.Column("review_comments", sa.Integer, nullable=False),
        sa.Column("changed_lines", sa.Integer, nullable=False),
        sa.Column("attributed_lines", sa.Integer, nullable=False),
        sa.Column("other_lines", sa.Integer, nullable=False),
        sa.Column("reverted", sa.Boolean),
        sa.Column("fixed_up", sa.Boolean),
        sa.Column("attributed_after_30", sa.Integer),
        sa.Column("others_after_30", sa.Integer),
        sa.Column("attributed_after_90", sa.Integer),
        sa.Column("others_after_90", sa.Integer),
        sa.PrimaryKeyConstraint("repository_id", "pull_request", name="pk_outcome"),
    )
