"""What machines say of agents, by agent and version: numbers and days, no edit and no path.

A version with agent sessions and without edits is how a changed format is noticed.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, case, delete, func, literal, or_, select

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import agent_report

FIRST_DAY = date(1970, 1, 1)
A_WEEKEND = timedelta(days=3)
"""How long people may only ask and read before an agent's version counts as silent."""


class AgentReport(Struct, frozen=True):
    """What one machine saw of one version of an agent in a week."""

    installation_id: int
    user_id: int
    login: str
    machine: str
    agent: str
    version: str | None
    """``None``: not recorded."""
    transcripts: int
    edits: int
    seen_on: date
    last_edit_on: date | None
    """``None``: no edit was read."""


class AgentSeen(Struct, frozen=True):
    """What all machines together saw of one version of an agent."""

    agent: str
    version: str | None
    """``None``: not recorded."""
    machines: int
    transcripts: int
    """In each machine's last report."""
    edits: int
    """The same; they are read in all folders, not only in repositories that send evidence."""
    seen_on: date
    last_edit_on: date | None
    """Day of the last edit in any report; ``None``: none was ever read."""

    @property
    def is_silent(self) -> bool:
        """Whether there are newer agent sessions than edits: the format may have changed.

        A new version is silent from its first session on, a version with edits after `A_WEEKEND`.
        """
        return self.last_edit_on is None or self.seen_on - self.last_edit_on > A_WEEKEND


class AgentReports:
    """The last report of each machine about each version of an agent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, reports: Iterable[AgentReport], *, now: datetime) -> None:
        """Store reports; the day of the last edit stays known if a later week has no edit."""
        rows = [_row(report, now) for report in reports]
        if not rows:
            return
        insert, columns = self._database.insert(agent_report), agent_report.c
        new = insert.excluded
        earlier = func.coalesce(columns.last_edit_on, literal(-1))
        later = case((new.last_edit_on > earlier, new.last_edit_on), else_=columns.last_edit_on)
        statement = insert.on_conflict_do_update(
            index_elements=["installation_id", "user_id", "machine", "agent", "version"],
            set_={
                "login": new.login,
                "transcripts": new.transcripts,
                "edits": new.edits,
                "seen_on": new.seen_on,
                "last_edit_on": later,
                "reported_at": new.reported_at,
            },
        )
        with self._database.write() as connection:
            connection.execute(statement, rows)

    def seen(self, since: datetime) -> tuple[AgentSeen, ...]:
        """Return what machines saw that reported since then, by agent, the newest version first."""
        columns = agent_report.c
        query = (
            select(
                columns.agent,
                columns.version,
                func.count(columns.machine.distinct()).label("machines"),
                func.sum(columns.transcripts).label("transcripts"),
                func.sum(columns.edits).label("edits"),
                func.max(columns.seen_on).label("seen_on"),
                func.max(columns.last_edit_on).label("last_edit_on"),
            )
            .where(columns.reported_at >= since)
            .group_by(columns.agent, columns.version)
        )
        found = [_seen(row) for row in self._database.rows(query)]
        return tuple(
            sorted(found, key=lambda one: (one.agent, -one.seen_on.toordinal(), one.version or ""))
        )

    def forget(self, login: str, user_id: int | None = None) -> int:
        """Delete a person's reports, by login in any case and by number; return how many."""
        is_theirs = func.lower(agent_report.c.login) == clean(login).lower()
        if user_id is not None:
            is_theirs = or_(is_theirs, agent_report.c.user_id == user_id)
        return self._database.execute(delete(agent_report).where(is_theirs))

    def expire(self, before: datetime) -> int:
        """Delete the reports made before that instant; return how many."""
        return self._database.execute(
            delete(agent_report).where(agent_report.c.reported_at < before)
        )


def _row(report: AgentReport, now: datetime) -> dict[str, Any]:
    return {
        "installation_id": report.installation_id,
        "user_id": report.user_id,
        "machine": report.machine,
        "agent": clean(report.agent),
        "version": clean(report.version) or "",
        "login": clean(report.login),
        "transcripts": report.transcripts,
        "edits": report.edits,
        "seen_on": (report.seen_on - FIRST_DAY).days,
        "last_edit_on": None
        if report.last_edit_on is None
        else (report.last_edit_on - FIRST_DAY).days,
        "reported_at": now,
    }


def _seen(row: Row[Any]) -> AgentSeen:
    last = row.last_edit_on
    return AgentSeen(
        agent=row.agent,
        version=row.version or None,
        machines=row.machines,
        transcripts=int(row.transcripts),
        edits=int(row.edits),
        seen_on=FIRST_DAY + timedelta(days=row.seen_on),
        last_edit_on=None if last is None else FIRST_DAY + timedelta(days=last),
    )
