"""How a budget stands, and when that is news."""

import pytest

from ghapp.spend.budgets import BudgetOf, BudgetState, MonthlyBudget, is_alarm, state_of
from ghapp.spend.cost import CostBasis
from ghapp.spend.forecast import MonthForecast

BUDGET = MonthlyBudget(of=BudgetOf.TEAM, name="web", monthly=100, basis=CostBasis.LIST)
UNKNOWN, BELOW, WILL_EXCEED, EXCEEDED = BudgetState


def foretold(amount: int) -> MonthForecast:
    return MonthForecast(amount=amount, at_least=0, at_most=10**6, weeks=8)


@pytest.mark.parametrize(
    ("spent", "amount", "state"),
    [
        (None, 500, UNKNOWN),
        (0, None, BELOW),
        (100, 100, BELOW),
        (100, 101, WILL_EXCEED),
        (101, 101, EXCEEDED),
        (101, None, EXCEEDED),
    ],
)
def test_states(spent: int | None, amount: int | None, state: BudgetState) -> None:
    assert state_of(BUDGET, spent, None if amount is None else foretold(amount)) is state


def test_an_alarm_is_given_once_for_each_worse_state_of_a_month() -> None:
    assert not is_alarm(None, BELOW)
    assert not is_alarm(None, UNKNOWN)
    assert is_alarm(None, WILL_EXCEED)
    assert is_alarm(BELOW, EXCEEDED)
    assert is_alarm(WILL_EXCEED, EXCEEDED)
    assert not is_alarm(WILL_EXCEED, WILL_EXCEED)
    assert not is_alarm(EXCEEDED, WILL_EXCEED)
    assert not is_alarm(EXCEEDED, EXCEEDED)
