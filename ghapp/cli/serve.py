"""``ghapp serve``: runs the whole app on one machine; `ghapp.serve.programs` says what runs."""

from pathlib import Path

import click

from ghapp.serve.programs import ServeError, serve
from ghapp.settings import SettingsError
from ghapp.store import StoreError


@click.command("serve")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".data"),
    envvar="GHAPP_DATA_DIR",
    show_default=True,
    help="Directory for everything that the app stores.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    envvar="PORT",
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
def command(data: Path, host: str, port: int) -> None:
    """Run the app: web, workers and scheduler, with a Valkey of its own unless REDIS_URL is set.

    Without credentials it first serves a page that registers the GitHub App.
    """
    try:
        status = serve(data, host, port, click.echo)
    except (ServeError, SettingsError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    raise SystemExit(status)
