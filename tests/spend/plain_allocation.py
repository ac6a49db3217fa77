"""The allocation of whole histories at once, in the plainest way: the app splits piece by piece."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from typing import Generic

from ghapp.attribution.model import Struct
from ghapp.spend.allocation import Key, PullCostPart, split_cost
from ghapp.spend.cost import TokenCost


class CostRow(Struct, frozen=True):
    """What one row of an agent session's usage costs."""

    agent_session: Hashable
    """What tells agent sessions apart: of two people they may have one name."""
    cost: TokenCost
    day: date | None = None
    is_repriced: bool = False
    """It is of a closed month that somebody asked to price again."""


class Allocation(Struct, Generic[Key], frozen=True):
    """Costs by pull request; with ``unallocated`` they sum to what was split, exactly."""

    by_pull_request: dict[Key, TokenCost]
    unallocated: TokenCost


def allocated(
    rows: Iterable[CostRow], matched: Mapping[Hashable, Mapping[Key, int]]
) -> Allocation[Key]:
    """Return the costs of rows by pull request.

    ``matched``: agent session → pull request → its matched lines there. Each row is split by
    itself, so that days and models keep their sums too.
    """
    found: defaultdict[Key, TokenCost] = defaultdict(TokenCost)
    unallocated = TokenCost()
    for row in rows:
        weights = {key: n for key, n in matched.get(row.agent_session, {}).items() if n > 0}
        if not weights:
            unallocated += row.cost
            continue
        for key, part in split_cost(row.cost, weights).items():
            found[key] += part
    return Allocation(by_pull_request=dict(found), unallocated=unallocated)


def parts_of(
    key: Key, rows: Iterable[CostRow], matched: Mapping[Hashable, Mapping[Key, int]]
) -> list[PullCostPart]:
    """Return what a pull request gets of each row of the agent sessions with lines in it."""
    found = []
    for row in rows:
        weights = {one: n for one, n in matched.get(row.agent_session, {}).items() if n > 0}
        if key in weights:
            found.append(
                PullCostPart(
                    agent_session=row.agent_session,
                    attributed=weights[key],
                    cost=split_cost(row.cost, weights)[key],
                    last_day=row.day,
                    is_repriced=row.is_repriced,
                )
            )
    return found
