"""What tokens cost: three meanings of money, and the sum of a row. It finds no price."""

from enum import StrEnum

from ghapp.attribution.model import Struct
from ghapp.spend.money import divided
from ghapp.spend.prices import TokenRates
from ghapp.usage.answers import TokenCounts, known_sum

PER_TOKENS = 10**6
"""Rates are for so many tokens."""


class CostBasis(StrEnum):
    """What an amount means. Amounts of two meanings are never added, nor in one column."""

    LIST = "list"
    """An estimate: tokens at the vendor's public prices."""
    CONTRACT = "contract"
    """An estimate: tokens at the operator's own rate card."""
    BILLED = "billed"
    """What the vendor says it charges."""


class TokenCost(Struct, frozen=True):
    """What some tokens cost, and of how many of them the price is known."""

    amount: int | None = 0
    """Micro-dollars of the priced tokens; ``None``: there are tokens, and none has a price."""
    priced_tokens: int = 0
    unpriced_tokens: int = 0
    is_floor: bool = False
    """The priced tokens cost at least this: of some, only the lower of two prices is known."""

    def __add__(self, other: "TokenCost") -> "TokenCost":
        told = [one.amount for one in (self, other) if one.priced_tokens or one.amount]
        priced = self.priced_tokens + other.priced_tokens
        unpriced = self.unpriced_tokens + other.unpriced_tokens
        return TokenCost(
            amount=known_sum(told) if told else (None if unpriced else 0),
            priced_tokens=priced,
            unpriced_tokens=unpriced,
            is_floor=self.is_floor or other.is_floor,
        )

    @property
    def priced_share(self) -> float | None:
        """Priced tokens of all; ``None``: there are no tokens."""
        tokens = self.priced_tokens + self.unpriced_tokens
        return self.priced_tokens / tokens if tokens else None


def cost(tokens: TokenCounts, rates: TokenRates | None, *, is_floor: bool = False) -> TokenCost:
    """Return what the tokens of a row cost: summed exactly, rounded once, half to even.

    Tokens of a kind without a rate are unpriced; the others are priced. Writes to a cache for a
    time that nobody recorded cost what five minutes do: the amount is then a floor, since an hour
    costs more. ``is_floor``: the rates themselves are the lower ones.
    """
    if rates is None:
        return TokenCost(amount=None if tokens.total else 0, unpriced_tokens=tokens.total)
    parts = (
        (tokens.input, rates.input),
        (tokens.output, rates.output),
        (tokens.cache_read, rates.cache_read),
        (tokens.cache_write_5m, rates.cache_write_5m),
        (tokens.cache_write_1h, rates.cache_write_1h),
        (tokens.cache_write_unsplit, rates.cache_write_5m),
    )
    priced = sum(count for count, rate in parts if rate is not None)
    exact = sum(count * rate for count, rate in parts if rate is not None)
    is_split = not tokens.cache_write_unsplit or rates.cache_write_5m == rates.cache_write_1h
    return TokenCost(
        amount=divided(exact, PER_TOKENS) if priced or not tokens.total else None,
        priced_tokens=priced,
        unpriced_tokens=tokens.total - priced,
        is_floor=priced > 0 and (is_floor or not is_split),
    )
