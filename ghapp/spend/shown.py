"""Whose money is shown: that of five people or more, of whom nobody makes nearly all of it.

The rules of `ghapp.usage.counts` for people, and one for money: where one person makes over 80 % of
a group's, the group's amount is that person's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ghapp.attribution.model import Struct
from ghapp.spend.cost import TokenCost, total_cost
from ghapp.summaries.selection import SMALLEST_GROUP
from ghapp.usage.counts import OTHERS

MOST_OF_ONE = 80
"""Percent of a group's money that one person may make."""

ByPerson = Mapping[int, TokenCost]
"""Person → what this person's usage costs."""


class SpendPart(Struct, frozen=True):
    """What one team, model or tool costs."""

    name: str
    """`OTHERS`: what may not be shown by itself, or has no name."""
    people: int
    cost: TokenCost | None
    """``None``: it may not be shown, and neither may anything else beside it."""


def may_be_shown(people: ByPerson, *, least: int = SMALLEST_GROUP) -> bool:
    """Return whether the money of these people may be shown as one amount.

    Only people whose amount is known count. Where none is, their unpriced tokens follow the rule
    for people alone.
    """
    amounts = [one.amount for one in people.values() if one.amount is not None]
    if not amounts:
        return len(people) >= least
    return len(amounts) >= least and max(amounts) * 100 <= MOST_OF_ONE * sum(amounts)


def folded(
    groups: Mapping[str | None, ByPerson], *, least: int = SMALLEST_GROUP
) -> tuple[SpendPart, ...]:
    """Return the groups by name, dearest first; what may not be shown joins `OTHERS`, last.

    If `OTHERS` may not be shown either, the smallest group joins it, until it may: else it could be
    told from the total. ``None``: what has no name. ``least`` is 0 where every name may be seen.
    """
    if not least:
        found = {name or OTHERS: people for name, people in groups.items()}
        return _sorted(
            SpendPart(name=name, people=len(own), cost=total(own)) for name, own in found.items()
        )
    found = {name: people for name, people in groups.items() if name and people}
    few = [name for name, own in found.items() if not may_be_shown(own, least=least)]
    unnamed = (people for name, people in groups.items() if not name)
    rest = merged((*unnamed, *(found.pop(name) for name in few)))
    for name in sorted(found, key=lambda name: (len(found[name]), name)):
        if rest and not may_be_shown(rest, least=least):
            rest = merged((rest, found.pop(name)))
    rows = [SpendPart(name=name, people=len(own), cost=total(own)) for name, own in found.items()]
    if rest:
        is_shown = may_be_shown(rest, least=least)
        rows.append(
            SpendPart(name=OTHERS, people=len(rest), cost=total(rest) if is_shown else None)
        )
    return _sorted(rows)


def total(people: ByPerson) -> TokenCost:
    """Return what all of them cost."""
    return total_cost(people.values())


def _sorted(rows: Iterable[SpendPart]) -> tuple[SpendPart, ...]:
    def key(row: SpendPart) -> tuple[bool, int, str]:
        amount = row.cost.amount if row.cost else None
        return row.name == OTHERS, -(amount or 0), row.name

    return tuple(sorted(rows, key=key))


def merged(parts: Iterable[ByPerson]) -> ByPerson:
    """Return what each person costs in all the parts together."""
    found: defaultdict[int, list[TokenCost]] = defaultdict(list)
    for part in parts:
        for person, one in part.items():
            found[person].append(one)
    return {person: total_cost(costs) for person, costs in found.items()}
