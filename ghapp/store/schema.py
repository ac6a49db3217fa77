"""The tables as this version sees them. It neither creates nor queries them.

``migrations/`` builds them, and a test compares the two. Times are whole microseconds since 1970
in UTC, so that both databases sort and compare them alike. GitHub's numeric ids are the keys,
because every name on GitHub can change.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from ghapp.summaries.counts import PullCounts
from ghapp.usage.answers import TOKEN_KINDS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# SQLite numbers rows by itself only if the type is INTEGER: https://sqlite.org/autoinc.html.
RowId = BigInteger().with_variant(Integer, "sqlite")

OPEN_STATES = "state IN ('waiting', 'leased', 'dead_letter')"
"""An open work item; the index ``work_item_open`` allows one of each name."""


def to_microseconds(at: datetime) -> int:
    """Return an instant as whole microseconds since 1970.

    Raises `ValueError` if it has no time zone.
    """
    if at.tzinfo is None:
        message = f"time {at.isoformat()} has no time zone; give an aware datetime"
        raise ValueError(message)
    return (at - EPOCH) // MICROSECOND


def from_microseconds(count: int) -> datetime:
    """Return the UTC instant that many microseconds after 1970."""
    return EPOCH + count * MICROSECOND


class InstantColumn(TypeDecorator[datetime]):
    """An aware datetime, stored as whole microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return the value to write."""
        del dialect
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return the value that was read, in UTC."""
        del dialect
        return None if value is None else from_microseconds(value)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

delivery = Table(
    "delivery",
    metadata,
    Column("guid", Text, primary_key=True),
    Column("event", Text, nullable=False),
    Column("action", Text),
    Column("installation_id", BigInteger),
    Column("repository_id", BigInteger),
    Column("pull_request", Integer),
    Column("received_at", InstantColumn, nullable=False),
    Column("body", LargeBinary),
    Column("outcome", Text),
    Column("detail", Text),
    Column("settled_at", InstantColumn),
    Column("attempts", Integer, nullable=False),
    Index("delivery_received", "received_at"),
    Index(
        "delivery_unsettled",
        "received_at",
        sqlite_where=text("outcome IS NULL"),
        postgresql_where=text("outcome IS NULL"),
    ),
)

installation = Table(
    "installation",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", BigInteger),
    Column("account", Text, nullable=False),
    Column("account_type", Text),
    Column("permissions", Text, nullable=False),
    Column("suspended_at", InstantColumn),
    Column("removed_at", InstantColumn),
    Column("parked_until", InstantColumn),
    Column("parked_why", Text),
    Column("seen_at", InstantColumn, nullable=False),
)

repository = Table(
    "repository",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("installation_id", BigInteger),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("full_name_lower", Text, nullable=False),
    Column("private", Boolean(create_constraint=False), nullable=False),
    Column("archived", Boolean(create_constraint=False), nullable=False),
    Column("removed_at", InstantColumn),
    Column("seen_at", InstantColumn, nullable=False),
    Index("repository_full_name", "full_name_lower"),
    Index("repository_installation", "installation_id"),
)

