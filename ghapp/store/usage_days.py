"""Which source of usage counts for a person's day with an agent, and the sums of what counts.

It works in the caller's transaction. Questions read the sums, never the rows that sources sent.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    union,
    union_all,
    update,
)

from ghapp.store.id_sets import among
from ghapp.store.schema import (
    agent_session_day,
    decision_day,
    source_day,
    token_day,
    usage_decisions,
    usage_identity,
    usage_tokens,
)
from ghapp.store.usage_rows import SPENT, TOKEN_KINDS

SENT = (usage_tokens, usage_decisions)
"""Tables of what sources sent."""
SUMMED = (token_day, decision_day, agent_session_day, source_day)
"""Tables of what counts of it."""

SettledKey = tuple[int, str, int]
"""Day number, agent and identity."""


def settle(connection: Connection, installation_id: int, keys: Iterable[SettledKey]) -> None:
    """Choose again which source counts for the person of each key, and sum its rows."""
    people: dict[int, tuple[int, tuple[int, ...]]] = {}
    by_person: dict[tuple[int, str, int], tuple[int, ...]] = {}
    for day, agent, identity in keys:
        if identity not in people:
            people[identity] = person_of(connection, identity)
        person, identities = people[identity]
        by_person[day, agent, person] = identities
    for (day, agent, person), identities in sorted(by_person.items()):
        _Day(connection, installation_id, day, agent, person, identities).settle()


def clear(
    connection: Connection, installation_id: int, person: int, days: Iterable[tuple[int, str]]
) -> None:
    """Take away the sums of a person for some days and agents; the caller settles what is left."""
    for day, agent in days:
        for table in SUMMED:
            of_day = (table.c.installation_id == installation_id, table.c.day == day)
            connection.execute(
                delete(table).where(*of_day, table.c.person == person, table.c.agent == agent)
            )


def person_of(connection: Connection, identity: int) -> tuple[int, tuple[int, ...]]:
    """Return the number of an identity's person, and all identities of that person.

    The number is that of a GitHub account, or negative for an identity that is not mapped.
    """
    columns, own = usage_identity.c, usage_identity.alias()
    is_same = and_(
        own.c.installation_id == columns.installation_id,
        or_(own.c.id == columns.id, own.c.account_id == columns.account_id),
    )
    query = (
        select(columns.id, columns.account_id)
        .join(own, is_same)
        .where(own.c.id == identity)
        .order_by(columns.id)
    )
    rows = connection.execute(query).all()
    account = rows[0].account_id
    return (-identity if account is None else account), tuple(row.id for row in rows)


class _Day:
    """One person's day with one agent."""

    def __init__(  # noqa: PLR0913, PLR0917 - a key, and whose it is
        self,
        connection: Connection,
        installation_id: int,
        day: int,
        agent: str,
        person: int,
        identities: Sequence[int],
    ) -> None:
        self._connection = connection
        self._key = {"installation_id": installation_id, "day": day, "agent": agent}
        self._person = person
        self._identities = identities

    def settle(self) -> None:
        """Let the first source count that has any row, and sum its rows."""
        first = self._first_source()
        for table in SENT:
            counts = table.c.source == first
            change = update(table).where(*self._sent(table), table.c.counts != counts)
            self._connection.execute(change.values(counts=counts))
        for table in SUMMED:
            of_person = (*self._of_key(table), table.c.person == self._person)
            self._connection.execute(delete(table).where(*of_person))
        if first is not None:
            self._sum(usage_tokens, token_day, ("answers", *TOKEN_KINDS))
            self._sum(usage_decisions, decision_day, ("edits", "lines"))
            self._sum_agent_sessions()
            self._sum_sources()

    def _first_source(self) -> int | None:
        found = [
            self._connection.execute(
                select(func.min(table.c.source)).where(*self._sent(table))
            ).scalar()
            for table in SENT
        ]
        return min((one for one in found if one is not None), default=None)

    def _sum(self, sent: Table, summed: Table, amounts: Iterable[str]) -> None:
        names = [column.name for column in summed.primary_key if column.name in sent.c]
        sums = [func.sum(sent.c[name]).label(name) for name in amounts]
        query = (
            select(literal(self._person).label("person"), *(sent.c[name] for name in names), *sums)
            .where(*self._sent(sent), sent.c.counts)
            .group_by(*(sent.c[name] for name in names))
        )
        self._connection.execute(
            insert(summed).from_select([*query.selected_columns.keys()], query)
        )

    def _sum_agent_sessions(self) -> None:
        names = [column.name for column in agent_session_day.primary_key if column.name != "person"]
        parts = (
            select(literal(self._person).label("person"), *(sent.c[name] for name in names)).where(
                *self._sent(sent), sent.c.counts
            )
            for sent in SENT
        )
        self._connection.execute(
            insert(agent_session_day).from_select(["person", *names], union(*parts))
        )

    def _sum_sources(self) -> None:
        """Sum what each source said, whether it counts or not."""
        names = [column.name for column in source_day.primary_key if column.name != "person"]
        all_kinds = sum((usage_tokens.c[kind] for kind in SPENT), literal(0))
        said = union_all(
            *(
                select(
                    *(sent.c[name] for name in names),
                    (all_kinds if sent is usage_tokens else literal(0)).label("tokens"),
                    *(sent.c[name] for name in ("counts", "read_at")),
                ).where(*self._sent(sent))
                for sent in SENT
            )
        ).subquery()
        key = [said.c[name] for name in (*names, "counts")]
        query = select(
            literal(self._person).label("person"),
            *key,
            func.sum(said.c.tokens).label("tokens"),
            func.max(said.c.read_at).label("read_at"),
        ).group_by(*key)
        self._connection.execute(
            insert(source_day).from_select(query.selected_columns.keys(), query)
        )

    def _sent(self, table: Table) -> list[ColumnElement[bool]]:
        return [*self._of_key(table), among(table.c.identity_id, self._identities)]

    def _of_key(self, table: Table) -> list[ColumnElement[bool]]:
        return [table.c[name] == value for name, value in self._key.items()]
