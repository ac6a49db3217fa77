"""``ghapp scheduler``: becomes the scheduler process."""

import click

from ghapp.cli.processes import become


@click.command("scheduler")
def command() -> None:
    """Enqueue what is due, every few seconds; two of them are safe."""
    become("workers.schedule")
