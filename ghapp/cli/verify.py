"""``ghapp verify``: a bundle of records checked offline, by a third person's own hand."""

from pathlib import Path

import click

from ghapp.records.check import Checked, check
from ghapp.records.keys import PublicKeyError, named_key
from ghapp.reports.harmless import visible

BROKEN = 1
"""Exit status where the bundle is not as it was made."""

SHOWN = 20
"""Problems that are named one by one; the others are counted."""


@click.command("verify", short_help="Check a bundle of recorded audits offline.")
@click.argument(
    "bundle", metavar="BUNDLE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--public-key",
    "public_keys",
    metavar="ID|FILE",
    multiple=True,
    help="A key that counts, by its id or its PEM file. May be given several times. "
    "[default: those in the bundle]",
)
def command(bundle: Path, public_keys: tuple[str, ...]) -> None:
    """Check signatures, chains and seal of a bundle, and say what is not as it was made.

    Exit status: 0 all is as it was made, 1 something is not, 2 wrong use.
    """
    try:
        trusted = frozenset(map(named_key, public_keys))
    except PublicKeyError as error:
        raise click.UsageError(f"--public-key: {error}") from error
    done = check(bundle, trusted)
    _name(done)
    _say(done, trusted=bool(trusted))
    if done.problems:
        raise click.exceptions.Exit(BROKEN)


def _name(done: Checked) -> None:
    for problem in done.problems[:SHOWN]:
        click.echo(visible(f"line {problem.line}: {problem.problem}", 2000), err=True)
    if len(done.problems) > SHOWN:
        click.echo(f"and {len(done.problems) - SHOWN} more", err=True)


def _say(done: Checked, *, trusted: bool) -> None:
    if done.header is not None:
        names = ", ".join(one.name for one in done.header.repositories)
        made_at = done.header.made_at.isoformat()
        click.echo(visible(f"bundle of {names}, made {made_at} by {done.header.engine}", 2000))
    later = f", {done.signed_later} of them signed later" if done.signed_later else ""
    click.echo(f"{done.records} record(s){later}, {done.documents} document(s)")
    for key, count in done.signed_by.items():
        click.echo(f"{count} signature(s) of key {key}")
    if done.problems:
        click.echo("NOT as it was made")
    elif trusted:
        click.echo("signatures, chains and seal are whole")
    else:
        click.echo(
            "signatures, chains and seal are whole; whether the key is the app's, ask whoever "
            "runs the app (ghapp admin record-keys) and give it with --public-key"
        )
