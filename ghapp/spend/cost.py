"""What tokens cost: three meanings of money, and the sum of a row. It finds no price."""

from collections.abc import Iterable
from enum import StrEnum

from ghapp.attribution.model import Struct
from ghapp.spend.money import divided
from ghapp.spend.prices import TokenRates
from ghapp.usage.answers import TokenCounts

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
        return total_cost((self, other))

    @property
    def priced_share(self) -> float | None:
        """Priced tokens of all; ``None``: there are no tokens."""
        tokens = self.priced_tokens + self.unpriced_tokens
        return self.priced_tokens / tokens if tokens else None


NOTHING = TokenCost()
"""What no tokens cost; adding it changes nothing."""


def total_cost(costs: Iterable[TokenCost]) -> TokenCost:
    """Return what all of them cost together."""
    found = [one for one in costs if one is not NOTHING]
    # Most sums on a page are of one cost: it is its own sum, unless its amount says nothing.
    if len(found) == 1 and found[0].priced_tokens and found[0].amount is not None:
        return found[0]
    amount: int | None = None
    priced, unpriced, is_floor = 0, 0, False
    for one in found:
        # An amount of 0 without priced tokens says nothing: there were no tokens.
        if one.amount is not None and (one.priced_tokens or one.amount):
            amount = (amount or 0) + one.amount
        priced += one.priced_tokens
        unpriced += one.unpriced_tokens
        is_floor = is_floor or one.is_floor
    if amount is None and not unpriced:
        amount = 0
    return TokenCost(amount, priced, unpriced, is_floor)


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
