"""``ghapp migrate``: brings the database to this version's schema. It holds no migration."""

import click

from ghapp.cli.app_store import reported
from ghapp.cli.output import at_work, quiet_option, say
from ghapp.settings import Settings
from ghapp.store import Database


@click.command("migrate")
@quiet_option
def command() -> None:
    """Bring the database to this version's schema; safe to run twice and by two at once."""
    with reported(), at_work("migrating the database"):
        settings = Settings.from_environment(app_required=False)
        revision = Database(settings.database_url).migrate()
    say(f"the database is at revision {revision}")
