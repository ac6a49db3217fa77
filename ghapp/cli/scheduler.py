"""``ghapp scheduler``: becomes the scheduler process. Nothing here imports it."""

import os
import sys

import click

from ghapp.settings import Settings, SettingsError


@click.command("scheduler")
def command() -> None:
    """Tell the queue what is due, every few seconds; two of them are safe."""
    try:
        Settings.from_environment()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    python = sys.executable
    os.execv(python, [python, "-m", "workers.schedule"])  # noqa: S606 - our own program, no shell
