"""What the commands of ``ghapp collect`` share: places, the clock, and how they report."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghapp.collector.places import CollectorError, CollectorFiles
from ghapp.reports.harmless import visible

if TYPE_CHECKING:  # `status` must answer at once
    from ghapp.collector.choices import CollectorPause
    from ghapp.collector.usage_sent import UsageSent

LONGEST = 2_000
"""Characters of a path or a message that are shown."""


def own_places() -> CollectorFiles:
    """Return where this user's collector keeps its files. Raises `NoHome`."""
    return CollectorFiles.of_this_user()


def own_transcripts() -> tuple[Path, ...]:
    """Return where this user's agents keep their transcripts. Raises `NoHome`."""
    from ghapp.collector.agents import transcripts  # noqa: PLC0415 - `status` must answer at once

    return transcripts(os.environ)


def now() -> datetime:
    """Return the time by this machine's clock."""
    return datetime.now(UTC)


def moment(at: datetime) -> str:
    """Return an instant as reports write it, without importing them."""
    return at.strftime("%Y-%m-%d %H:%M UTC")


@contextmanager
def said() -> Iterator[None]:
    """Turn an error of the collector into one sentence, with status 1."""
    try:
        yield
    except (CollectorError, OSError) as error:
        raise click.ClickException(visible(str(error), LONGEST)) from error


def say_stays(stays: dict[str, int]) -> None:
    """Print how many edits stayed here, by reason."""
    for why, count in sorted(stays.items()):
        click.echo(f"  {count} stayed here: {why}")


def say_usage(sent: "UsageSent") -> None:
    """Print what was last sent of usage, and what of it did not leave."""
    from ghapp.reports.words import counted  # noqa: PLC0415 - `status` must answer at once

    if not sent.is_taken:
        click.echo(f"usage     not sent: the app takes none yet, asked {moment(sent.at)}")
        return
    rows = f"{counted(sent.rows, 'row')} since {sent.since}"
    many = "repository" if sent.repositories == 1 else "repositories"
    where = f"{sent.repositories:,} {many}"
    click.echo(f"usage     {rows}, {where}, sent {moment(sent.at)}")
    for why, count in sorted(sent.stays.items()):
        click.echo(f"  {count} answer(s) or edit(s) stayed here: {why}")
    for repository, why in sorted(sent.refused.items()):
        click.echo(f"  {visible(repository)}: {visible(why, LONGEST)}")
    if sent.files_left_out:
        left_out = counted(sent.files_left_out, "file")
        was = "was" if sent.files_left_out == 1 else "were"
        click.echo(f"  {left_out} of records {was} too much to read: the rows are a part")


def named(pause: "CollectorPause") -> str:
    """Return what a pause holds back, in words."""
    parts = [one for one in (pause.repository, pause.path) if one]
    return visible(", ".join(parts), LONGEST) or "everything"