edit_batch = Table(
    "edit_batch",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("edit_id", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("agent_session", Text, nullable=False),
    Column("actor", Text),
    Column("path", Text, nullable=False),
    Column("basename", Text, nullable=False),
    Column("cwd", Text),
    Column("at", InstantColumn, nullable=False),
    Column("tool", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("own_lines", Integer, nullable=False),
    Column("own_digest", LargeBinary, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("lines", LargeBinary, nullable=False),
    Column("key_id", Text),
    Column("actor_id", BigInteger),
    Column("agent_version", Text),
    Column("model", Text),
    Column("carried", Boolean(create_constraint=False), nullable=False),
    CheckConstraint("encoding IN ('text', 'fingerprint')", name="encoding"),
    Index("edit_batch_edit", "repository_id", "edit_id"),
    Index("edit_batch_time", "repository_id", "at"),
    Index("edit_batch_basename", "repository_id", "basename", "at"),
    Index("edit_batch_at", "at"),
    Index("edit_batch_actor", "repository_id", "actor_id", "at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("pull_request", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("merged_at", InstantColumn, nullable=False),
    Column("merge_commit", Text),
    Column("window_from", InstantColumn, nullable=False),
    Column("window_to", InstantColumn, nullable=False),
    Column("added", Integer, nullable=False),
    Column("effective", Integer, nullable=False),
    Column("attributed", Integer, nullable=False),
    Column("share", Float),
    Column("change_complete", Boolean(create_constraint=False), nullable=False),
    Column("evidence_complete", Boolean(create_constraint=False), nullable=False),
    Column("policy_id", Text, nullable=False),
    Column("policy_digest", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("measure", Text, nullable=False),
    Column("diff_digest", Text, nullable=False),
    Column("evidence_digest", Text, nullable=False),
    Column("edits_considered", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("digest", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Column("previous", Text),
    Column("created_at", InstantColumn, nullable=False),
    UniqueConstraint("repository_id", "pull_request", "number"),
    UniqueConstraint("repository_id", "position"),
    Index("audit_window", "repository_id", "window_to"),
    Index("audit_merged", "repository_id", "merged_at"),
)

publication = Table(
    "publication",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("audit_id", RowId, ForeignKey("audit.id"), nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("pull_request", Integer, nullable=False),
    Column("publisher", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text),
    Column("external_id", Text),
    Column("url", Text),
    Column("asked_at", InstantColumn, nullable=False),
    Column("read_back_at", InstantColumn),
    Column("read_back_ok", Boolean(create_constraint=False)),
    Index("publication_audit", "audit_id"),
    Index("publication_pull_request", "repository_id", "pull_request", "publisher"),
    Index(
        "publication_left_out",
        "asked_at",
        sqlite_where=text("outcome = 'left_out'"),
        postgresql_where=text("outcome = 'left_out'"),
    ),
)

work_item = Table(
    "work_item",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("installation_id", BigInteger),
    Column("repository_id", BigInteger),
    Column("pull_request", Integer),
    Column("lane", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", InstantColumn, nullable=False),
    Column("again_at", InstantColumn),
    Column("times_asked", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("taken", Integer, nullable=False),
    Column("lost", Integer, nullable=False),
    Column("about", Text),
    Column("leased_by", Text),
    Column("lease_until", InstantColumn),
    Column("outcome", Text),
    Column("why", Text),
    Column("created_at", InstantColumn, nullable=False),
    Column("finished_at", InstantColumn),
    CheckConstraint("lane IN ('live', 'rerun', 'replay')", name="lane"),
    CheckConstraint("state IN ('waiting', 'leased', 'done', 'dead_letter')", name="state"),
    # Deduplicates requests for work that is still open.
    Index(
        "work_item_open",
        "name",
        unique=True,
        sqlite_where=text(OPEN_STATES),
        postgresql_where=text(OPEN_STATES),
    ),
    # Only one worker at a time works on a pull request, whatever the kinds of work.
    Index(
        "work_item_one_at_a_time",
        "repository_id",
        "pull_request",
        unique=True,
        sqlite_where=text("state = 'leased'"),
        postgresql_where=text("state = 'leased'"),
    ),
    Index(
        "work_item_waiting",
        "lane",
        "due_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "work_item_leased",
        "lease_until",
        sqlite_where=text("state = 'leased'"),
        postgresql_where=text("state = 'leased'"),
    ),
    Index("work_item_pull_request", "repository_id", "pull_request"),
    Index(
        "work_item_finished",
        "finished_at",
        sqlite_where=text("state = 'done'"),
        postgresql_where=text("state = 'done'"),
    ),
)

replay = Table(
    "replay",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("policy", LargeBinary),
    Column("since", InstantColumn),
    Column("until", InstantColumn),
    Column("record", Boolean(create_constraint=False), nullable=False),
    Column("publish", Text, nullable=False),
    Column("as_of", InstantColumn, nullable=False),
    Column("state", Text, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("listed", Boolean(create_constraint=False), nullable=False),
    Column("created_at", InstantColumn, nullable=False),
    Column("finished_at", InstantColumn),
    # One at a time in a repository: repository and pull request name its work items.
    Index(
        "replay_running",
        "repository_id",
        unique=True,
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
    Index("replay_repository", "repository_id", "id"),
)

replayed = Table(
    "replayed",
    metadata,
    Column("replay_id", RowId, ForeignKey("replay.id"), primary_key=True, autoincrement=False),
    Column("pull_request", Integer, primary_key=True, autoincrement=False),
    Column("merged_at", InstantColumn, nullable=False),
    Column("base_sha", Text, nullable=False),
    Column("head_sha", Text, nullable=False),
    Column("merge_commit", Text),
    Column("state", Text, nullable=False),
    Column("why", Text),
    Column("document", LargeBinary),
)

record_key = Table(
    "record_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("public", LargeBinary, nullable=False),
    Column("secret", LargeBinary),
    Column("made_at", InstantColumn, nullable=False),
    Column("retired_at", InstantColumn),
)

record = Table(
    "record",
    metadata,
    Column("audit_id", RowId, ForeignKey("audit.id"), primary_key=True, autoincrement=False),
    Column("key_id", Text, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
)

record_head = Table(
    "record_head",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
)

policy = Table(
    "policy",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("members", LargeBinary, nullable=False),
    Column("used_since", InstantColumn, nullable=False),
)

cursor = Table(
    "cursor",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("moved_at", InstantColumn, nullable=False),
)

policy_file = Table(
    "policy_file",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("as_of", InstantColumn, primary_key=True),
    Column("text", Text, nullable=False),
)

access_log = Table(
    "access_log",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at", InstantColumn, nullable=False),
    Column("who", Text, nullable=False),
    Column("door", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("repository_id", BigInteger),
    Column("pull_request", Integer),
    Column("detail", Text),
    Index("access_log_repository", "repository_id", "id"),
    Index("access_log_at", "at"),
)

access_token = Table(
    "access_token",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("login", Text, nullable=False),
    Column("login_lower", Text, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("label", Text, nullable=False),
    Column("installations", Text),
    Column("repositories", Text),
    Column("created_at", InstantColumn, nullable=False),
    Column("used_at", InstantColumn),
    Column("expires_at", InstantColumn),
    Column("revoked_at", InstantColumn),
    CheckConstraint("kind IN ('upload', 'read', 'ingest')", name="kind"),
    UniqueConstraint("digest"),
    Index("access_token_login", "login_lower"),
    Index("access_token_user", "user_id"),
)

person = Table(
    "person",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("login", Text, nullable=False),
    Column("sealed", LargeBinary),
    Column("signed_in_at", InstantColumn, nullable=False),
    Column("renewing_until", InstantColumn),
)

weekly_summary = Table(
    "weekly_summary",
    metadata,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("webhook", LargeBinary),
    Column("mail", Text),
    Column("set_by", Text, nullable=False),
    Column("set_at", InstantColumn, nullable=False),
    Column("claimed_week", Text),
    Column("sent_at", InstantColumn),
    Column("problem", Text),
)

login = Table(
    "login",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("created_at", InstantColumn, nullable=False),
    Column("expires_at", InstantColumn, nullable=False),
    Index("login_person", "person_id"),
    Index("login_expires", "expires_at"),
)

fingerprint_key = Table(
    "fingerprint_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("created_at", InstantColumn, nullable=False),
    Column("retired_at", InstantColumn),
    UniqueConstraint("installation_id", "number"),
    # An installation has one key in use.
    Index(
        "fingerprint_key_present",
        "installation_id",
        unique=True,
        sqlite_where=text("retired_at IS NULL"),
        postgresql_where=text("retired_at IS NULL"),
    ),
)

repository_alias = Table(
    "repository_alias",
    metadata,
    Column("full_name_lower", Text, primary_key=True),
    Column("repository_id", BigInteger),
    Column("why", Text, nullable=False),
    Column("seen_at", InstantColumn, nullable=False),
    CheckConstraint("why IN ('former', 'fork')", name="why"),
)

asked_name = Table(
    "asked_name",
    metadata,
    # Each installation asks for itself: what GitHub shows to one, it may hide from another.
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("full_name_lower", Text, primary_key=True),
    Column("repository_id", BigInteger),
    Column("user_id", BigInteger, nullable=False),
    Column("asked_at", InstantColumn, nullable=False),
    Index("asked_name_at", "asked_at"),
    Index("asked_name_user", "user_id", "asked_at"),
)

machine_report = Table(
    "machine_report",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("week", InstantColumn, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("machine", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("edits", Integer, nullable=False),
    Column("last_at", InstantColumn, nullable=False),
    UniqueConstraint(
        *("installation_id", "repository_id", "week", "user_id", "machine"),
        # A name made of all columns would be longer than the 63 bytes that PostgreSQL allows:
        # https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
        name="uq_machine_report_once",
    ),
    Index("machine_report_person", "user_id", "week"),
    Index("machine_report_week", "week"),
)

agent_report = Table(
    "agent_report",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("machine", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("transcripts", Integer, nullable=False),
    Column("edits", Integer, nullable=False),
    Column("seen_on", Integer, nullable=False),
    Column("last_edit_on", Integer),
    Column("reported_at", InstantColumn, nullable=False),
    UniqueConstraint(
        *("installation_id", "user_id", "machine", "agent", "version"), name="uq_agent_report_once"
    ),
    Index("agent_report_time", "reported_at"),
)

erasure = Table(
    "erasure",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("edits", Integer, nullable=False),
    Column("first_at", InstantColumn, nullable=False),
    Column("last_at", InstantColumn, nullable=False),
    Column("erased_by", Text, nullable=False),
    Column("erased_at", InstantColumn, nullable=False),
    CheckConstraint("erased_by IN ('developer', 'administrator')", name="erased_by"),
    Index("erasure_repository", "repository_id", "last_at"),
)

pull_summary = Table(
    "pull_summary",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("pull_request", Integer, primary_key=True, autoincrement=False),
    Column("audit_number", Integer, nullable=False),
    Column("merged_at", InstantColumn, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("change_complete", Boolean(create_constraint=False), nullable=False),
    Column("evidence_complete", Boolean(create_constraint=False), nullable=False),
    Column("added", Integer, nullable=False),
    Column("effective", Integer, nullable=False),
    Column("attributed", Integer, nullable=False),
    Column("share", Float),
    Column("title", Text),
    Column("author", Text),
    Column("author_id", BigInteger),
    Column("author_type", Text),
    Column("base_ref", Text),
    Column("default_branch", Text),
    Column("no_evidence", Text),
    Index("pull_summary_merged", "repository_id", "merged_at"),
    Index("pull_summary_latest", "merged_at"),
    Index(
        "pull_summary_provisional",
        "merged_at",
        sqlite_where=text("state = 'provisional'"),
        postgresql_where=text("state = 'provisional'"),
    ),
    Index("pull_summary_author", "author"),
)

author_account = Table(
    "author_account",
    metadata,
    Column("login_lower", Text, primary_key=True),
    Column("account_id", BigInteger, nullable=False),
    Column("account_type", Text),
)


def _lines_of_pulls(name: str, *key: str, index: Index) -> Table:
    """Return a table of attributed lines of pull requests; ``key`` tells them apart in one."""
    return Table(
        name,
        metadata,
        Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
        Column("pull_request", Integer, primary_key=True, autoincrement=False),
        *(Column(part, Text, primary_key=True) for part in key),
        Column("merged_at", InstantColumn, nullable=False),
        Column("attributed", Integer, nullable=False),
        index,
    )


pull_agent = _lines_of_pulls(
    "pull_agent", "agent", index=Index("pull_agent_merged", "repository_id", "merged_at")
)
pull_model = _lines_of_pulls(
    "pull_model",
    "agent",
    "family",
    index=Index("pull_model_merged", "repository_id", "merged_at"),
)
pull_agent_session = _lines_of_pulls(
    "pull_agent_session",
    "agent",
    "agent_session",
    index=Index("pull_agent_session_whole", "agent_session", "agent"),
)

pull_lines = Table(
    "pull_lines",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("pull_request", Integer, primary_key=True, autoincrement=False),
    Column("directory", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("merged_at", InstantColumn, nullable=False),
    Column("change_complete", Boolean(create_constraint=False), nullable=False),
    Column("added", Integer, nullable=False),
    Column("effective", Integer, nullable=False),
    Column("attributed", Integer, nullable=False),
    Index("pull_lines_merged", "repository_id", "merged_at"),
)


cost_stale = Table(
    "cost_stale",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("pull_request", Integer, primary_key=True, autoincrement=False),
)


def _tallies(name: str, of: str) -> Table:
    """Return a table of tallies; ``of`` names the column of their repository or group."""
    return Table(
        name,
        metadata,
        Column(of, BigInteger, primary_key=True, autoincrement=False),
        Column("dimension", Text, primary_key=True),
        Column("grain", Text, primary_key=True),
        Column("start", Integer, primary_key=True, autoincrement=False),
        Column("name", Text, primary_key=True),
        *(Column(count, BigInteger, nullable=False) for count in PullCounts.__struct_fields__),
        sqlite_with_rowid=False,
    )


tally = _tallies("tally", "repository_id")
group_tally = _tallies("group_tally", "group_id")

tally_member = Table(
    "tally_member",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("group_id", BigInteger, nullable=False),
    Index("tally_member_group", "group_id", "repository_id"),
)

agent_day = Table(
    "agent_day",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("agent", Text, primary_key=True),
    Column("agent_session", Text, primary_key=True),
    Column("actor", Text, primary_key=True),
    Index("agent_day_actor", "day", "actor", "repository_id"),
    Index("agent_day_session", "day", "agent_session", "agent", "repository_id"),
    sqlite_with_rowid=False,
)

ALWAYS = -1_000_000
"""The first day of who has been in a team as long as anybody knows: a key cannot be null."""

team_member = Table(
    "team_member",
    metadata,
    Column("account_lower", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("login_lower", Text, primary_key=True),
    # First and last day on which this holds; `ALWAYS`: no first day is known.
    Column("since", Integer, primary_key=True, autoincrement=False, default=ALWAYS),
    Column("until", Integer),
    Column("login", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("role", Text),
    Column("location", Text),
    Column("cost_center", Text),
    CheckConstraint("source IN ('csv', 'github', 'codeowners')", name="source"),
)

team_counting = Table(
    "team_counting",
    metadata,
    Column("account_lower", Text, primary_key=True),
    Column("of_then", Boolean(create_constraint=False), nullable=False),
)

outcome = Table(
    "outcome",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("pull_request", Integer, primary_key=True, autoincrement=False),
    Column("collected_at", InstantColumn, nullable=False),
    Column("first_commit_at", InstantColumn),
    Column("opened_at", InstantColumn, nullable=False),
    Column("first_review_at", InstantColumn),
    Column("review_rounds", Integer, nullable=False),
    Column("review_comments", Integer, nullable=False),
    Column("changed_lines", Integer, nullable=False),
    Column("attributed_lines", Integer, nullable=False),
    Column("other_lines", Integer, nullable=False),
    Column("reverted", Boolean(create_constraint=False)),
    Column("fixed_up", Boolean(create_constraint=False)),
    Column("attributed_after_30", Integer),
    Column("others_after_30", Integer),
    Column("attributed_after_90", Integer),
    Column("others_after_90", Integer),
)

usage_identity = Table(
    "usage_identity",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("person", BigInteger),
    Column("account_id", BigInteger),
    Column("login", Text),
    Column("mapped_by", Text),
    Column("seen_at", InstantColumn, nullable=False),
    CheckConstraint(
        "kind IN ('account', 'email', 'account_uuid', 'end_user', 'tool_installation', 'api_key')",
        name="kind",
    ),
    UniqueConstraint("installation_id", "kind", "value"),
    Index("usage_identity_person", "installation_id", "person"),
)


def _usage(name: str, *own: Column[Any], key: tuple[str, ...]) -> Table:
    """Return a table of usage by agent session and day; ``key`` names its own parts of the key."""
    return Table(
        name,
        metadata,
        Column("installation_id", BigInteger, nullable=False),
        Column("day", Integer, nullable=False),
        Column("identity_id", BigInteger, nullable=False),
        Column("person", BigInteger, nullable=False),
        Column("agent", Text, nullable=False),
        Column("source", Integer, nullable=False),
        Column("agent_session", Text, nullable=False),
        Column("repository_id", BigInteger, nullable=False),
        Column("machine", Text, nullable=False),
        Column("agent_version", Text, nullable=False),
        *own,
        Column("read_at", InstantColumn, nullable=False),
        PrimaryKeyConstraint(
            # First what a question about a person's day knows: SQLite looks no further.
            *("installation_id", "person", "day", "agent", "source", "agent_session"),
            *("identity_id", "repository_id", "machine", "agent_version", *key),
        ),
        sqlite_with_rowid=False,
    )


def _token_counts() -> list[Column[Any]]:
    """Return a column for each kind of tokens; reasoning alone may be unknown."""
    return [Column(kind, BigInteger, nullable=kind == "reasoning") for kind in TOKEN_KINDS]


usage_tokens = _usage(
    "usage_tokens",
    Column("model", Text, nullable=False),
    Column("is_aside", Boolean(create_constraint=False), nullable=False),
    Column("variant", Text, nullable=False),
    Column("context", Integer, nullable=False),
    Column("answers", BigInteger),
    *_token_counts(),
    key=("model", "is_aside", "variant", "context"),
)

usage_decisions = _usage(
    "usage_decisions",
    Column("tool", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("edits", BigInteger, nullable=False),
    Column("lines", BigInteger),
    key=("tool", "language", "decision", "decided_by"),
)


usage_stale = Table(
    "usage_stale",
    metadata,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("agent", Text, primary_key=True),
    Column("week", Integer, nullable=False),
    Column("month", Integer, nullable=False),
    Column("next_month", Integer, nullable=False),
    Column("is_taken", Boolean(create_constraint=False), nullable=False),
    Column("source", Integer),
    Index("usage_stale_taken", "is_taken"),
)


def _usage_sums(
    name: str, *own: Column[Any], key: tuple[str, ...] = (), is_placed: bool = True
) -> Table:
    """Return a table of what counts of usage, by person and day, week or month.

    Pages read whole periods of everybody, so the key begins with the period: SQLite keeps the rows
    in its order. ``is_placed``: also by repository.
    """
    place = ("repository_id",) if is_placed else ()
    return Table(
        name,
        metadata,
        Column("installation_id", BigInteger, nullable=False),
        Column("grain", Text, nullable=False),
        Column("start", Integer, nullable=False),
        Column("person", BigInteger, nullable=False),
        Column("agent", Text, nullable=False),
        *(Column(one, BigInteger, nullable=False) for one in place),
        *own,
        PrimaryKeyConstraint(
            *("installation_id", "grain", "start", "person", "agent", *place, *key)
        ),
        sqlite_with_rowid=False,
    )


def _of_tokens(name: str, *, is_placed: bool = True) -> Table:
    return _usage_sums(
        name,
        Column("model", Text, nullable=False),
        Column("answers", BigInteger),
        *_token_counts(),
        key=("model",),
        is_placed=is_placed,
    )


def _of_decisions(name: str, *, is_placed: bool = True) -> Table:
    return _usage_sums(
        name,
        Column("language", Text, nullable=False),
        *(
            Column(f"{by}_{decision}", BigInteger, nullable=False)
            for by in ("people", "automatic", "unknown")
            for decision in ("accepted", "refused")
        ),
        Column("failed", BigInteger, nullable=False),
        Column("lines_suggested", BigInteger),
        Column("lines_accepted", BigInteger),
        key=("language",),
        is_placed=is_placed,
    )


def _of_agent_sessions(name: str, *, is_placed: bool = True) -> Table:
    singles = Column("singles", BigInteger, nullable=False)
    return _usage_sums(name, singles, is_placed=is_placed)


token_sum = _of_tokens("token_sum")
decision_sum = _of_decisions("decision_sum")
agent_session_sum = _of_agent_sessions("agent_session_sum")

# The same over all repositories, for who may read every place that has usage.
token_total = _of_tokens("token_total", is_placed=False)
decision_total = _of_decisions("decision_total", is_placed=False)
agent_session_total = _of_agent_sessions("agent_session_total", is_placed=False)
source_total = _usage_sums(
    "source_total",
    Column("source", Integer, nullable=False),
    Column("counts", Boolean(create_constraint=False), nullable=False),
    Column("days", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("read_at", InstantColumn, nullable=False),
    key=("source", "counts"),
    is_placed=False,
)

usage_place = Table(
    "usage_place",
    metadata,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
)


def _costs() -> list[Column[Any]]:
    """Return the columns of a cost on each estimated basis; see `ghapp.store.usage_costs`."""
    return [
        Column(f"{basis}_{name}", BigInteger, nullable=name == "amount")
        for basis in ("list", "contract")
        for name in ("amount", "priced", "unpriced", "floor")
    ]


cost_sum = _usage_sums(
    "cost_sum",
    Column("model", Text, nullable=False),
    Column("is_matched", Boolean(create_constraint=False), nullable=False),
    *_costs(),
    key=("model", "is_matched"),
)


def _usage_days(name: str, *own: Column[Any] | Index, key: tuple[str, ...]) -> Table:
    """Return a table of what counts of usage, by person and day; ``key`` ends its key."""
    return Table(
        name,
        metadata,
        Column("installation_id", BigInteger, nullable=False),
        Column("day", Integer, nullable=False),
        Column("person", BigInteger, nullable=False),
        Column("agent", Text, nullable=False),
        Column("repository_id", BigInteger, nullable=False),
        *own,
        PrimaryKeyConstraint("installation_id", "day", "person", "agent", *key),
        sqlite_with_rowid=False,
    )


token_cost = Table(
    "token_cost",
    metadata,
    Column("installation_id", BigInteger, nullable=False),
    Column("day", Integer, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("agent", Text, nullable=False),
    Column("agent_session", Text, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("model", Text, nullable=False),
    Column("is_matched", Boolean(create_constraint=False), nullable=False),
    *_costs(),
    Column("list_table", Integer, nullable=False),
    Column("contract_table", Integer),
    PrimaryKeyConstraint(
        *("installation_id", "person", "day", "agent", "agent_session", "repository_id", "model")
    ),
    Index("token_cost_agent_session", "installation_id", "agent_session", "agent"),
    sqlite_with_rowid=False,
)

pull_cost = Table(
    "pull_cost",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("pull_request", Integer, primary_key=True, autoincrement=False),
    Column("agent", Text, primary_key=True),
    Column("agent_session", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("merged_at", InstantColumn, nullable=False),
    Column("attributed", Integer, nullable=False),
    Column("last_day", Integer, nullable=False),
    Column("is_repriced", Boolean(create_constraint=False), nullable=False),
    *_costs(),
    Index("pull_cost_merged", "repository_id", "merged_at"),
)

price_table = Table(
    "price_table",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("basis", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("basis", "version"),
    CheckConstraint("basis IN ('list', 'contract')", name="basis"),
)

closed_month = Table(
    "closed_month",
    metadata,
    Column("month", Integer, primary_key=True, autoincrement=False),
    Column("prices", Text, nullable=False),
    Column("rate_card", Text),
    Column("closed_on", Integer, nullable=False),
    Column("prices_before", Text),
    Column("rate_card_before", Text),
    Column("repriced_on", Integer),
)

agent_session_day = _usage_days(
    "agent_session_day",
    Column("agent_session", Text, nullable=False),
    Column("is_single", Boolean(create_constraint=False), nullable=False),
    Index(
        "agent_session_day_whole", *("installation_id", "person", "agent", "agent_session"), "day"
    ),
    Index(
        "agent_session_day_several",
        *("installation_id", "day"),
        # SQLite uses it for conditions in the same words only, and these are SQLAlchemy's.
        sqlite_where=text("is_single = 0"),
        postgresql_where=text("NOT is_single"),
    ),
    key=("repository_id", "agent_session"),
)

source_day = _usage_days(
    "source_day",
    Column("source", Integer, nullable=False),
    Column("counts", Boolean(create_constraint=False), nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("read_at", InstantColumn, nullable=False),
    # Days of a source are counted once over all repositories: in this order without sorting.
    key=("source", "repository_id"),
)


def _seen(name: str) -> Table:
    """Return a table of digests of what telemetry sent: nothing of it is counted again."""
    return Table(
        name,
        metadata,
        Column("installation_id", BigInteger, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        Column("seen_at", InstantColumn, nullable=False),
        PrimaryKeyConstraint("installation_id", "digest"),
        Index(f"{name}_seen", "seen_at"),
        sqlite_with_rowid=False,
    )


telemetry_request = _seen("telemetry_request")

telemetry_event = _seen("telemetry_event")

telemetry_series = Table(
    "telemetry_series",
    metadata,
    Column("installation_id", BigInteger, nullable=False),
    Column("owner", BigInteger, nullable=False),
    Column("series", LargeBinary, nullable=False),
    Column("start_ns", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("seen_at", InstantColumn, nullable=False),
    PrimaryKeyConstraint("installation_id", "owner", "series"),
    Index("telemetry_series_seen", "seen_at"),
    sqlite_with_rowid=False,
)

telemetry_contact = Table(
    "telemetry_contact",
    metadata,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("first_at", InstantColumn, nullable=False),
)


def _came(name: str, *counts: Column[Any], by: str) -> Table:
    """Return a table of what came of sources of usage, by day, source and ``by``."""
    return Table(
        name,
        metadata,
        Column("installation_id", BigInteger, nullable=False),
        Column("day", Integer, nullable=False),
        Column("source", Integer, nullable=False),
        Column(by, Text, nullable=False),
        *counts,
        Column("last_at", InstantColumn, nullable=False),
        PrimaryKeyConstraint("installation_id", "day", "source", by),
        sqlite_with_rowid=False,
    )


usage_arrival = _came(
    "usage_arrival",
    Column("requests", BigInteger, nullable=False),
    Column("kept", BigInteger, nullable=False),
    by="agent",
)

usage_refusal = _came("usage_refusal", Column("count", BigInteger, nullable=False), by="reason")

vendor_connection = Table(
    "vendor_connection",
    metadata,
    Column("installation_id", BigInteger, nullable=False),
    Column("vendor", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", InstantColumn, nullable=False),
    PrimaryKeyConstraint("installation_id", "vendor"),
)

vendor_report = Table(
    "vendor_report",
    metadata,
    Column("installation_id", BigInteger, nullable=False),
    Column("vendor", Text, nullable=False),
    Column("report", Text, nullable=False),
    Column("through", Integer),
    Column("resume", Integer),
    Column("asked_at", InstantColumn),
    Column("succeeded_at", InstantColumn),
    Column("problem", Text),
    PrimaryKeyConstraint("installation_id", "vendor", "report"),
)

vendor_erased = Table(
    "vendor_erased",
    metadata,
    Column("installation_id", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("day", Integer, nullable=False),
    PrimaryKeyConstraint("installation_id", "digest"),
    sqlite_with_rowid=False,
)

vendor_amount = Table(
    "vendor_amount",
    metadata,
    Column("installation_id", BigInteger, nullable=False),
    Column("vendor", Text, nullable=False),
    Column("report", Text, nullable=False),
    Column("day", Integer, nullable=False),
    Column("identity_id", BigInteger, nullable=False),
    Column("agent", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("billed", BigInteger),
    Column("list_price", BigInteger),
    Column("read_at", InstantColumn, nullable=False),
    PrimaryKeyConstraint(
        *("installation_id", "vendor", "report", "day"),
        *("identity_id", "agent", "product", "model", "currency"),
    ),
    Index("vendor_amount_day", "installation_id", "day"),
    Index("vendor_amount_identity", "identity_id"),
    sqlite_with_rowid=False,
)

budget = Table(
    "budget",
    metadata,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("of", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("basis", Text, primary_key=True),
    Column("monthly", BigInteger, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", InstantColumn, nullable=False),
    Column("alarmed_month", Integer),
    Column("alarmed_state", Text),
    CheckConstraint("\"of\" IN ('organization', 'team', 'repository')", name="of"),
)
