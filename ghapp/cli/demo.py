"""``ghapp demo``: the whole app shown on this machine. What it plays is in `ghapp.demo.run`."""

import signal
import tempfile
from pathlib import Path

import click
from rich.console import Console

from ghapp.demo.run import demo
from ghapp.demo.scenarios import DemoError
from ghapp.log import configure


@click.command("demo")
@click.option("--once", is_flag=True, help="End by itself; status 0 if all was read back.")
def command(*, once: bool) -> None:
    """Show the app at work here, with a stand-in for GitHub.

    Merged pull requests are delivered as signed webhooks; what GitHub was told is printed.
    """
    configure("WARNING")
    # However it is ended, it takes down what it started and what it wrote. Where it was started in
    # the background, Ctrl-C's signal was set aside for it.
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="ghapp-demo-") as directory:
        try:
            status = demo(Path(directory), Console(), once=once)
        except DemoError as error:
            raise click.ClickException(str(error)) from error
    raise SystemExit(status)
