"""``ghapp worker``: becomes one worker process. Nothing here imports the workers."""

import os
import sys

import click

from ghapp.settings import Settings, SettingsError
from ghapp.store import Lane


@click.command("worker")
@click.argument("queue", type=click.Choice([lane.value for lane in Lane]))
def command(queue: str) -> None:
    """Run the worker of one QUEUE. Start several for more work, never one for two queues."""
    try:
        Settings.from_environment()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    python = sys.executable
    os.execv(python, [python, "-m", "workers", queue])  # noqa: S606 - our own program, no shell
