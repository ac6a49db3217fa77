"""Which developers' machines report, by repository and week. It holds no evidence and no audit.

A share says little where the people who wrote the lines send nothing: this tells the two apart.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Row,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
)

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.id_sets import among
from ghapp.store.rows import clean
from ghapp.store.schema import MICROSECOND, edit_batch, machine_report, pull_summary

BEFORE, AFTER = timedelta(days=21), timedelta(days=2)
"""The documented window (rules.md 1); a policy's own is asked for by `CoverageTable.author`."""
WEEK = timedelta(days=7)
LOOKED_AT = 500
"""Pull requests, the latest, whose authors are looked at for one answer: a page waits for it."""
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
    UNNAMED = "unnamed"
    """Edits are there that name no developer, as imported ones may: some can be the author's."""
    NOTHING = "nothing"
    """Nothing was heard: the collector is not installed there, paused, or the work was done
    elsewhere. A low share is then no fact about the change."""


class PullCoverage(Struct, frozen=True):
    """A merged pull request, and what is known of its author."""

    repository_id: int
    pull_request: int
    merged_at: datetime
    author: str
    known: AuthorCoverage


class AuthorsHeard(Struct, frozen=True):
    """How many merged pull requests have an author of whom something was heard."""

    pulls: int
    """Those whose author is known, `LOOKED_AT` of them at most."""
    without: int
    """Those of them with `AuthorCoverage.NOTHING`."""

    @property
    def is_all(self) -> bool:
        """Say whether there are no more pull requests in that time than were looked at."""
        return self.pulls < LOOKED_AT


class CoverageTable:
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

    def author(
        self, repository_id: int, author: tuple[int, str], since: datetime, until: datetime
    ) -> AuthorCoverage:
        """Return what is known of an author, given by GitHub's number and login.

        Counted are edits in this repository, and reports of the author's machines for any.
        """
        who = (literal(repository_id), literal(author[0]), literal(author[1]))
        known = _known(*who, monday(since), since, until)
        with self._database.read() as connection:
            return AuthorCoverage(connection.execute(select(known)).scalar_one())

    def pulls(
        self, repository_ids: Collection[int], since: datetime, until: datetime, most: int = 100
    ) -> tuple[PullCoverage, ...]:
        """Return those of the latest `LOOKED_AT` of whose author nothing was heard."""
        rows = _of_pulls(repository_ids, since, until).subquery()
        query = (
            select(rows)
            .where(rows.c.known == AuthorCoverage.NOTHING.value)
            .order_by(rows.c.merged_at.desc(), rows.c.repository_id, rows.c.pull_request)
            .limit(most)
        )
        with self._database.read() as connection:
            return tuple(_pull(row) for row in connection.execute(query))

    def of_pull(self, repository_id: int, pull_request: int) -> AuthorCoverage | None:
        """Return what is known of a pull request's author; ``None``: who it is, is not."""
        pull = pull_summary.c
        query = select(pull.merged_at, pull.author_id, pull.author).where(
            pull.repository_id == repository_id, pull.pull_request == pull_request
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None or row.author_id is None or row.author is None:
            return None
        window = (row.merged_at - BEFORE, row.merged_at + AFTER)
        return self.author(repository_id, (row.author_id, row.author), *window)

    def covered(
        self, repository_ids: Collection[int], since: datetime, until: datetime
    ) -> AuthorsHeard:
        """Return how many of the latest that were merged in a time have a silent author."""
        rows = _of_pulls(repository_ids, since, until).subquery()
        query = select(rows.c.known, func.count().label("pulls")).group_by(rows.c.known)
        with self._database.read() as connection:
            counts = {row.known: int(row.pulls) for row in connection.execute(query)}
        nothing = counts.get(AuthorCoverage.NOTHING.value, 0)
        return AuthorsHeard(pulls=sum(counts.values()), without=nothing)

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


def _pull(row: Row[Any]) -> PullCoverage:
    return PullCoverage(
        repository_id=row.repository_id,
        pull_request=row.pull_request,
        merged_at=row.merged_at,
        author=row.author,
        known=AuthorCoverage(row.known),
    )


def _of_pulls(repository_ids: Collection[int], since: datetime, until: datetime) -> Select[Any]:
    """Select the latest merged pull requests whose author is known, and what is known."""
    latest = (
        select(pull_summary)
        .where(
            among(pull_summary.c.repository_id, repository_ids),
            pull_summary.c.merged_at.between(since, until),
            pull_summary.c.author_id.is_not(None),
            pull_summary.c.author.is_not(None),
        )
        .order_by(pull_summary.c.merged_at.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    pull = latest.c
    # As numbers: the databases add no timedelta to what they keep as one.
    merged_at = type_coerce(pull.merged_at, BigInteger)
    first, last = merged_at - BEFORE // MICROSECOND, merged_at + AFTER // MICROSECOND
    week = first - WEEK // MICROSECOND
    known = _known(pull.repository_id, pull.author_id, pull.author, week, first, last)
    return select(
        pull.repository_id, pull.pull_request, pull.merged_at, pull.author, known.label("known")
    )


def _known(  # noqa: PLR0913, PLR0917 - a person, a place and a time
    repository_id: Any, author_id: Any, author: Any, week: Any, since: Any, until: Any
) -> Any:
    """Return the expression that says what is known of one author in one window.

    ``week`` is where the first week begins, or earlier, whose reports are of the window.
    """
    edit, report = edit_batch.c, machine_report.c
    of_window = and_(edit.repository_id == repository_id, edit.at.between(since, until))
    sent = exists().where(of_window, edit.actor_id == author_id)
    # Imported edits know a login at most; all three questions are answered by one index.
    imported = exists().where(
        of_window, edit.actor_id.is_(None), func.lower(edit.actor) == func.lower(author)
    )
    unnamed = exists().where(of_window, edit.actor_id.is_(None), edit.actor.is_(None))
    reports = exists().where(report.user_id == author_id, report.week.between(week, until))
    return case(
        (or_(sent, imported), AuthorCoverage.EVIDENCE.value),
        (reports, AuthorCoverage.REPORTING.value),
        (unnamed, AuthorCoverage.UNNAMED.value),
        else_=AuthorCoverage.NOTHING.value,
    )
