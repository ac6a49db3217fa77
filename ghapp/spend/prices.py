"""List prices of models' tokens: one packaged table, dated, by variant and length of the prompt.

``prices.json`` is made by ``docs/renew_prices.py``; docs/spend.md says how a row is found. Nothing
is guessed: a model, variant or kind of tokens that the table does not have is not priced.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from importlib import resources
from typing import Annotated

import msgspec
from msgspec import Meta

from ghapp.attribution.model import Struct
from ghapp.spend.model_names import REGIONAL, listed, named
from ghapp.usage.price_class import BATCH, FAST, US

Rate = Annotated[int, Meta(ge=0, le=10**12)]
"""Micro-dollars for a million tokens."""

VARIANTS = (BATCH, FAST, REGIONAL, US)
"""Words of a variant; a model's name may add to those of a row of usage."""


def joined(words: Iterable[str]) -> str:
    """Return words of a variant as a row of usage has them.

    >>> joined(["us", "batch"]), joined([])
    ('batch,us', '')
    """
    return ",".join(sorted(set(words)))


class TokenRates(Struct, frozen=True):
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
    rates: TokenRates
    valid_from: date | None = None
    """First day; ``None``: since ever."""
    valid_to: date | None = None
    """Last day, included; ``None``: until now."""
    variant: str = ""
    context: int = 0
    """Thousands of tokens that the prompt exceeds."""
    is_floor: bool = False
    """It is the lower of two prices: which one holds is not known."""

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
        self, model: str | None, day: date, variant: str = "", context: int | None = 0
    ) -> PriceRow | None:
        """Return the row that prices answers of a model on a day; ``None``: not priced.

        ``variant`` and ``context`` are those of a row of usage (see `ghapp.usage.price_class`).
        Where the length of prompts is unknown, the price is that of the shortest: a floor, if
        longer ones cost more.
        """
        name = named(model) if model else None
        found = next((one for one in name.names if one in self._models), None) if name else None
        if name is None or found is None:
            return None
        words = joined(name.variant.union(filter(None, variant.split(","))))
        return by_context(self._rows.get((found, words), ()), day, context)

    def rates(
        self, model: str | None, day: date, variant: str = "", context: int | None = 0
    ) -> TokenRates | None:
        """Return the rates of the row that `find` finds."""
        row = self.find(model, day, variant, context)
        return row.rates if row else None


def by_context(rows: Sequence[PriceRow], day: date, context: int | None) -> PriceRow | None:
    """Return the last row of a day whose length is reached; ``rows`` are sorted by it."""
    valid = [one for one in rows if one.holds_on(day)]
    reached = [one for one in valid if one.context <= (context or 0)]
    if not reached:
        return None
    is_unsure = context is None and valid[-1].context > 0
    return msgspec.structs.replace(reached[-1], is_floor=True) if is_unsure else reached[-1]


@cache
def packaged() -> PriceList:
    """Return the list that comes with this version of the program."""
    text = resources.files("ghapp.spend").joinpath("prices.json").read_bytes()
    return PriceList(read_table(text))
