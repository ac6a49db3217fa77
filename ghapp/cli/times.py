"""Reads points in time as people and git write them. It knows no clock."""

import re
from datetime import UTC, datetime, timedelta

import click

# git puts a space before the offset: "2026-05-20 15:30:00 +0200".
# https://git-scm.com/docs/git-log#Documentation/git-log.txt---dateformat
_SPACED_OFFSET = re.compile(r"(?<=\d)\s+(?=[+-]\d{2}:?\d{2}$|Z$)")


def as_time(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """Return an option's value as a time; a callback for click. ``None``: it was not given."""
    try:
        return None if value is None else parse_time(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error


def as_last_instant(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> datetime | None:
    """Return an option's value as a time, a date alone as its last instant."""
    at = as_time(ctx, param, value)
    if at is None or value is None or len(value.strip()) > len("2026-05-20"):
        return at
    return at + timedelta(days=1) - timedelta(microseconds=1)


def parse_time(text: str) -> datetime:
    """Return a time in UTC; a date alone is its first instant.

    >>> parse_time("2026-05-20 15:30:00 +0200").isoformat()
    '2026-05-20T13:30:00+00:00'

    Raises `ValueError` with the forms that work.
    """
    try:
        time = datetime.fromisoformat(_SPACED_OFFSET.sub("", text.strip()))
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = (
            f"{text!r} is not a time; write it as 2026-05-20T15:30:00Z, "
            "2026-05-20 15:30:00 +0200 or 2026-05-20 (UTC where no offset is given)"
        )
        raise ValueError(message) from error
