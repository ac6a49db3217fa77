"""Browsers that are signed in, and the people behind them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("signed_in_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
    )
    op.create_table(
        "login",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("person_id", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_login"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_login_person_id"),
    )
    op.create_index("login_person", "login", ["person_id"])
    op.create_index("login_expires", "login", ["expires_at"])
