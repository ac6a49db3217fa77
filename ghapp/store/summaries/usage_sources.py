"""How complete sources of usage are: which agent sessions of the evidence have usage, by source.

The caller checks first what the reader may read.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, func, select, union

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.id_sets import among
from ghapp.store.schema import agent_day, source_day
from ghapp.store.summaries.tally import day_number
from ghapp.store.usage_sums import SENT
from ghapp.usage.days import UNNAMED_SESSION
from ghapp.usage.sources import UsageSource


class AgentVersion(Struct, frozen=True):
    """A version of an agent that a source told of."""

    agent: str
    version: str | None
    """``None``: not told."""


class UsageCoverage(Struct, frozen=True):
    """How many agent sessions of the evidence have usage, each once on every day with edits."""

    agent_sessions: int
    """Agent sessions that edited, whether they have usage or not."""
    covered: int
    """Those that any source told of."""
    by_source: dict[UsageSource, int]
    """Those that each source told of, whether it counts or not."""
    versions: dict[UsageSource, tuple[AgentVersion, ...]]
    """What each source told of on these days, by agent and version."""


class SourceQuestions:
    """The sources of all installations. Methods raise `DatabaseUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def coverage(
        self, installation_id: int, repository_ids: Iterable[int], since: date, until: date
    ) -> UsageCoverage:
        """Return what has usage of the evidence in these repositories, both days included."""
        days = day_number(since), day_number(until)
        edited = _edited(repository_ids, days).subquery()
        told = union(*_told(installation_id, days)).subquery()
        is_same = and_(
            *(told.c[name] == edited.c[name] for name in ("day", "agent", "agent_session"))
        )
        key = edited.c.day, edited.c.agent, edited.c.agent_session
        both = select(*key, told.c.source).join(told, is_same).distinct().subquery()
        by_source = select(both.c.source, func.count()).group_by(both.c.source)
        once = select(both.c.day, both.c.agent, both.c.agent_session).distinct().subquery()
        with self._database.read() as connection:
            return UsageCoverage(
                agent_sessions=connection.execute(_count(edited)).scalar_one(),
                covered=connection.execute(_count(once)).scalar_one(),
                by_source={
                    UsageSource(source): count
                    for source, count in connection.execute(by_source).all()
                },
                versions=_versions(connection.execute(union(*_named(installation_id, days)))),
            )


def _edited(repository_ids: Iterable[int], days: tuple[int, int]) -> Select[Any]:
    columns = agent_day.c
    return (
        select(columns.day, columns.agent, columns.agent_session)
        .where(
            among(columns.repository_id, tuple(repository_ids)),
            columns.day.between(*days),
            columns.agent_session != UNNAMED_SESSION,
        )
        .distinct()
    )


def _told(installation_id: int, days: tuple[int, int]) -> list[Select[Any]]:
    return [
        select(sent.c.day, sent.c.agent, sent.c.agent_session, sent.c.source).where(
            *_of_days(sent, installation_id, days), sent.c.agent_session != UNNAMED_SESSION
        )
        for sent in SENT
    ]


def _named(installation_id: int, days: tuple[int, int]) -> list[Select[Any]]:
    return [
        select(sent.c.source, sent.c.agent, sent.c.agent_version).where(
            *_of_days(sent, installation_id, days)
        )
        for sent in SENT
    ]


def _of_days(sent: Table, installation_id: int, days: tuple[int, int]) -> list[ColumnElement[bool]]:
    # The key of these tables begins with the person: SQLite finds days of a person only.
    people = select(source_day.c.person).where(
        source_day.c.installation_id == installation_id, source_day.c.day.between(*days)
    )
    return [
        sent.c.installation_id == installation_id,
        sent.c.person.in_(people),
        sent.c.day.between(*days),
    ]


def _count(rows: Any) -> Select[Any]:
    return select(func.count()).select_from(rows)


def _versions(rows: Iterable[Any]) -> dict[UsageSource, tuple[AgentVersion, ...]]:
    found: defaultdict[UsageSource, set[tuple[str, str]]] = defaultdict(set)
    for source, agent, version in rows:
        found[UsageSource(source)].add((agent, version))
    return {
        source: tuple(AgentVersion(agent, version or None) for agent, version in sorted(own))
        for source, own in found.items()
    }
