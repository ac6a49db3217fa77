"""Deployments, the commits that each brought to production, and incidents.

What arrives late, twice or out of order leaves the same rows: a deployment keeps the earliest time
of each result, an incident the latest word, and which commits a deployment brought is read again
when another one takes its place in the row (`unread`).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, delete, or_, select, true, update

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.id_sets import among
from ghapp.store.rows import clean
from ghapp.store.schema import (
    audit,
    deployed_commit,
    deployment,
    deployment_choice,
    incident,
    outcome,
    pull_summary,
)
from ghapp.store.summaries.conditions import into_default, midnight, same_pull
from ghapp.summaries.dora import (
    DeployedChange,
    DeploymentSource,
    DoraFigures,
    IncidentSource,
    IncidentSpan,
    ProductionDeployment,
    dora,
)

LABEL = "incident"
"""The label of issues that are incidents, until an organization chooses others."""
ONE_DAY = timedelta(days=1)


class DeploymentTold(Struct, frozen=True, kw_only=True):
    """What somebody said of a deployment; several such make one."""

    source: DeploymentSource
    external_id: str
    """Its name at the source, unique in its repository."""
    environment: str
    is_production: bool
    revision: str
    """Commit, or name of a tag."""
    succeeded_at: datetime | None = None
    """``None``: this says nothing of a success."""
    failed_at: datetime | None = None


class IncidentTold(Struct, frozen=True, kw_only=True):
    """What somebody said of an incident; the latest word counts."""

    source: IncidentSource
    external_id: str
    is_incident: bool = True
    """Whether it is one, still: an issue may lose its label."""
    opened_at: datetime
    resolved_at: datetime | None = None
    """``None``: it is open."""
    told_at: datetime
    """As of when this holds."""


class DeploymentStep(Struct, frozen=True):
    """A deployment, and the one before it in its environment, whose commits it has already."""

    source: DeploymentSource
    external_id: str
    revision: str
    before: str
    """Revision of the one before."""


class DeploymentChoice(Struct, frozen=True):
    """What an organization counts as deployments and as incidents."""

    workflows: tuple[str, ...] = ()
    """Names of GitHub workflows whose successful runs are deployments to production."""
    labels: tuple[str, ...] = (LABEL,)
    """Labels, in any case of letters, of issues that are incidents."""


class DeploymentTable:
    """Deployments and incidents of all repositories. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- what arrives -----------------------------------------------------------------------------

    def told(self, repository_id: int, word: DeploymentTold) -> None:
        """Store what was said of a deployment: of each result the earliest time counts."""
        key = _key(repository_id, word.source, word.external_id)
        said = {
            "environment": clean(word.environment),
            "is_production": word.is_production,
            "revision": clean(word.revision),
        }
        times = {"succeeded_at": word.succeeded_at, "failed_at": word.failed_at}
        with self._database.write() as connection:
            insert = self._database.insert(deployment).values({**key, **said, **times})
            # Who tells first what it is of is believed: a name is not used for two deployments.
            connection.execute(insert.on_conflict_do_nothing())
            for name, at in times.items():
                if at is None:
                    continue
                column = deployment.c[name]
                earlier = and_(*_is(deployment, key), or_(column.is_(None), column > at))
                connection.execute(update(deployment).where(earlier).values({name: at}))

    def told_incident(self, repository_id: int, word: IncidentTold) -> None:
        """Store what was said of an incident, if nothing later is known.

        Of two words of one instant the one counts that says it is over.
        """
        key = _key(repository_id, word.source, word.external_id)
        values = {
            "is_incident": word.is_incident,
            "opened_at": word.opened_at,
            "resolved_at": word.resolved_at,
            "told_at": word.told_at,
        }
        with self._database.write() as connection:
            self._database.lock(connection, f"incident:{repository_id}")
            row = connection.execute(select(incident).where(*_is(incident, key))).first()
            if row is not None and _rank(row) >= _rank(word):
                return
            insert = self._database.insert(incident).values({**key, **values})
            connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=values))

    # --- which commits each brought ---------------------------------------------------------------

    def unread(self, repository_id: int) -> tuple[DeploymentStep, ...]:
        """Return the deployments to production whose commits are not known, oldest first.

        They were never read, or another deployment has come between: an environment's deployments
        stand in a row by the time of their success, and each brought what the one before had not.
        The first brought everything before our time, so nothing is said of its commits.
        """
        with self._database.read() as connection:
            rows = _production(connection, (repository_id,))
        return tuple(
            DeploymentStep(DeploymentSource(row.source), row.external_id, row.revision, before)
            for row, before in _in_a_row(rows)
            if before is not None and row.read_after != before
        )

    def keep_commits(self, repository_id: int, step: DeploymentStep, shas: Iterable[str]) -> None:
        """Store which commits a deployment brought, in the place of what was stored before."""
        key = _key(repository_id, step.source, step.external_id)
        rows = [{**key, "sha": clean(sha)} for sha in sorted(set(shas))]
        with self._database.write() as connection:
            connection.execute(delete(deployed_commit).where(*_is(deployed_commit, key)))
            if rows:
                connection.execute(self._database.insert(deployed_commit), rows)
            read = update(deployment).where(*_is(deployment, key))
            connection.execute(read.values(read_after=step.before))

    # --- what an organization chose ---------------------------------------------------------------

    def choose(
        self, installation_id: int, choice: DeploymentChoice, *, by: str, now: datetime
    ) -> None:
        """Store what an organization counts from now on; what is stored stays."""
        values = {
            "workflows": msgspec.json.encode(choice.workflows).decode(),
            "labels": msgspec.json.encode(choice.labels).decode(),
            "set_by": clean(by),
            "set_at": now,
        }
        insert = self._database.insert(deployment_choice)
        statement = insert.values({"installation_id": installation_id, **values})
        self._database.execute(
            statement.on_conflict_do_update(index_elements=["installation_id"], set_=values)
        )

    def choice(self, installation_id: int) -> DeploymentChoice:
        """Return what an organization counts."""
        mine = deployment_choice.c.installation_id == installation_id
        row = self._database.first(select(deployment_choice).where(mine))
        if row is None:
            return DeploymentChoice()
        workflows, labels = (
            msgspec.json.decode(text, type=tuple[str, ...]) for text in (row.workflows, row.labels)
        )
        return DeploymentChoice(workflows, labels)


