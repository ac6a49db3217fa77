"""Which developers' machines report, by repository and week. It stores no evidence and no audit.

A low share means little if the people who wrote the lines send nothing; this shows which it is.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
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

from ghapp.attribution.model import Struct, Verdict
from ghapp.store.database import Database
from ghapp.store.rows import clean, struct_of
from ghapp.store.schema import MICROSECOND, edit_batch, machine_report, pull_summary

BEFORE, AFTER = timedelta(days=21), timedelta(days=2)
"""The documented window (rules.md 1). `CoverageTable.author` takes the window of a policy."""
WEEK = timedelta(days=7)
LOOKED_AT = 500
"""Latest pull requests that one query looks at: a page waits for it."""
EVERYWHERE = 0
"""Repository of a report that names none: it says only that the machine is there."""


class MachineReport(Struct, frozen=True):
    """A message from a machine: that it sent edits, or only that it is there."""

    installation_id: int
    user_id: int
    login: str
    machine: str
    client: str
    edits: int = 0
    repository_id: int | None = None
    """``None``: the message says only that it is there."""


class WeekCoverage(Struct, frozen=True):
    """Who reported for a repository in one week."""

    week: datetime
    """Its Monday, 00:00 UTC."""
    developers: tuple[str, ...]
    """Logins of the developers whose machines reported, sorted."""
    machines: int
    edits: int


class AuthorCoverage(StrEnum):
    """What we know of a pull request's author in the audit's window."""

    EVIDENCE = "evidence"
    """We have edits by the author."""
    REPORTING = "reporting"
    """No edits, but the author's machine reports: it had nothing to send."""
    UNNAMED = "unnamed"
    """We have edits without a developer, for example imported ones; some may be the author's."""
    NOTHING = "nothing"
    """We have nothing: the collector is not installed, is paused, or the work was done elsewhere.
    A low share then says nothing about the change."""


class PullCoverage(Struct, frozen=True):
    """A merged pull request, and what we know of its author."""

    repository_id: int
    pull_request: int
    merged_at: datetime
    author: str
    verdict: Verdict
    known: AuthorCoverage


class AuthorsHeard(Struct, frozen=True):
    """How many merged pull requests have an author whose machine sent nothing, and evidence."""

    pulls: int
    """Pull requests with a known author, at most `LOOKED_AT`."""
    without: int
    """Pull requests among them with `AuthorCoverage.NOTHING`."""
    no_evidence: int
    """Pull requests among them whose verdict is that there is no evidence of anybody."""
    neither: int
    """Pull requests that ``without`` and ``no_evidence`` both count."""

    @property
    def is_all(self) -> bool:
        """Return whether all pull requests of the selection were looked at."""
        return self.pulls < LOOKED_AT


class CoverageTable:
    """The reports of all machines, and the edits that they sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, reports: Iterable[MachineReport], *, now: datetime) -> None:
        """Store that machines reported. Reports of one week become one row with summed edits."""
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
        """Return who reported for a repository in the weeks of a time span, in order.

        It ignores machines that only said that they are there, and omits weeks without reports.
        """
        columns = machine_report.c
        query = (
            select(columns.week, columns.login, columns.machine, func.sum(columns.edits))
            .where(columns.repository_id == repository_id)
            .where(columns.week.between(monday(since), until))
            .group_by(columns.week, columns.login, columns.machine)
        )
        by_week: dict[datetime, list[tuple[str, str, int]]] = {}
        for week, login, machine, edits in self._database.rows(query):
            by_week.setdefault(week, []).append((login, machine, int(edits)))
        return tuple(_week(week, rows) for week, rows in sorted(by_week.items()))

    def author(
        self, repository_id: int, author: tuple[int, str], since: datetime, until: datetime
    ) -> AuthorCoverage:
        """Return what we know of an author, given by GitHub's number and login.

        It counts edits in this repository, and reports of the author's machines anywhere.
        """
        who = (literal(repository_id), literal(author[0]), literal(author[1]))
        known = _known(*who, monday(since), since, until)
        return AuthorCoverage(self._database.value(select(known)))

    def of_pull(self, repository_id: int, pull_request: int) -> AuthorCoverage | None:
        """Return what we know of a pull request's author; ``None``: the author is not known."""
        pull = pull_summary.c
        query = select(pull.merged_at, pull.author_id, pull.author).where(
            pull.repository_id == repository_id, pull.pull_request == pull_request
        )
        row = self._database.first(query)
        if row is None or row.author_id is None or row.author is None:
            return None
        window = (row.merged_at - BEFORE, row.merged_at + AFTER)
        return self.author(repository_id, (row.author_id, row.author), *window)

    def has_reported(self, user_id: int, repository_id: int) -> bool:
        """Say whether a machine of that person reported for that repository, in any week kept."""
        query = select(machine_report.c.id).where(
            machine_report.c.user_id == user_id, machine_report.c.repository_id == repository_id
        )
        return self._database.first(query.limit(1)) is not None

    def forget(self, login: str, user_id: int | None = None) -> int:
        """Delete a person's reports, by login in any case and by number; return how many."""
        is_theirs = func.lower(machine_report.c.login) == clean(login).lower()
        if user_id is not None:
            is_theirs = or_(is_theirs, machine_report.c.user_id == user_id)
        return self._database.execute(delete(machine_report).where(is_theirs))

    def expire(self, before: datetime) -> int:
        """Delete the reports of weeks that ended before that instant; return how many."""
        return self._database.execute(
            delete(machine_report).where(machine_report.c.week < before - WEEK)
        )


