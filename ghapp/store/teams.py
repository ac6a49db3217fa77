"""Who is in which team of an account, by source.

`ghapp.store.summaries.conditions` decides which source counts.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Delete, Row, Select, delete, false, func, select

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import chunks, clean, struct_of
from ghapp.store.schema import (
    ALWAYS,
    installation,
    pull_lines,
    pull_summary,
    team_counting,
    team_member,
)
from ghapp.store.summaries.conditions import same_pull, to_day
from ghapp.store.summaries.tally import day_number
from ghapp.summaries.teams import PersonChange, Stretches, TeamMember, TeamSource, changed


class LinesWritten(Struct, frozen=True):
    """Lines that one person merged into the files of one directory."""

    login: str
    directory: str
    """``.``: the top."""
    lines: int
    """Effective lines."""


class TeamTable:
    """The teams of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(self, account: str, source: TeamSource, members: Iterable[TeamMember]) -> int:
        """Replace everything that a source says about an account; return how many people."""
        account_lower = clean(account).lower()
        rows = {one.login.lower(): _row(account_lower, source, one) for one in members}
        with self._database.write() as connection:
            self._database.lock(connection, f"teams:{account_lower}")
            connection.execute(_said(account_lower, source))
            if rows:
                connection.execute(self._database.insert(team_member), list(rows.values()))
        return len(rows)

    def import_table(
        self, account: str, members: Iterable[TeamMember], day: date, *, dry: bool = False
    ) -> tuple[PersonChange, ...]:
        """Take over a table that holds as of a day, whole or not at all; return what changes.

        The days before stay as they are known. ``dry``: change nothing.
        """
        account_lower, source = clean(account).lower(), TeamSource.CSV
        with self._database.write() as connection:
            self._database.lock(connection, f"teams:{account_lower}")
            known = _stretches(connection, account_lower)
            changes = tuple(changed(known, members, day))
            if not dry:
                self._take(connection, account_lower, source, changes)
        return changes

    def _take(
        self,
        connection: Connection,
        account_lower: str,
        source: TeamSource,
        changes: Iterable[PersonChange],
    ) -> None:
        found = {one.login.lower(): one for one in changes}
        for chunk in chunks(sorted(found)):
            of_these = team_member.c.login_lower.in_(chunk)
            connection.execute(_said(account_lower, source).where(of_these))
        rows = [
            _row(account_lower, source, stretch) for one in found.values() for stretch in one.after
        ]
        if rows:
            connection.execute(self._database.insert(team_member), rows)

    def counts_then(self, account: str) -> bool:
        """Return whether numbers of the past count people where they were then."""
        columns = team_counting.c
        query = select(columns.of_then).where(columns.account_lower == clean(account).lower())
        return any(row.of_then for row in self._database.rows(query))

    def count_then(self, account: str, *, of_then: bool) -> None:
        """Say whether numbers of the past count people where they were then, or where they are."""
        row = {"account_lower": clean(account).lower(), "of_then": of_then}
        insert = self._database.insert(team_counting).values(row)
        with self._database.write() as connection:
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["account_lower"], set_={"of_then": of_then}
                )
            )

    def of(self, account: str) -> dict[TeamSource, tuple[TeamMember, ...]]:
        """Return what each source says about an account: people by login, the oldest days first."""
        found: dict[TeamSource, tuple[TeamMember, ...]] = {}
        for row in self._database.rows(_asked(clean(account).lower())):
            source = TeamSource(row.source)
            found[source] = (*found.get(source, ()), _member(row))
        return found

    def written(self, repository_id: int, since: datetime) -> tuple[LinesWritten, ...]:
        """Return who merged lines into which directory of a repository since then."""
        summed = func.sum(pull_lines.c.effective)
        query = (
            select(pull_summary.c.author, pull_lines.c.directory, summed)
            .join_from(pull_lines, pull_summary, same_pull(pull_lines))
            .where(
                pull_lines.c.repository_id == repository_id,
                pull_lines.c.merged_at >= since,
                pull_summary.c.author.is_not(None),
            )
            .group_by(pull_summary.c.author, pull_lines.c.directory)
            .having(summed > 0)
        )
        rows = self._database.rows(query)
        return tuple(LinesWritten(login, directory, int(lines)) for login, directory, lines in rows)


def _row(account_lower: str, source: TeamSource, member: TeamMember) -> dict[str, Any]:
    return {
        "account_lower": account_lower,
        "source": source.value,
        "login_lower": clean(member.login).lower(),
        "login": clean(member.login),
        "team": clean(member.team),
        "role": clean(member.role),
        "location": clean(member.location),
        "since": ALWAYS if member.since is None else day_number(member.since),
        "until": None if member.until is None else day_number(member.until),
        "cost_center": clean(member.cost_center),
    }


def _member(row: Row[Any]) -> TeamMember:
    since = None if row.since == ALWAYS else to_day(row.since)
    until = None if row.until is None else to_day(row.until)
    return struct_of(TeamMember, row, since=since, until=until)


def _said(account_lower: str, source: TeamSource) -> Delete:
    """Return the statement that deletes what a source says about an account."""
    columns = team_member.c
    return delete(team_member).where(
        columns.account_lower == account_lower, columns.source == source.value
    )


def _asked(account_lower: str) -> Select[Any]:
    columns = team_member.c
    query = select(team_member).where(columns.account_lower == account_lower)
    return query.order_by(columns.login_lower, columns.since)


def _stretches(connection: Connection, account_lower: str) -> dict[str, Stretches]:
    """Return what tables have said of each person, by login in lower case."""
    query = _asked(account_lower).where(team_member.c.source == TeamSource.CSV.value)
    found: dict[str, list[TeamMember]] = {}
    for row in connection.execute(query):
        found.setdefault(row.login_lower, []).append(_member(row))
    return {login: tuple(own) for login, own in found.items()}


def cost_centers(
    connection: Connection, installation_id: int, days: Iterable[date]
) -> dict[date, dict[str, str]]:
    """Return the cost centers of an organization's people on some days, by login in lower case.

    Where the organization counts people where they are now, those of their last days.
    """
    columns = team_member.c
    account = func.lower(installation.c.account)
    query = (
        select(columns.login_lower, columns.since, columns.until, columns.cost_center)
        .add_columns(func.coalesce(team_counting.c.of_then, false()).label("of_then"))
        .join(installation, account == columns.account_lower)
        .outerjoin(team_counting, team_counting.c.account_lower == columns.account_lower)
        .where(installation.c.id == installation_id, columns.source == TeamSource.CSV.value)
        .order_by(columns.since)
    )
    rows = connection.execute(query).all()
    return {day: _centers_on(day_number(day), rows) for day in days}


def _centers_on(number: int, rows: Iterable[Row[Any]]) -> dict[str, str]:
    """Return the cost centers of a day, by its number."""
    found = {
        row.login_lower: row.cost_center
        for row in rows
        if not row.of_then or row.since <= number <= (row.until or number)
    }
    return {login: center for login, center in found.items() if center is not None}
