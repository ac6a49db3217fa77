"""Who gets an organization's weekly summary, and which week was sent last. It sends nothing."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import clean, struct_of
from ghapp.store.schema import installation, weekly_summary


class WeeklyOrder(Struct, frozen=True, kw_only=True):
    """An organization's order of a weekly summary."""

    installation_id: int
    webhook: bytes | None = None
    """Webhook address, encrypted: whoever knows it can post there. ``None``: no webhook."""
    mail: str | None = None
    """``None``: no mail."""
    set_by: str
    """Login of the owner who ordered it."""
    claimed_week: str | None = None
    """Last week that was or is being sent, such as ``2026-W21``; ``None``: none yet."""
    sent_at: datetime | None = None
    problem: str | None = None
    """What went wrong last time; ``None``: nothing."""

    def __repr__(self) -> str:
        """Leave the addresses out."""
        return f"WeeklyOrder(installation_id={self.installation_id})"


class WeeklyTable:
    """The orders of all organizations. An organization without an order gets nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def order(self, weekly: WeeklyOrder, *, now: datetime) -> None:
        """Store an order and replace the one before; the weeks already sent stay known."""
        values = {
            "webhook": weekly.webhook,
            "mail": clean(weekly.mail),
            "set_by": clean(weekly.set_by),
            "set_at": now,
            "problem": None,
        }
        insert = self._database.insert(weekly_summary).values(
            installation_id=weekly.installation_id, **values
        )
        self._database.execute(
            insert.on_conflict_do_update(index_elements=["installation_id"], set_=values)
        )

    def stop(self, installation_id: int) -> bool:
        """Delete an order; ``False``: there was none."""
        gone = delete(weekly_summary).where(weekly_summary.c.installation_id == installation_id)
        return self._database.execute(gone) == 1

    def forget_uninstalled(self, before: datetime) -> int:
        """Delete orders of installations that ended before then; return how many.

        Not at once: an event that says so may be an old one, which GitHub corrects when asked.
        """
        ended = select(installation.c.id).where(installation.c.removed_at < before)
        gone = delete(weekly_summary).where(weekly_summary.c.installation_id.in_(ended))
        return self._database.execute(gone)

    def of(self, installation_id: int) -> WeeklyOrder | None:
        """Return an organization's order; ``None``: it has none."""
        query = select(weekly_summary).where(weekly_summary.c.installation_id == installation_id)
        row = self._database.first(query)
        return None if row is None else struct_of(WeeklyOrder, row)

    def all(self) -> tuple[WeeklyOrder, ...]:
        """Return all orders."""
        query = select(weekly_summary).order_by(weekly_summary.c.installation_id)
        return tuple(struct_of(WeeklyOrder, row) for row in self._database.rows(query))

    def claim(self, installation_id: int, week: str) -> bool:
        """Claim a week for sending; ``False``: it was sent, or another process is sending it."""
        column = weekly_summary.c.claimed_week
        return self._change(
            installation_id, {"claimed_week": week}, or_(column.is_(None), column < week)
        )

    def give_back(self, installation_id: int, week: str, before: str | None, why: str) -> bool:
        """Give a claim back when delivery definitely failed, so that it is tried again."""
        return self._change(
            installation_id,
            {"claimed_week": before, "problem": clean(why)},
            weekly_summary.c.claimed_week == week,
        )

    def sent(self, installation_id: int, problem: str | None, *, now: datetime) -> None:
        """Store that a summary was sent; ``problem``: the receiver did not confirm it."""
        self._change(installation_id, {"sent_at": now, "problem": clean(problem)})

    def _change(self, installation_id: int, values: dict[str, Any], *conditions: Any) -> bool:
        change = update(weekly_summary).where(
            weekly_summary.c.installation_id == installation_id, *conditions
        )
        return self._database.execute(change.values(values)) == 1
