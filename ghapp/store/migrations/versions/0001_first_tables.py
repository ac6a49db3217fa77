"""The first tables: deliveries, installations, evidence, audits, publications, due items."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create all tables, and what keeps an audit from being altered."""
    _create_delivery()
    _create_installation()
    _create_repository()
    _create_edit_batch()
    _create_audit()
    _create_publication()
    _create_due()
    _create_cursor()
    _forbid_changes_of_audits()


def _create_delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("guid", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("action", sa.Text),
        sa.Column("installation_id", sa.BigInteger),
        sa.Column("repository_id", sa.BigInteger),
        sa.Column("pull_request", sa.Integer),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("outcome", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("guid", name="pk_delivery"),
    )
    op.create_index("delivery_received", "delivery", ["received_at"])
    _create_partial_index("delivery_unsettled", "delivery", ["received_at"], "outcome IS NULL")


def _create_installation() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("account_id", sa.BigInteger),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("account_type", sa.Text),
        sa.Column("permissions", sa.Text, nullable=False),
        sa.Column("suspended_at", sa.BigInteger),
        sa.Column("removed_at", sa.BigInteger),
        sa.Column("parked_until", sa.BigInteger),
        sa.Column("parked_why", sa.Text),
        sa.Column("evidence_key", sa.LargeBinary),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
    )


def _create_repository() -> None:
    op.create_table(
        "repository",
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("installation_id", sa.BigInteger),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("full_name_lower", sa.Text, nullable=False),
        sa.Column("private", sa.Boolean, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("removed_at", sa.BigInteger),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_repository"),
    )
    op.create_index("repository_full_name", "repository", ["full_name_lower"])
    op.create_index("repository_installation", "repository", ["installation_id"])


def _create_edit_batch() -> None:
    op.create_table(
        "edit_batch",
        sa.Column("id", ROW_ID, nullable=False, autoincrement=True),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("edit_id", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("agent_session", sa.Text, nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("basename", sa.Text, nullable=False),
        sa.Column("cwd", sa.Text),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("own_lines", sa.Integer, nullable=False),
        sa.Column("encoding", sa.Text, nullable=False),
        sa.Column("lines", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_edit_batch"),
        sa.UniqueConstraint("repository_id", "edit_id", name="uq_edit_batch_repository_id_edit_id"),
        sa.CheckConstraint("encoding IN ('text', 'fingerprint')", name="ck_edit_batch_encoding"),
    )
    op.create_index("edit_batch_time", "edit_batch", ["repository_id", "at"])
    op.create_index("edit_batch_basename", "edit_batch", ["repository_id", "basename", "at"])
    op.create_index("edit_batch_at", "edit_batch", ["at"])


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", ROW_ID, nullable=False, autoincrement=True),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("pull_request", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("merged_at", sa.BigInteger, nullable=False),
        sa.Column("merge_commit", sa.Text),
        sa.Column("window_from", sa.BigInteger, nullable=False),
        sa.Column("window_to", sa.BigInteger, nullable=False),
        sa.Column("added", sa.Integer, nullable=False),
        sa.Column("effective", sa.Integer, nullable=False),
        sa.Column("attributed", sa.Integer, nullable=False),
        sa.Column("share", sa.Float),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("policy_id", sa.Text, nullable=False),
        sa.Column("policy_digest", sa.Text, nullable=False),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("measure", sa.Text, nullable=False),
        sa.Column("diff_digest", sa.Text, nullable=False),
        sa.Column("evidence_digest", sa.Text, nullable=False),
        sa.Column("edits_considered", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("chain", sa.Text, nullable=False),
        sa.Column("previous", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sa.UniqueConstraint(
            "repository_id",
            "pull_request",
            "number",
            name="uq_audit_repository_id_pull_request_number",
        ),
        sa.UniqueConstraint("repository_id", "position", name="uq_audit_repository_id_position"),
    )
    op.create_index("audit_window", "audit", ["repository_id", "window_to"])
    op.create_index("audit_merged", "audit", ["repository_id", "merged_at"])


def _create_publication() -> None:
    op.create_table(
        "publication",
        sa.Column("id", ROW_ID, nullable=False, autoincrement=True),
        sa.Column("audit_id", ROW_ID, nullable=False),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("pull_request", sa.Integer, nullable=False),
        sa.Column("publisher", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("detail", sa.Text),
        sa.Column("external_id", sa.Text),
        sa.Column("url", sa.Text),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("read_back_at", sa.BigInteger),
        sa.Column("read_back_ok", sa.Boolean),
        sa.PrimaryKeyConstraint("id", name="pk_publication"),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name="fk_publication_audit_id"),
    )
    op.create_index("publication_audit", "publication", ["audit_id"])
    op.create_index(
        "publication_pull_request", "publication", ["repository_id", "pull_request", "publisher"]
    )


def _create_due() -> None:
    op.create_table(
        "due",
        sa.Column("id", ROW_ID, nullable=False, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("installation_id", sa.BigInteger),
        sa.Column("repository_id", sa.BigInteger),
        sa.Column("pull_request", sa.Integer),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("again_at", sa.BigInteger),
        sa.Column("wished", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("taken", sa.Integer, nullable=False),
        sa.Column("leased_by", sa.Text),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("outcome", sa.Text),
        sa.Column("why", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_due"),
        sa.CheckConstraint("lane IN ('live', 'rerun', 'replay')", name="ck_due_lane"),
        sa.CheckConstraint("state IN ('waiting', 'leased', 'done', 'parked')", name="ck_due_state"),
    )
    is_open = "state IN ('waiting', 'leased', 'parked')"
    pull_request = ["repository_id", "pull_request"]
    _create_partial_index("due_open", "due", ["name"], is_open, unique=True)
    _create_partial_index("due_one_at_a_time", "due", pull_request, "state = 'leased'", unique=True)
    _create_partial_index("due_waiting", "due", ["lane", "due_at"], "state = 'waiting'")
    _create_partial_index("due_leased", "due", ["lease_until"], "state = 'leased'")
    _create_partial_index("due_finished", "due", ["finished_at"], "state = 'done'")
    op.create_index("due_pull_request", "due", pull_request)


def _create_cursor() -> None:
    op.create_table(
        "cursor",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("moved_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_cursor"),
    )


def _create_partial_index(
    name: str, table: str, columns: list[str], where: str, *, unique: bool = False
) -> None:
    op.create_index(
        name,
        table,
        columns,
        unique=unique,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def _forbid_changes_of_audits() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{change.lower()} BEFORE {change} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'audits are never altered'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_is_never_altered() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audits are never altered'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_never_altered()"
    )
