"""What a period costs beside the one before it, as far as each may be shown. It queries nothing."""

from collections.abc import Iterable

from ghapp.attribution.model import Struct
from ghapp.spend.cost import TokenCost
from ghapp.spend.counts import (
    AmountChange,
    DividedCost,
    ShippedCost,
    SpendChange,
    SpendChanges,
)
from ghapp.spend.shown import SpendPart
from ghapp.summaries.periods import DayPeriod, period_before
from ghapp.usage.answers import less
from ghapp.usage.counts import OTHERS

Parts = tuple[SpendPart, ...]


class ShownSpend(Struct, frozen=True):
    """What the page of one period shows."""

    totals: DividedCost
    shipped: ShippedCost
    agents: Parts
    teams: Parts
    repositories: Parts


def spend_changes(period: DayPeriod, now: ShownSpend, before: ShownSpend | None) -> SpendChanges:
    """Return both periods side by side; ``None``: nothing is known, or shown, of the one before.

    Each period hides what its own page hides, so a difference tells nothing that the two do not.
    """
    old = before.totals if before else None
    shipped = before.shipped if before else None
    return SpendChanges(
        period=period,
        before=period_before(period),
        spent=_change(None, now.totals.cost, old.cost if old else None),
        unallocated=_change(None, now.totals.unallocated, old.unallocated if old else None),
        by_pull=_each(now.shipped.by_pull, shipped.by_pull if shipped else None),
        by_line=_each(now.shipped.by_line, shipped.by_line if shipped else None),
        agents=_parts(now.agents, before.agents if before else ()),
        teams=_parts(now.teams, before.teams if before else ()),
        repositories=_parts(now.repositories, before.repositories if before else ()),
    )


def _parts(now: Parts, before: Parts) -> tuple[SpendChange, ...]:
    """Return the parts that either period shows by name, dearest now first."""
    new, old = _named(now), _named(before)
    return tuple(_change(name, new.get(name), old.get(name)) for name in {**new, **old})


def _named(parts: Iterable[SpendPart]) -> dict[str, TokenCost | None]:
    return {one.name: one.cost for one in parts if one.name != OTHERS}


def _change(name: str | None, now: TokenCost | None, before: TokenCost | None) -> SpendChange:
    amounts = (None if one is None else one.amount for one in (now, before))
    return SpendChange(name, now, before, less(*amounts))


def _each(now: int | None, before: int | None) -> AmountChange:
    return AmountChange(now, before, less(now, before))
