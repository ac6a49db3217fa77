"""Budgets of organizations: one for each month, of all of it, a team or a repository."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from ghapp.spend.budgets import BudgetOf, BudgetState, MonthlyBudget, is_alarm
from ghapp.spend.cost import CostBasis
from ghapp.spend.counts import BudgetCheck
from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import budget
from ghapp.store.summaries.tally import day_number

MOST = 200
"""Budgets of an organization."""


class BudgetTable:
    """The budgets of all installations. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, installation_id: int) -> tuple[MonthlyBudget, ...]:
        """Return an organization's budgets, its own first."""
        with self._database.read() as connection:
            return budgets_of(connection, installation_id)

    def agree(self, installation_id: int, one: MonthlyBudget, *, by: str, now: datetime) -> None:
        """Store a budget in the place of the one before.

        Raises `ValueError` if there are `MOST` others.
        """
        with self._database.write() as connection:
            self._database.lock(connection, f"budget:{installation_id}")
            connection.execute(delete(budget).where(*_key(installation_id, one)))
            if len(budgets_of(connection, installation_id)) >= MOST:
                raise ValueError(f"there are {MOST} budgets already: remove one first")
            row = {
                "installation_id": installation_id,
                "of": one.of.value,
                "name": clean(one.name) or "",
                "basis": one.basis.value,
                "monthly": one.monthly,
                "set_by": clean(by),
                "set_at": now,
            }
            connection.execute(insert(budget), [row])

    def remove(self, installation_id: int, one: MonthlyBudget) -> bool:
        """Delete a budget; ``False``: there was none."""
        gone = delete(budget).where(*_key(installation_id, one))
        return self._database.execute(gone) == 1

    def news(self, installation_id: int, checks: Iterable[BudgetCheck]) -> tuple[BudgetCheck, ...]:
        """Return the states that are an alarm and were not told in their month."""
        with self._database.read() as connection:
            query = select(budget).where(budget.c.installation_id == installation_id)
            told = {_budget(row): row for row in connection.execute(query)}
        return tuple(
            one
            for one in checks
            if (row := told.get(one.budget)) and is_alarm(_told_in(row, one.month), one.state)
        )

    def told(self, installation_id: int, checks: Iterable[BudgetCheck]) -> None:
        """Note that these states were told; of several months the last counts."""
        with self._database.write() as connection:
            for one in sorted(checks, key=lambda one: one.month):
                values = {
                    "alarmed_month": day_number(one.month),
                    "alarmed_state": one.state.value,
                }
                mine = _key(installation_id, one.budget)
                connection.execute(update(budget).where(*mine).values(values))


def _told_in(row: Row[Any], month: date) -> BudgetState | None:
    if row.alarmed_month != day_number(month):
        return None
    return BudgetState(row.alarmed_state)


def budgets_of(connection: Connection, installation_id: int) -> tuple[MonthlyBudget, ...]:
    """Return an organization's budgets, its own first."""
    columns = budget.c
    query = (
        select(budget)
        .where(columns.installation_id == installation_id)
        .order_by(columns.of, columns.name, columns.basis)
    )
    return tuple(_budget(row) for row in connection.execute(query))


def _budget(row: Row[Any]) -> MonthlyBudget:
    return MonthlyBudget(
        of=BudgetOf(row.of),
        name=row.name or None,
        monthly=row.monthly,
        basis=CostBasis(row.basis),
    )


def _key(installation_id: int, one: MonthlyBudget) -> Sequence[Any]:
    columns = budget.c
    return (
        columns.installation_id == installation_id,
        columns.of == one.of.value,
        columns.name == (clean(one.name) or ""),
        columns.basis == one.basis.value,
    )
