"""``ghapp worker``: becomes one worker process."""

import click

from ghapp.cli.processes import become
from ghapp.store import Lane


@click.command("worker")
@click.argument("queue", type=click.Choice([lane.value for lane in Lane]))
def command(queue: str) -> None:
    """Run the worker of one QUEUE. Start several for more work, never one for two queues."""
    become("workers", queue)
