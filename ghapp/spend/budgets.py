"""A month's budget: what it is of, and whether it is kept. It sends no alarm."""

from enum import StrEnum

from ghapp.attribution.model import Struct
from ghapp.spend.cost import CostBasis
from ghapp.spend.forecast import MonthForecast


class BudgetOf(StrEnum):
    """What a budget is of."""

    ORGANIZATION = "organization"
    TEAM = "team"
    REPOSITORY = "repository"


class BudgetState(StrEnum):
    """How a budget stands in a month."""

    UNKNOWN = "unknown"
    """No amount is known, or it is not shown."""
    BELOW = "below"
    WILL_EXCEED = "will_exceed"
    """The forecast is above it."""
    EXCEEDED = "exceeded"


_ALARMS = (BudgetState.WILL_EXCEED, BudgetState.EXCEEDED)


class MonthlyBudget(Struct, frozen=True):
    """What something may cost in each month."""

    of: BudgetOf
    name: str | None
    """The team or repository; ``None``: the whole organization."""
    monthly: int
    """Micro-dollars."""
    basis: CostBasis
    """Amounts of other bases say nothing of it."""


def state_of(budget: MonthlyBudget, spent: int | None, month: MonthForecast | None) -> BudgetState:
    """Return how a budget stands; ``spent`` and ``month`` are amounts of its basis.

    What has no price is in neither, so a budget may be exceeded earlier than this says.
    """
    if spent is None:
        return BudgetState.UNKNOWN
    if spent > budget.monthly:
        return BudgetState.EXCEEDED
    if month is not None and month.amount > budget.monthly:
        return BudgetState.WILL_EXCEED
    return BudgetState.BELOW


def is_alarm(before: BudgetState | None, now: BudgetState) -> bool:
    """Return whether a state is news of a month: it is worse than any before in that month.

    ``before``: the worst state so far; ``None``: there was none.
    """
    if now not in _ALARMS:
        return False
    return before not in _ALARMS or _ALARMS.index(now) > _ALARMS.index(before)
