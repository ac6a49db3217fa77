"""How many pull requests an installation may merge in the hour to come. It plans nothing."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.schema import pull_summary, repository, work_item

HOUR, QUARTER, DAY = timedelta(hours=1), timedelta(minutes=15), timedelta(days=1)


class MergeRate(Struct, frozen=True):
    """Pull requests of one hour."""

    merged: int
    assisted: int
    """Those that an agent had a part in."""


class MergeRates:
    """Rates of merges, from the audits in force and the audits that are due."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def expected(self, installation_id: int, now: datetime) -> MergeRate:
        """Return what the hour to come may bring: the most of three hours that are known.

        They are the last hour with all audits that are due, the last quarter of an hour four times,
        and the hour that followed this time of yesterday.
        """
        merged_at = pull_summary.c.merged_at
        spans = (
            merged_at > now - HOUR,
            merged_at > now - QUARTER,
            merged_at <= now - DAY + HOUR,
            merged_at > now - DAY,
        )
        is_assisted = pull_summary.c.verdict == "assisted"
        counts = [
            column for span in spans for column in (_count(span), _count(and_(span, is_assisted)))
        ]
        query = (
            select(*counts)
            .join(repository, repository.c.id == pull_summary.c.repository_id)
            .where(repository.c.installation_id == installation_id, merged_at > now - DAY)
        )
        found = [int(one or 0) for one in self._database.first(query) or (0,) * len(counts)]
        due = self._due(installation_id, now)
        day, day_assisted = found[6:]
        due_assisted = -(-due * day_assisted // day) if day else due
        return MergeRate(
            merged=max(found[0] + due, 4 * found[2], found[4]),
            assisted=max(found[1] + due_assisted, 4 * found[3], found[5]),
        )

    def _due(self, installation_id: int, now: datetime) -> int:
        """Count pull requests whose first audit is due."""
        query = select(func.count()).where(
            work_item.c.installation_id == installation_id,
            work_item.c.kind == "audit",
            work_item.c.state == "waiting",
            work_item.c.due_at <= now,
        )
        row = self._database.first(query)
        return 0 if row is None else int(row[0])


def _count(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))
