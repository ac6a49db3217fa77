"""Replays over GitHub: what was asked, and what became of each pull request."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
RUNNING = sa.text("state = 'running'")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "replay",
        sa.Column("id", ROW_ID, nullable=False, autoincrement=True),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("policy", sa.LargeBinary),
        sa.Column("since", sa.BigInteger),
        sa.Column("until", sa.BigInteger),
        sa.Column("record", sa.Boolean, nullable=False),
        sa.Column("publish", sa.Text, nullable=False),
        sa.Column("as_of", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("pages", sa.Integer, nullable=False),
        sa.Column("listed", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_replay"),
    )
    op.create_index(
        "replay_running",
        "replay",
        ["repository_id"],
        unique=True,
        sqlite_where=RUNNING,
        postgresql_where=RUNNING,
    )
    op.create_index("replay_repository", "replay", ["repository_id", "id"])
    op.create_table(
        "replayed",
        sa.Column("replay_id", ROW_ID, nullable=False, autoincrement=False),
        sa.Column("pull_request", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("merged_at", sa.BigInteger, nullable=False),
        sa.Column("base_sha", sa.Text, nullable=False),
        sa.Column("head_sha", sa.Text, nullable=False),
        sa.Column("merge_commit", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("why", sa.Text),
        sa.Column("document", sa.LargeBinary),
        sa.PrimaryKeyConstraint("replay_id", "pull_request", name="pk_replayed"),
        sa.ForeignKeyConstraint(["replay_id"], ["replay.id"], name="fk_replayed_replay_id"),
    )