def monday(at: datetime) -> datetime:
    """Return the first instant of the week that contains a time: Monday 00:00 UTC."""
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


Asked = Sequence[ColumnElement[bool]]
"""Conditions on ``pull_summary``, of `ghapp.store.summaries.conditions`."""


def heard(connection: Connection, asked: Asked) -> AuthorsHeard:
    """Return how many of the latest pull requests that meet the conditions have a silent author."""
    rows = _of_pulls(asked).subquery()
    query = select(rows.c.known, rows.c.verdict, func.count().label("pulls")).group_by(
        rows.c.known, rows.c.verdict
    )
    found = connection.execute(query).all()

    def count(*, silent: bool = False, unknown: bool = False) -> int:
        return sum(
            row.pulls
            for row in found
            if (not silent or row.known == AuthorCoverage.NOTHING.value)
            and (not unknown or row.verdict == Verdict.NO_EVIDENCE.value)
        )

    return AuthorsHeard(
        pulls=count(),
        without=count(silent=True),
        no_evidence=count(unknown=True),
        neither=count(silent=True, unknown=True),
    )


def silent(connection: Connection, asked: Asked, most: int) -> tuple[PullCoverage, ...]:
    """Return those of the latest pull requests that meet the conditions whose author is silent."""
    rows = _of_pulls(asked).subquery()
    query = (
        select(rows)
        .where(rows.c.known == AuthorCoverage.NOTHING.value)
        .order_by(rows.c.merged_at.desc(), rows.c.repository_id, rows.c.pull_request)
        .limit(most)
    )
    return tuple(struct_of(PullCoverage, row) for row in connection.execute(query))


def _of_pulls(asked: Asked) -> Select[Any]:
    """Select the latest merged pull requests with a known author, and what we know of it."""
    latest = (
        select(pull_summary)
        .where(*asked, pull_summary.c.author_id.is_not(None), pull_summary.c.author.is_not(None))
        .order_by(pull_summary.c.merged_at.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    pull = latest.c
    # As numbers: instants are integers in the database, which cannot add a timedelta to them.
    merged_at = type_coerce(pull.merged_at, BigInteger)
    first, last = merged_at - BEFORE // MICROSECOND, merged_at + AFTER // MICROSECOND
    week = first - WEEK // MICROSECOND
    known = _known(pull.repository_id, pull.author_id, pull.author, week, first, last)
    return select(
        pull.repository_id,
        pull.pull_request,
        pull.merged_at,
        pull.author,
        pull.verdict,
        known.label("known"),
    )


def _known(  # noqa: PLR0913, PLR0917 - a person, a repository and a time span
    repository_id: Any, author_id: Any, author: Any, week: Any, since: Any, until: Any
) -> Any:
    """Return the SQL expression of what we know of one author in one window.

    ``week``: reports of weeks that begin then or later belong to the window.
    """
    edit, report = edit_batch.c, machine_report.c
    of_window = and_(edit.repository_id == repository_id, edit.at.between(since, until))
    sent = exists().where(of_window, edit.actor_id == author_id)
    # Imported edits have a login at most. One index answers all three conditions.
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
