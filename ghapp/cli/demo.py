"""``ghapp demo``: shows the whole app on this machine. `ghapp.demo.run` has its story."""

import signal
import tempfile
from pathlib import Path

import click
from rich.console import Console

from ghapp.demo.run import demo
from ghapp.demo.scenarios import DemoError
from ghapp.log import configure


@click.command("demo")
@click.option("--once", is_flag=True, help="End by itself; status 0 if everything was read back.")
@click.option("--empty", is_flag=True, help="Merge nothing: the app right after its installation.")
def command(*, once: bool, empty: bool) -> None:
    """Run a demo with a stand-in for GitHub.

    The stand-in delivers merged pull requests as signed webhooks. The demo prints what the app
    writes to GitHub. The pages are up before that, and fill while a year is made.
    """
    configure("WARNING")
    # However it ends, it stops what it started and removes what it wrote. A shell lets a command
    # in the background ignore Ctrl-C's signal, so both handlers are set.
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="ghapp-demo-") as directory:
        try:
            status = demo(Path(directory), Console(), once=once, empty=empty)
        except DemoError as error:
            raise click.ClickException(str(error)) from error
    raise SystemExit(status)
