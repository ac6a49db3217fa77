"""Which developers' machines report, by repository and week. It holds no evidence and no audit.

A share says little where the people who wrote the lines send nothing: this tells the two apart.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, func, or_, select

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import edit_batch, machine_report

EVERYWHERE = 0
"""Stands for the repository in a report that is about no single one: the machine is there."""


class MachineReport(Struct, frozen=True):
    """That a machine sent something, be it only that it is there."""

    installation_id: int
    user_id: int
    login: str
    machine: str
    client: str
    edits: int = 0
    repository_id: int | None = None
    """``None``: it said only that it is there."""


class WeekCoverage(Struct, frozen=True):
    """Who reported for a repository in one week."""

    week: datetime
    """Its Monday, 00:00 UTC."""
    developers: tuple[str, ...]
    """Logins of those whose machines reported, by name."""
    machines: int
    edits: int


class AuthorCoverage(StrEnum):
    """What is known of a pull request's author, in the window of its audit."""

    EVIDENCE = "evidence"
    """Edits by the author are there."""
    REPORTING = "reporting"
    """No edits, though the author's machine reports: there was nothing to send."""
    NOTHING = "nothing"
    """Nothing was heard: the collector is not installed there, paused, or the work was done
    elsewhere. A low share is then no fact about the change."""


class Coverage:
    """The reports of all machines, beside the edits that they sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, reports: Iterable[MachineReport], *, now: datetime) -> None:
        """Note that machines reported; several reports of a week are one, their edits summed."""
        rows = [_row(report, now) for report in reports]
        if not rows:
            return
        insert = self._database.insert(machine_report)
        new = insert.excluded
        statement = insert.on_conflict_do_update(
            index_elements=["installation_id", "repository_id", "week", "user_id", "machine"],
            set_={
                "edits": machine_report.c.edits + new.edits,
                "login": new.login,
                "client": new.client,
                "last_at": new.last_at,
            },
        )
        with self._database.write() as connection:
            connection.execute(statement, rows)

    def weeks(
        self, repository_id: int, since: datetime, until: datetime
    ) -> tuple[WeekCoverage, ...]:
        """Return who reported for a repository in the weeks of a time, in order.

        Machines that only said that they are there are not among them. Weeks in which nobody
        reported are left out.
        """
        columns = machine_report.c
        query = (
            select(columns.week, columns.login, columns.machine, func.sum(columns.edits))
            .where(columns.repository_id == repository_id)
            .where(columns.week.between(monday(since), until))
            .group_by(columns.week, columns.login, columns.machine)
        )
        by_week: dict[datetime, list[tuple[str, str, int]]] = {}
        with self._database.read() as connection:
            for week, login, machine, edits in connection.execute(query):
                by_week.setdefault(week, []).append((login, machine, int(edits)))
        return tuple(_week(week, rows) for week, rows in sorted(by_week.items()))

    def authors(
        self,
        repository_id: int,
        authors: Iterable[tuple[int, str]],
        since: datetime,
        until: datetime,
    ) -> dict[int, AuthorCoverage]:
        """Return what is known of each author, given by GitHub's number and login.

        Counted are edits in this repository, and reports of the author's machines for any.
        """
        people = dict(authors)
        if not people:
            return {}
        with self._database.read() as connection:
            edited = connection.execute(_editors(repository_id, people, since, until)).all()
            reported = set(connection.execute(_reporters(people, since, until)).scalars())
        ids = {row.actor_id for row in edited}
        logins = {row.login for row in edited}
        return {
            number: AuthorCoverage.EVIDENCE
            if number in ids or login.lower() in logins
            else AuthorCoverage.REPORTING
            if number in reported
            else AuthorCoverage.NOTHING
            for number, login in people.items()
        }

    def repositories_of(self, user_id: int, installation_id: int, most: int) -> tuple[int, ...]:
        """Return the repositories that a person's machines reported for last."""
        columns = machine_report.c
        query = (
            select(columns.repository_id)
            .where(columns.user_id == user_id, columns.installation_id == installation_id)
            .where(columns.repository_id != EVERYWHERE)
            .group_by(columns.repository_id)
            .order_by(func.max(columns.last_at).desc())
            .limit(most)
        )
        with self._database.read() as connection:
            return tuple(connection.execute(query).scalars())

    def forget(self, login: str, user_id: int | None = None) -> int:
        """Delete a person's reports, by login in any case and by number; return how many."""
        is_theirs = func.lower(machine_report.c.login) == clean(login).lower()
        if user_id is not None:
            is_theirs = or_(is_theirs, machine_report.c.user_id == user_id)
        with self._database.write() as connection:
            return connection.execute(delete(machine_report).where(is_theirs)).rowcount

    def expire(self, before: datetime) -> int:
        """Delete the reports of weeks that ended before that instant; return how many."""
        over = machine_report.c.week < before - timedelta(days=7)
        with self._database.write() as connection:
            return connection.execute(delete(machine_report).where(over)).rowcount


def monday(at: datetime) -> datetime:
    """Return the first instant of a time's week, which begins on Monday in UTC."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def _row(report: MachineReport, now: datetime) -> dict[str, Any]:
    return {
        "installation_id": report.installation_id,
        "repository_id": report.repository_id or EVERYWHERE,
        "week": monday(now),
        "user_id": report.user_id,
        "machine": report.machine,
        "login": clean(report.login),
        "client": clean(report.client),
        "edits": report.edits,
        "last_at": now,
    }


def _week(week: datetime, rows: list[tuple[str, str, int]]) -> WeekCoverage:
    return WeekCoverage(
        week=week,
        developers=tuple(sorted({login for login, _, _ in rows})),
        machines=len({machine for _, machine, _ in rows}),
        edits=sum(edits for _, _, edits in rows),
    )


def _editors(repository_id: int, people: dict[int, str], since: datetime, until: datetime) -> Any:
    login = func.lower(edit_batch.c.actor).label("login")
    named = [one.lower() for one in people.values()]
    return (
        select(edit_batch.c.actor_id, login)
        .where(edit_batch.c.repository_id == repository_id)
        .where(edit_batch.c.at.between(since, until))
        .where(or_(edit_batch.c.actor_id.in_(list(people)), login.in_(named)))
        .distinct()
    )


def _reporters(people: dict[int, str], since: datetime, until: datetime) -> Any:
    return (
        select(machine_report.c.user_id)
        .where(machine_report.c.user_id.in_(list(people)))
        .where(machine_report.c.week.between(monday(since), until))
        .distinct()
    )
