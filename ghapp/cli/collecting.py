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


def named(pause: "CollectorPause") -> str:
    """Return what a pause holds back, in words."""
    parts = [one for one in (pause.repository, pause.path) if one]
    return visible(", ".join(parts), LONGEST) or "everything"
