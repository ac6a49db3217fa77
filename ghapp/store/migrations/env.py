"""The script that Alembic runs within the transaction of `upgrade`."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    # SQLite can alter little of a table in place; batch mode copies the table:
    # https://alembic.sqlalchemy.org/en/latest/batch.html
    render_as_batch=True,
)
context.run_migrations()
