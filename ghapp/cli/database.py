"""``ghapp migrate``: the database brought to this version's schema. It holds no migration."""

import click

from ghapp.settings import Settings, SettingsError
from ghapp.store import Database, StoreError


@click.command("migrate")
def command() -> None:
    """Bring the database to this version's schema; safe to run twice and by two at once."""
    try:
        settings = Settings.from_environment(app_required=False)
        revision = Database(settings.database_url).migrate()
    except (SettingsError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"the database is at revision {revision}")
