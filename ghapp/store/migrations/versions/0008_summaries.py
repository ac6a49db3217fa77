"""The summaries: each pull request's audit in force, tallies of them, agents' days, teams."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

PULL_REQUEST = ("repository_id", "pull_request")
COUNTS = (
    *("pulls", "assisted", "not_assisted", "no_evidence", "provisional", "incomplete"),
    *("added", "effective", "attributed"),
    *("whole_effective", "whole_attributed", "known_effective"),
    *("provisional_effective", "provisional_attributed"),
)


def upgrade() -> None:
    """Create the tables; `ghapp admin rebuild-summaries` fills them from older audits."""
    _create_pull_summary()
    _create_pull_agent()
    _create_pull_lines()
    _create_tally()
    _create_agent_day()
    _create_team_member()


def _create_pull_summary() -> None:
    op.create_table(
        "pull_summary",
        *_of_pull_request(),
        sa.Column("audit_number", sa.Integer, nullable=False),
        sa.Column("merged_at", sa.BigInteger, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        *_lines(),
        sa.Column("share", sa.Float),
        sa.Column("title", sa.Text),
        sa.Column("author", sa.Text),
        sa.Column("author_id", sa.BigInteger),
        sa.Column("base_ref", sa.Text),
        sa.PrimaryKeyConstraint(*PULL_REQUEST, name="pk_pull_summary"),
    )
    op.create_index("pull_summary_merged", "pull_summary", ["repository_id", "merged_at"])
    op.create_index("pull_summary_latest", "pull_summary", ["merged_at"])
    op.create_index("pull_summary_author", "pull_summary", ["author"])


def _create_pull_agent() -> None:
    op.create_table(
        "pull_agent",
        *_of_pull_request(),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("merged_at", sa.BigInteger, nullable=False),
        sa.Column("attributed", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint(*PULL_REQUEST, "agent", name="pk_pull_agent"),
    )
    op.create_index("pull_agent_merged", "pull_agent", ["repository_id", "merged_at"])


def _create_pull_lines() -> None:
    op.create_table(
        "pull_lines",
        *_of_pull_request(),
        sa.Column("directory", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("merged_at", sa.BigInteger, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        *_lines(),
        sa.PrimaryKeyConstraint(*PULL_REQUEST, "directory", "language", name="pk_pull_lines"),
    )
    op.create_index("pull_lines_merged", "pull_lines", ["repository_id", "merged_at"])


def _create_tally() -> None:
    key = ("repository_id", "dimension", "grain", "start", "name")
    op.create_table(
        "tally",
        sa.Column("repository_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("grain", sa.Text, nullable=False),
        sa.Column("start", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint(*key, name="pk_tally"),
        sqlite_with_rowid=False,
    )


def _create_agent_day() -> None:
    key = ("repository_id", "day", "agent", "agent_session", "actor")
    op.create_table(
        "agent_day",
        sa.Column("repository_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("day", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("agent_session", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(*key, name="pk_agent_day"),
        sqlite_with_rowid=False,
    )
    op.create_index("agent_day_actor", "agent_day", ["day", "actor", "repository_id"])
    op.create_index(
        "agent_day_session", "agent_day", ["day", "agent_session", "agent", "repository_id"]
    )


def _create_team_member() -> None:
    op.create_table(
        "team_member",
        sa.Column("account_lower", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("login_lower", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("role", sa.Text),
        sa.Column("since", sa.Integer),
        sa.PrimaryKeyConstraint("account_lower", "source", "login_lower", name="pk_team_member"),
        sa.CheckConstraint(
            "source IN ('csv', 'github', 'codeowners')", name="ck_team_member_source"
        ),
    )


def _of_pull_request() -> tuple[sa.Column[int], ...]:
    return (
        sa.Column("repository_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("pull_request", sa.Integer, nullable=False, autoincrement=False),
    )


def _lines() -> tuple[sa.Column[int], ...]:
    return tuple(
        sa.Column(name, sa.Integer, nullable=False) for name in ("added", "effective", "attributed")
    )
