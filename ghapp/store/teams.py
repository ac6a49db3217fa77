"""Who is in which team of an account, by source.

`ghapp.store.summaries.conditions` decides which source counts.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import clean, struct_of
from ghapp.store.schema import installation, pull_lines, pull_summary, team_member
from ghapp.store.summaries.conditions import same_pull, to_day
from ghapp.store.summaries.tally import day_number
from ghapp.summaries.teams import TeamMember, TeamSource


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
        rows = {
            member.login.lower(): {
                "account_lower": account_lower,
                "source": source.value,
                "login_lower": clean(member.login).lower(),
                "login": clean(member.login),
                "team": clean(member.team),
                "role": clean(member.role),
                "since": None if member.since is None else day_number(member.since),
                "cost_center": clean(member.cost_center),
            }
            for member in members
        }
        old = delete(team_member).where(
            team_member.c.account_lower == account_lower, team_member.c.source == source.value
        )
        with self._database.write() as connection:
            self._database.lock(connection, f"teams:{account_lower}")
            connection.execute(old)
            if rows:
                connection.execute(self._database.insert(team_member), list(rows.values()))
        return len(rows)

    def of(self, account: str) -> dict[TeamSource, tuple[TeamMember, ...]]:
        """Return what each source says about an account, people by login."""
        query = (
            select(team_member)
            .where(team_member.c.account_lower == clean(account).lower())
            .order_by(team_member.c.login_lower)
        )
        found: dict[TeamSource, tuple[TeamMember, ...]] = {}
        for row in self._database.rows(query):
            since = None if row.since is None else to_day(row.since)
            source, member = TeamSource(row.source), struct_of(TeamMember, row, since=since)
            found[source] = (*found.get(source, ()), member)
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


def cost_centers(connection: Connection, installation_id: int) -> dict[str, str]:
    """Return the cost centers of an organization's people, by login in lower case."""
    columns = team_member.c
    query = (
        select(columns.login_lower, columns.cost_center)
        .join(installation, func.lower(installation.c.account) == columns.account_lower)
        .where(installation.c.id == installation_id, columns.cost_center.is_not(None))
    )
    return {row.login_lower: row.cost_center for row in connection.execute(query)}
