"""Spend of two periods side by side: dearest first, and no difference of what is not known."""

from datetime import date

from ghapp.spend.changes import ShownSpend, spend_changes
from ghapp.spend.cost import TokenCost
from ghapp.spend.counts import DividedCost, ShippedCost
from ghapp.spend.shown import SpendPart
from ghapp.summaries.periods import DayPeriod
from ghapp.usage.counts import OTHERS

APRIL = DayPeriod(date(2026, 4, 1), date(2026, 4, 30))
NOTHING = ShippedCost(
    pulls=0,
    costed=0,
    amount=None,
    attributed=None,
    looked_up=None,
    standing=None,
    amount_of_looked_up=None,
)
UNPRICED = TokenCost(amount=None, unpriced_tokens=9)


def shown(cost: TokenCost | None, *parts: SpendPart) -> ShownSpend:
    return ShownSpend(DividedCost(9, cost, None), NOTHING, parts, (), ())


def part(name: str, amount: int) -> SpendPart:
    return SpendPart(name, 9, TokenCost(amount=amount, priced_tokens=1))


def test_parts_of_either_period_stand_side_by_side() -> None:
    now = shown(TokenCost(amount=9), part("codex", 7), part("pi", 2), part(OTHERS, 1))
    found = spend_changes(APRIL, now, shown(UNPRICED, part("codex", 8), part("kimi", 3)))
    assert found.before == DayPeriod(date(2026, 3, 1), date(2026, 3, 31))
    assert [(one.name, one.difference) for one in found.agents] == [
        ("codex", -1),
        ("pi", None),
        ("kimi", None),
    ]
    assert (found.spent.before, found.spent.difference) == (UNPRICED, None)
    assert found.by_pull.difference is None
    assert spend_changes(APRIL, now, None).spent.before is None
