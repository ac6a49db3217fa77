"""Names on standard error what could not be read. It decides no exit status."""

from collections.abc import Sequence

import click

from ghapp.attribution.model import UnreadEvidence
from ghapp.reports.harmless import visible

SHOWN = 10
"""Problems that are named one by one; the others are counted."""

LONGEST = 2000
"""Characters of one problem's line: a path may be long, and it must stay whole."""


def name_problems(problems: Sequence[UnreadEvidence]) -> None:
    """Write ``file:line: problem`` for the first problems, and how many more there are."""
    for unread in problems[:SHOWN]:
        place = unread.source if unread.line is None else f"{unread.source}:{unread.line}"
        click.echo(visible(f"{place}: {unread.problem}", LONGEST), err=True)
    if len(problems) > SHOWN:
        click.echo(f"and {len(problems) - SHOWN} more", err=True)
