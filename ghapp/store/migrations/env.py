"""What Alembic runs for an upgrade: on the connection of `upgrade`, in its transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    # SQLite cannot alter most of a table in place; batches copy it.
    render_as_batch=True,
)
context.run_migrations()
