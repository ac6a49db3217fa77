"""Who gets an organization's weekly summary, and which week was sent last. It sends nothing."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, or_, select, update

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import weekly_summary


class WeeklyOrder(Struct, frozen=True, kw_only=True):
    """An organization's wish for a weekly summary."""

    installation_id: int
    webhook: bytes | None = None
    """Address, encrypted: whoever knows it can write there. ``None``: none."""
    mail: str | None = None
    """``None``: none."""
    set_by: str
    """Login of the owner who wished it."""
    claimed_week: str | None = None
    """Last week that was sent or is being sent, such as ``2026-W21``; ``None``: none yet."""
    sent_at: datetime | None = None
    problem: str | None = None
    """What went wrong the last time; ``None``: nothing."""

    def __repr__(self) -> str:
        """Leave the addresses out."""
        return f"Weekly(installation_id={self.installation_id})"


class WeeklyTable:
    """The wishes of all organizations; none is made by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def order(self, weekly: WeeklyOrder, *, now: datetime) -> None:
        """Keep a wish in the place of the one before; the weeks that were sent stay known."""
        told = {
            "webhook": weekly.webhook,
            "mail": clean(weekly.mail),
            "set_by": clean(weekly.set_by),
            "set_at": now,
            "problem": None,
        }
        insert = self._database.insert(weekly_summary).values(
            installation_id=weekly.installation_id, **told
        )
        with self._database.write() as connection:
            connection.execute(
                insert.on_conflict_do_update(index_elements=["installation_id"], set_=told)
            )

    def stop(self, installation_id: int) -> bool:
        """Forget a wish; ``False``: there was none."""
        gone = delete(weekly_summary).where(weekly_summary.c.installation_id == installation_id)
        with self._database.write() as connection:
            return connection.execute(gone).rowcount == 1

    def of(self, installation_id: int) -> WeeklyOrder | None:
        """Return an organization's wish; ``None``: it has none."""
        query = select(weekly_summary).where(weekly_summary.c.installation_id == installation_id)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _from_row(row)

    def all(self) -> tuple[WeeklyOrder, ...]:
        """Return all wishes."""
        query = select(weekly_summary).order_by(weekly_summary.c.installation_id)
        with self._database.read() as connection:
            return tuple(_from_row(row) for row in connection.execute(query))

    def claim(self, installation_id: int, week: str) -> bool:
        """Take the sending of a week; ``False``: it was sent, or another process sends it."""
        column = weekly_summary.c.claimed_week
        return self._change(
            installation_id, {"claimed_week": week}, or_(column.is_(None), column < week)
        )

    def give_back(self, installation_id: int, week: str, before: str | None, why: str) -> bool:
        """Take back a claim whose letter was surely not delivered."""
        return self._change(
            installation_id,
            {"claimed_week": before, "problem": clean(why)},
            weekly_summary.c.claimed_week == week,
        )

    def sent(self, installation_id: int, problem: str | None, *, now: datetime) -> None:
        """Note that a letter went out; ``problem``: nobody said that it came in."""
        self._change(installation_id, {"sent_at": now, "problem": clean(problem)})

    def _change(self, installation_id: int, values: dict[str, Any], *conditions: Any) -> bool:
        change = update(weekly_summary).where(
            weekly_summary.c.installation_id == installation_id, *conditions
        )
        with self._database.write() as connection:
            return connection.execute(change.values(values)).rowcount == 1


def _from_row(row: Row[Any]) -> WeeklyOrder:
    return WeeklyOrder(
        installation_id=row.installation_id,
        webhook=row.webhook,
        mail=row.mail,
        set_by=row.set_by,
        claimed_week=row.claimed_week,
        sent_at=row.sent_at,
        problem=row.problem,
    )
