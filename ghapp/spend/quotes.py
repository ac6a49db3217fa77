"""Which price a row of usage gets, by list and by contract, and under which version. No vendor."""

from datetime import date

from ghapp.attribution.model import Struct
from ghapp.spend.cost import CostBasis, TokenCost, cost
from ghapp.spend.prices import PriceList
from ghapp.spend.rate_card import RateCard
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import TokenDay


class PricedRow(Struct, frozen=True):
    """A row of usage: the tokens of one model's answers on one day, all alike in price."""

    model: str | None
    day: date
    tokens: TokenCounts
    variant: str = ""
    context: int | None = 0
    """``None``: the source tells sums, not answers."""


def row_of(one: TokenDay) -> PricedRow:
    """Return what prices a row as machines send it."""
    return PricedRow(
        model=one.model,
        day=one.day,
        tokens=one.tokens,
        variant=one.variant,
        context=one.context,
    )


class BasisCost(Struct, frozen=True):
    """A cost as it is stored: with what it means, and which prices it is from."""

    cost: TokenCost
    basis: CostBasis
    version: str
    """Of the price table, of the rate card, or of both with a plus sign."""


def at_list(row: PricedRow, prices: PriceList) -> BasisCost:
    """Return a row's list estimate; its amount is ``None`` where the list has no price."""
    found = prices.find(row.model, row.day, row.variant, row.context)
    amount = cost(
        row.tokens, found.rates if found else None, is_floor=found is not None and found.is_floor
    )
    return BasisCost(cost=amount, basis=CostBasis.LIST, version=prices.version)


def at_contract(row: PricedRow, card: RateCard, prices: PriceList) -> BasisCost:
    """Return a row's contract estimate; its amount is ``None`` where the card names no price."""
    found = card.find(row.model, row.day, row.variant, row.context, prices=prices)
    amount = cost(
        row.tokens, found.rates if found else None, is_floor=found is not None and found.is_floor
    )
    is_on_list = found is not None and found.is_on_list
    version = f"{card.version}+{prices.version}" if is_on_list else card.version
    return BasisCost(cost=amount, basis=CostBasis.CONTRACT, version=version)


def estimated(row: PricedRow, card: RateCard | None, prices: PriceList) -> BasisCost:
    """Return the estimate to show: by contract where there is a card, else by list.

    With a card every row is by contract, also those that it does not price: a sum of both would
    mean neither.
    """
    return at_list(row, prices) if card is None else at_contract(row, card, prices)
