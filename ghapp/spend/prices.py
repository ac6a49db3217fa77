"""List prices of models' tokens: one packaged table, dated, by variant and length of the prompt.

``prices.json`` is made by ``docs/renew_prices.py``; docs/spend.md says how a row is found. Nothing
is guessed: a model, variant or kind of tokens that the table does not have is not priced.
"""

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib import resources
from typing import Annotated

import msgspec
from msgspec import Meta

from ghapp.attribution.model import Struct
from ghapp.spend.model_names import listed, named

Rate = Annotated[int, Meta(ge=0, le=10**12)]
"""Micro-dollars for a million tokens."""

VARIANTS = ("batch", "fast", "regional", "us")
"""Words of a variant. A row of usage names those of its answers, sorted and joined by commas."""

CONTEXTS = (0, 32, 100, 128, 200, 256, 272, 512)
"""Lengths of prompts, in thousands of tokens, above which some model has another price."""


def context_of(prompt: int) -> int:
    """Return the highest of `CONTEXTS` that a prompt of so many tokens exceeds, cached ones too.

    >>> context_of(200_000), context_of(200_001), context_of(0)
    (128, 200, 0)
    """
    exceeded = [step for step in CONTEXTS if prompt > step * 1000]
    return exceeded[-1] if exceeded else 0


def variant_of(words: Iterable[str]) -> str:
    """Return words of a variant as a row of usage names them.

    >>> variant_of(["us", "batch"]), variant_of([])
    ('batch,us', '')
    """
    return ",".join(sorted(set(words)))


class Rates(Struct, frozen=True):
    """What a million tokens of each kind cost; ``None``: the list has no price for that kind."""

    input: Rate | None = None
    output: Rate | None = None
    cache_read: Rate | None = None
    cache_write_5m: Rate | None = None
    cache_write_1h: Rate | None = None


class PriceRow(Struct, frozen=True, omit_defaults=True):
    """The price of a model in some days, for one variant, above one length of the prompt."""

    provider: str
    """Who makes the model."""
    model: str
    rates: Rates
    valid_from: date | None = None
    """First day; ``None``: since ever."""
    valid_to: date | None = None
    """Last day, included; ``None``: until now."""
    variant: str = ""
    context: int = 0
    """Thousands of tokens that the prompt exceeds."""
    is_floor: bool = False
    """The price depends on the hour: this is the lower one."""

    def holds_on(self, day: date) -> bool:
        """Return whether the row is valid on a day."""
        return (self.valid_from or date.min) <= day <= (self.valid_to or date.max)


class PriceTable(Struct, frozen=True):
    """A price table as a file."""

    version: str
    """The day on which it was made, and a digest of its rows."""
    rows: tuple[PriceRow, ...]


def version_of(day: date, rows: tuple[PriceRow, ...]) -> str:
    """Return the version of a table of these rows: other rows have another one."""
    digest = hashlib.sha256(msgspec.json.encode(rows, order="deterministic")).hexdigest()
    return f"{day.isoformat()}-{digest[:12]}"


def read_table(text: bytes) -> PriceTable:
    """Return a table as `written` wrote it. Raises ``msgspec.MsgspecError``."""
    return msgspec.json.decode(text, type=PriceTable)


def written(table: PriceTable) -> bytes:
    """Return a table as JSON, a row a line."""
    rows = b",\n".join(msgspec.json.encode(row) for row in table.rows)
    return b'{"version": %b, "rows": [\n%b\n]}\n' % (msgspec.json.encode(table.version), rows)


class PriceList:
    """A table that can be asked."""

    def __init__(self, table: PriceTable) -> None:
        self.table = table
        self.version = table.version
        self._rows: defaultdict[tuple[str, str], list[PriceRow]] = defaultdict(list)
        for row in sorted(table.rows, key=lambda row: row.context):
            self._rows[listed(row.model), row.variant].append(row)
        self._models = {name for name, _ in self._rows}

    def find(
        self, model: str | None, day: date, variant: str = "", context: int = 0
    ) -> PriceRow | None:
        """Return the row that prices answers of a model on a day; ``None``: not priced.

        ``variant`` and ``context`` are those of a row of usage: see `variant_of`, `context_of`.
        """
        name = named(model) if model else None
        found = next((one for one in name.names if one in self._models), None) if name else None
        if name is None or found is None:
            return None
        words = name.variant.union(filter(None, variant.split(",")))
        rows = [one for one in self._rows[found, variant_of(words)] if one.holds_on(day)]
        at = bisect_right(rows, context, key=lambda one: one.context)
        return rows[at - 1] if at else None

    def rates(
        self, model: str | None, day: date, variant: str = "", context: int = 0
    ) -> Rates | None:
        """Return the rates of the row that `find` finds."""
        row = self.find(model, day, variant, context)
        return row.rates if row else None


@cache
def packaged() -> PriceList:
    """Return the list that comes with this version of the program."""
    text = resources.files("ghapp.spend").joinpath("prices.json").read_bytes()
    return PriceList(read_table(text))
