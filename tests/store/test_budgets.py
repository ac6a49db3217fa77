"""Budgets in the database: one for each thing and basis, and which of their states are news."""

from datetime import date

import pytest
from msgspec.structs import replace

from ghapp.spend.budgets import BudgetOf, BudgetState, MonthlyBudget
from ghapp.spend.cost import CostBasis
from ghapp.spend.counts import BudgetCheck
from ghapp.store import Store
from tests.store.records import NOW

WHOLE = MonthlyBudget(BudgetOf.ORGANIZATION, None, 5, CostBasis.LIST)
MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


def test_a_budget_takes_the_place_of_the_one_before(sqlite_store: Store) -> None:
    budgets = sqlite_store.budgets
    for one in (WHOLE, replace(WHOLE, monthly=7), replace(WHOLE, basis=CostBasis.CONTRACT)):
        budgets.agree(5, one, by="ann", now=NOW)
    assert [one.monthly for one in budgets.of(5)] == [5, 7]
    assert budgets.of(6) == ()
    assert not budgets.remove(6, WHOLE)
    assert budgets.remove(5, WHOLE)
    assert [one.basis for one in budgets.of(5)] == [CostBasis.CONTRACT]


def test_there_are_only_so_many(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ghapp.store.budgets.MOST", 1)
    sqlite_store.budgets.agree(5, WHOLE, by="ann", now=NOW)
    sqlite_store.budgets.agree(5, replace(WHOLE, monthly=6), by="ann", now=NOW)
    other = MonthlyBudget(BudgetOf.TEAM, "core", 5, CostBasis.LIST)
    with pytest.raises(ValueError, match="remove one"):
        sqlite_store.budgets.agree(5, other, by="ann", now=NOW)


def test_a_state_is_news_until_it_is_told_and_in_each_month_again(sqlite_store: Store) -> None:
    budgets = sqlite_store.budgets
    budgets.agree(5, WHOLE, by="ann", now=NOW)

    def check(state: BudgetState, month: date = MAY) -> BudgetCheck:
        return BudgetCheck(budget=WHOLE, month=month, spent=4, state=state)

    coming, above = check(BudgetState.WILL_EXCEED), check(BudgetState.EXCEEDED)
    asked = [check(BudgetState.BELOW), check(BudgetState.UNKNOWN), coming, above]
    assert budgets.news(5, asked) == (coming, above)
    budgets.told(5, [coming])
    assert budgets.news(5, asked) == (above,)
    budgets.told(5, [above])
    assert budgets.news(5, asked) == ()
    in_june = check(BudgetState.WILL_EXCEED, JUNE)
    assert budgets.news(5, [above, in_june]) == (in_june,)
    budgets.told(5, [in_june, above])
    assert budgets.news(5, [in_june]) == ()
    # A budget that nobody agreed on, or not any more, has no news.
    assert budgets.news(6, asked) == ()
    budgets.agree(5, replace(WHOLE, monthly=6), by="ann", now=NOW)
    assert budgets.news(5, [in_june]) == ()
