"""Prints what the documents of a replay say in all. It replays nothing."""

from pathlib import Path

import click

from ghapp.cli.output import is_quiet


def say_totals(output: Path) -> None:
    """Print what a file of audit documents says in all: verdicts, and the share of the lines."""
    from ghapp.documents.totals import totals  # noqa: PLC0415 - see the top
    from ghapp.reports.summary import percent  # noqa: PLC0415 - see the top

    if is_quiet():
        return
    found = totals(output)
    for verdict, count in found.by_verdict.items():
        click.echo(f"  {count} {verdict}", err=True)
    share = percent(found.attributed, found.effective)
    click.echo(
        f"at least {share} attributed: {found.attributed} of {found.effective} counted lines, "
        "without those of no_evidence and incomplete changes"
        if found.effective
        else "no share: no line counts where there is evidence",
        err=True,
    )
