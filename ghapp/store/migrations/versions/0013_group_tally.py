"""Tallies of groups of repositories, so that an organization is not summed up one by one."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

COUNTS = (
    *("pulls", "assisted", "not_assisted", "no_evidence", "provisional", "incomplete"),
    *("added", "effective", "attributed"),
    *("whole_effective", "whole_attributed", "known_effective"),
    *("provisional_effective", "provisional_attributed"),
)


def upgrade() -> None:
    """Create the tables; `ghapp admin rebuild-summaries` lets older repositories join."""
    key = ("group_id", "dimension", "grain", "start", "name")
    op.create_table(
        "group_tally",
        sa.Column("group_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("grain", sa.Text, nullable=False),
        sa.Column("start", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint(*key, name="pk_group_tally"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tally_member",
        sa.Column("repository_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("group_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("repository_id", name="pk_tally_member"),
    )
    op.create_index("tally_member_group", "tally_member", ["group_id", "repository_id"])
