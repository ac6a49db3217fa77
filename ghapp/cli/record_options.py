"""Options that name records of agents on this machine. It reads none."""

from pathlib import Path

import click

records_option = click.option(
    "--records",
    "paths",
    metavar="PATH",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Read this file or folder. [default: all records of agents on this machine]",
)
"""For a command about one's own work: ``paths`` are files or folders; empty: all."""

transcripts_option = click.option(
    "--evidence",
    "folders",
    metavar="DIR",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Read these transcripts. [default: all on this machine]",
)
"""For a command about one's own edits: ``folders`` of transcripts; empty: all."""
