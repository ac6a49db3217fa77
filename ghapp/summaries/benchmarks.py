"""Published figures: definition, population, year and source of each. It compares none.

The rows are ``benchmarks.toml``; docs/benchmarks.md is made from them.
"""

from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Annotated

import msgspec
from msgspec import Meta

from ghapp.attribution.model import Struct

Said = Annotated[str, Meta(min_length=1)]
Address = Annotated[str, Meta(pattern=r"^https://[^\s]+$")]


class OurFigure(StrEnum):
    """A figure of ours that has the definition of a published one."""

    SHARE_OF_LINES = "share_of_lines"
    """Attributed lines of effective ones: an organization's overview."""
    WEEKLY_ACTIVE = "weekly_active"
    """People with usage in a week, of those enrolled: an organization's usage."""
    COST_OF_ACTIVE_DAY = "cost_of_active_day"
    """Cost of a person's day with usage: an organization's spend."""


class PublishedBenchmark(Struct, frozen=True, forbid_unknown_fields=True):
    """One published figure."""

    publisher: Said
    title: Said
    """Of what was published."""
    year: Annotated[int, Meta(ge=2020, le=2100)]
    """Of the publication."""
    source: Address
    """Where the figure was read."""
    figure: Said
    definition: Said
    population: Said
    difference: Said
    """In what ours is defined otherwise, or why no figure of ours has this definition."""
    beside: OurFigure | None = None
    """Where it is shown; ``None``: nowhere."""
    told_by: Said | None = None
    """Whose page the source is; ``None``: the publisher's own."""


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    benchmark: tuple[PublishedBenchmark, ...]


@cache
def published() -> tuple[PublishedBenchmark, ...]:
    """Return every published figure."""
    text = resources.files("ghapp.summaries").joinpath("benchmarks.toml").read_bytes()
    return msgspec.toml.decode(text, type=_File).benchmark


def beside(figure: OurFigure) -> tuple[PublishedBenchmark, ...]:
    """Return what was published of the definition of one of our figures, the newest first."""
    found = [one for one in published() if one.beside is figure]
    return tuple(sorted(found, key=lambda one: (-one.year, one.publisher)))
