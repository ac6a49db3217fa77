"""Names what could not be read, and what was passed over. It decides no exit status."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ghapp.reports.harmless import visible

if TYPE_CHECKING:  # the core is imported when a command runs
    from ghapp.attribution.model import PassedOver, UnreadEvidence

SHOWN = 10
"""Problems that are named one by one; the others are counted."""

LONGEST = 2000
"""Characters of one line: a path may be long, and it must stay whole."""


def list_problems(problems: Sequence[str], *, count: int | None = None) -> None:
    """Write the first problems, and how many more there are of ``count`` in all."""
    for problem in problems[:SHOWN]:
        click.echo(visible(problem, LONGEST), err=True)
    more = (len(problems) if count is None else count) - SHOWN
    if more > 0:
        click.echo(f"and {more} more", err=True)


def name_problems(problems: "Sequence[UnreadEvidence]") -> None:
    """Write ``file:line: problem`` for evidence that could not be read."""
    list_problems([f"{_place(unread)}: {unread.problem}" for unread in problems])


def say_passed_over(passed: "Sequence[PassedOver]", *, err: bool = False) -> None:
    """Write one line about what was not read as an edit; nothing if that is nothing."""
    from ghapp.reports.reading import passed_over_line  # noqa: PLC0415 - see the top

    if said := passed_over_line(passed):
        click.echo(visible(said, LONGEST), err=err)


def _place(unread: "UnreadEvidence") -> str:
    return unread.source if unread.line is None else f"{unread.source}:{unread.line}"