def figures(
    connection: Connection, repository_ids: tuple[int, ...], since: date, until: date
) -> DoraFigures:
    """Return the DORA metrics of some repositories."""
    rows = _production(connection, repository_ids)
    return dora(
        [ProductionDeployment(row.repository_id, row.succeeded_at) for row in rows],
        _incidents(connection, repository_ids),
        _changes(connection, repository_ids, since, until),
        since=since,
        until=until,
    )


def _production(connection: Connection, repository_ids: Sequence[int]) -> list[Row[Any]]:
    """Return the deployments that count: successful ones to production, of one source, in order."""
    columns = deployment.c
    query = (
        select(deployment)
        .where(
            among(columns.repository_id, repository_ids),
            columns.is_production == true(),
            columns.succeeded_at.is_not(None),
        )
        .order_by(columns.succeeded_at, columns.external_id)
    )
    return _of_first(connection.execute(query).all(), tuple(DeploymentSource))


def _in_a_row(rows: Iterable[Row[Any]]) -> Iterator[tuple[Row[Any], str | None]]:
    """Yield each deployment with the revision of the one before it in its environment."""
    latest: dict[tuple[int, str], str] = {}
    for row in rows:
        place = row.repository_id, row.environment
        yield row, latest.get(place)
        latest[place] = row.revision


def _incidents(connection: Connection, repository_ids: Sequence[int]) -> list[IncidentSpan]:
    columns = incident.c
    query = select(incident).where(
        among(columns.repository_id, repository_ids), columns.is_incident == true()
    )
    rows = _of_first(connection.execute(query).all(), tuple(IncidentSource))
    return [IncidentSpan(row.repository_id, row.opened_at, row.resolved_at) for row in rows]


def _of_first(rows: Sequence[Row[Any]], sources: tuple[str, ...]) -> list[Row[Any]]:
    """Return the rows of each repository's first source that has any."""
    used: dict[int, str] = {}
    for row in rows:
        known = used.get(row.repository_id, row.source)
        used[row.repository_id] = min(row.source, known, key=sources.index)
    return [row for row in rows if row.source == used[row.repository_id]]


def deployed_pulls(
    connection: Connection, repository_ids: Sequence[int]
) -> dict[tuple[int, int], datetime]:
    """Return when each pull request first reached production, by repository and number.

    A pull request is found by its merge commit: the commit of a squash, the last one of a rebase.
    """
    counted = {
        (row.repository_id, row.source, row.external_id): row.succeeded_at
        for row, before in _in_a_row(_production(connection, repository_ids))
        if before is not None and row.read_after == before
    }
    columns = deployed_commit.c
    query = (
        select(
            *(pull_summary.c.repository_id, pull_summary.c.pull_request),
            *(columns.source, columns.external_id),
        )
        .join_from(pull_summary, audit, same_pull(audit))
        .join(
            deployed_commit,
            and_(
                columns.repository_id == audit.c.repository_id, columns.sha == audit.c.merge_commit
            ),
        )
        .where(
            among(pull_summary.c.repository_id, repository_ids),
            audit.c.number == pull_summary.c.audit_number,
            into_default(),
        )
    )
    found: dict[tuple[int, int], datetime] = {}
    for repository_id, number, source, external_id in connection.execute(query):
        at = counted.get((repository_id, source, external_id))
        if at is not None:
            key = repository_id, number
            found[key] = min(at, found.get(key, at))
    return found


def _changes(
    connection: Connection, repository_ids: Sequence[int], since: date, until: date
) -> list[DeployedChange]:
    begins, ends = midnight(since), midnight(until + ONE_DAY)
    reached = deployed_pulls(connection, repository_ids)
    wanted = {pull: at for pull, at in reached.items() if begins <= at < ends}
    columns = outcome.c
    query = select(columns.repository_id, columns.pull_request, columns.first_commit_at).where(
        among(columns.repository_id, {repository_id for repository_id, _ in wanted})
    )
    began = {(one.repository_id, one.pull_request): one[2] for one in connection.execute(query)}
    return [DeployedChange(began.get(pull), at) for pull, at in wanted.items()]


def _key(repository_id: int, source: str, external_id: str) -> dict[str, Any]:
    return {
        "repository_id": repository_id,
        "source": str(source),
        "external_id": clean(external_id),
    }


def _is(table: Any, key: dict[str, Any]) -> list[Any]:
    return [table.c[name] == value for name, value in key.items()]


def _rank(word: Any) -> tuple[Any, ...]:
    """Return what puts two words about an incident in order: the later one is greater."""
    return (
        word.told_at,
        not word.is_incident,
        word.resolved_at is not None,
        word.resolved_at or word.told_at,
        word.opened_at,
    )
