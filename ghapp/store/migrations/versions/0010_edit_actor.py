"""Whether a developer sent anything in a window, answered by an index."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the index."""
    op.create_index("edit_batch_actor", "edit_batch", ["repository_id", "actor_id", "at"])
