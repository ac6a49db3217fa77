"""Usage as sources sent it: tokens and decided edits by person, day, agent and agent session.

For a person, a day and an agent the rows of one source count. A change notes which days are stale;
`UsageTable.settle` sums them again.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Row,
    Select,
    Table,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert

from ghapp.spend.closed_months import ClosedMonth, next_month
from ghapp.store.database import Database
from ghapp.store.id_sets import among
from ghapp.store.pricing import (
    LIST_ONLY,
    DayPrices,
    PriceBook,
    closed_months,
    first_open,
    note_prices_in_use,
    prices_in_use,
)
from ghapp.store.rows import chunks, clean, struct_of
from ghapp.store.schema import (
    agent_session_day,
    usage_decisions,
    usage_identity,
    usage_stale,
    usage_tokens,
    vendor_amount,
    vendor_erased,
)
from ghapp.store.stale_days import StaleDay, note_stale
from ghapp.store.summaries.conditions import to_day
from ghapp.store.summaries.tally import day_number
from ghapp.store.usage_arrivals import ArrivalNotes
from ghapp.store.usage_costs import note_pulls_of
from ghapp.store.usage_rows import (
    SIGN_IN,
    AddedUsage,
    IdentityMapping,
    KnownIdentity,
    StoredUsage,
    UnmappedUsage,
    UsageOrigin,
    columns_of,
    decision_day,
    decision_row,
    identity_digest,
    stored,
    token_day,
    token_row,
)
from ghapp.store.usage_sums import (
    DAYS,
    LONGEST,
    SENT,
    SUMS,
    lock_sums,
    settle,
    settle_some,
)
from ghapp.usage.answers import MOST, TOKEN_KINDS
from ghapp.usage.days import DecisionDay, TokenDay, UsageRow
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource


class UsageTable:
    """The usage of all installations. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- what sources send ------------------------------------------------------------------------

    def replace(
        self,
        origin: UsageOrigin,
        tokens: Sequence[TokenDay],
        decisions: Sequence[DecisionDay],
        *,
        now: datetime,
    ) -> None:
        """Store everything that an origin says of some agent sessions' days.

        What it said before of the same agent sessions on the same days is replaced, so sending it
        again changes nothing. Rows of one agent session and day must come together.
        """
        with self._database.write() as connection:
            self.lock(connection, origin.installation_id)
            head = columns_of(origin, *self._identity(connection, origin, now), now)
            rows: list[UsageRow] = [*tokens, *decisions]
            said = {(one.day, one.agent, one.agent_session) for one in rows}
            for table in SENT:
                for condition in _of_days(table, head, said):
                    connection.execute(delete(table).where(condition))
            self._add(connection, [(head, rows)])
            place = connection, self._database, origin.installation_id
            notes = ArrivalNotes(*place, origin.source, now)
            notes.came(Counter(clean(one.agent) for one in rows))

    def add(self, connection: Connection, sent: Iterable[AddedUsage], *, now: datetime) -> None:
        """Add to what origins said before: telemetry tells what came since it last told.

        It is part of the caller's transaction, which holds the `lock` of their installation.
        """
        identities: dict[tuple[int, UsageIdentity], tuple[int, int]] = {}
        parts = []
        for one in sent:
            origin = one.origin
            key = origin.installation_id, origin.identity
            if key not in identities:
                identities[key] = self._identity(connection, origin, now)
            parts.append((columns_of(origin, *identities[key], now), one.rows))
        self._add(connection, parts)

    def lock(self, connection: Connection, installation_id: int) -> None:
        """Hold back all other changes of an installation's usage until the transaction ends."""
        self._database.lock(connection, f"usage:{installation_id}")

    # --- who it is of -----------------------------------------------------------------------------

    def identities(self, installation_id: int) -> tuple[KnownIdentity, ...]:
        """Return everybody whom a source named, those who are not mapped first."""
        query = (
            select(usage_identity)
            .where(usage_identity.c.installation_id == installation_id)
            .order_by(
                usage_identity.c.account_id.is_not(None),
                usage_identity.c.kind,
                usage_identity.c.value,
            )
        )
        return tuple(struct_of(KnownIdentity, row) for row in self._database.rows(query))

    def unmapped(self, installation_id: int) -> dict[int, UnmappedUsage]:
        """Return how much usage each identity has that is not mapped, by its number.

        Days that are not summed yet are left out.
        """
        columns = agent_session_day.c
        query = (
            select(
                columns.person,
                func.count(columns.day.distinct()).label("days"),
                func.max(columns.day).label("last_day"),
            )
            .where(columns.installation_id == installation_id, columns.person < 0)
            .group_by(columns.person)
        )
        return {
            -row.person: UnmappedUsage(row.days, to_day(row.last_day))
            for row in self._database.rows(query)
        }

    def map(
        self, installation_id: int, whose: Iterable[IdentityMapping], *, by: str, now: datetime
    ) -> None:
        """Store whose some identities are, known or not yet: all of them or none.

        An identity that is an account stays that: raises `ValueError`.
        """
        with self._database.write() as connection:
            self.lock(connection, installation_id)
            for one in whose:
                self._map(connection, installation_id, one, by, now)

    def map_emails(
        self, account_id: int, login: str, emails: Collection[str], *, now: datetime
    ) -> None:
        """Map e-mail addresses that GitHub verified to their account, in all installations.

        What somebody has mapped stays as it is.
        """
        columns = usage_identity.c
        found = [
            (row.installation_id, UsageIdentity(IdentityKind.EMAIL, row.value))
            for chunk in chunks(sorted(map(clean, emails)))
            for row in self._database.rows(
                select(columns.installation_id, columns.value).where(
                    columns.kind == IdentityKind.EMAIL.value,
                    columns.value.in_(chunk),
                    columns.account_id.is_(None),
                )
            )
        ]
        for installation_id, who in found:
            with self._database.write() as connection:
                self.lock(connection, installation_id)
                known = self._known(connection, installation_id, who)
                if known is not None and known.account_id is None:
                    mapping = IdentityMapping(who, account_id, login)
                    self._map(connection, installation_id, mapping, SIGN_IN, now)

    def _map(
        self,
        connection: Connection,
        installation_id: int,
        whose: IdentityMapping,
        by: str,
        now: datetime,
    ) -> None:
        if whose.identity.kind is IdentityKind.ACCOUNT:
            raise ValueError("an account of GitHub is a person already: map another identity")
        values = {
            "account_id": whose.account_id,
            "login": clean(whose.login),
            "mapped_by": None if whose.account_id is None else clean(by),
        }
        place = connection, installation_id, whose.identity
        known = self._known(*place) or self._noted(*place, now)
        one, before = known.id, known.person
        after = -one if whose.account_id is None else whose.account_id
        mine = update(usage_identity).where(usage_identity.c.id == one)
        connection.execute(mine.values(values | {"person": after}))
        days: set[tuple[int, str]] = set()
        for sent in SENT:
            columns = sent.c
            theirs = (
                columns.installation_id == installation_id,
                columns.person == before,
                columns.identity_id == one,
            )
            query = select(columns.day, columns.agent).where(*theirs).distinct()
            days |= {(row[0], row[1]) for row in connection.execute(query)}
            connection.execute(update(sent).where(*theirs).values(person=after))
        stale = {(day, person, agent) for day, agent in days for person in (before, after)}
        note_stale(connection, self._database, installation_id, stale)

    # --- what ends --------------------------------------------------------------------------------

    def forget(self, account_id: int | None, login: str, *, now: datetime) -> int:
        """Delete all usage of a person, by number and by login in any case; return how many rows.

        Identities that were mapped to the person go, too, and what vendors charged for them. A
        vendor tells its last days again: what it tells of days until now is left out then.
        """
        with self._database.write() as connection:
            lock_sums(connection, self._database)
            # What is being stored of the person just now would outlive the deletion.
            known = connection.execute(_theirs(account_id, login)).all()
            for installation_id in sorted({row.installation_id for row in known}):
                self.lock(connection, installation_id)
            rows = connection.execute(_theirs(account_id, login)).all()
            self._note_erased(connection, rows, now)
            ids, people = {row.id for row in rows}, {row.person for row in rows}
            note_pulls_of(connection, self._database, people)
            count = sum(
                connection.execute(delete(table).where(among(table.c.identity_id, ids))).rowcount
                for table in SENT
            )
            for table in (*SUMS, *DAYS, usage_stale):
                connection.execute(delete(table).where(among(table.c.person, people)))
            connection.execute(delete(vendor_amount).where(among(vendor_amount.c.identity_id, ids)))
            connection.execute(delete(usage_identity).where(among(usage_identity.c.id, ids)))
        return count

    def _note_erased(self, connection: Connection, rows: Iterable[Row[Any]], now: datetime) -> None:
        """Note whom vendors may not bring back, by digest."""
        insert = self._database.insert(vendor_erased)
        note = insert.on_conflict_do_update(
            index_elements=["installation_id", "digest"], set_={"day": insert.excluded.day}
        )
        erased = [
            {
                "installation_id": row.installation_id,
                "digest": identity_digest(row.installation_id, row.kind, row.value),
                "day": day_number(now.date()),
            }
            for row in rows
        ]
        if erased:
            connection.execute(note, erased)

    def forget_in(self, account_id: int | None, login: str, repository_ids: Collection[int]) -> int:
        """Delete a person's usage in repositories, whichever source told it; return how many rows.

        Usage names no file, and a source may name no repository: such usage stays.
        """
        count = 0
        with self._database.write() as connection:
            rows = connection.execute(_theirs(account_id, login)).all()
            by_installation: defaultdict[int, set[int]] = defaultdict(set)
            for row in rows:
                by_installation[row.installation_id].add(row.person)
            for installation_id, people in sorted(by_installation.items()):
                self.lock(connection, installation_id)
                asked = {"person": people, "repository_id": repository_ids}
                count += self.remove_within(connection, installation_id, asked)
        return count

    def remove(self, installation_id: int, source: UsageSource) -> int:
        """Delete everything of a source; the next source counts in its place."""
        with self._database.write() as connection:
            self.lock(connection, installation_id)
            return self.remove_within(connection, installation_id, {"source": [source.value]})

    def expire(self, before: date) -> int:
        """Delete the rows of days before that one; return how many."""
        first = day_number(before)
        with self._database.write() as connection:
            lock_sums(connection, self._database)
            for sums in SUMS:
                # A month that began earlier may still be of days that are kept.
                connection.execute(delete(sums).where(sums.c.start < first - LONGEST))
            for days in DAYS:
                connection.execute(delete(days).where(days.c.day < first))
            return sum(
                connection.execute(delete(sent).where(sent.c.day < first)).rowcount for sent in SENT
            )

    # --- sums -------------------------------------------------------------------------------------

    def settle(self, book: PriceBook = LIST_ONLY) -> int:
        """Sum again what changed since the last time; return how many days of people that were."""
        return settle(self._database, book)

    def settle_some(self, most: int, book: PriceBook) -> int:
        """Sum again up to so many days of people, at once; return how many were stale."""
        return settle_some(self._database, most, book)

    def stale(self, installation_id: int) -> int:
        """Return how many days of people are not summed yet."""
        query = select(func.count()).select_from(usage_stale)
        return int(
            self._database.value(query.where(usage_stale.c.installation_id == installation_id))
        )

    # --- prices -----------------------------------------------------------------------------------

    def use_prices(self, book: PriceBook, *, now: datetime) -> tuple[date, ...]:
        """Price everything with these prices from now on; return the months that close today.

        If other prices were in use before, days of open months are stale. A month closes with the
        prices that it had until now.
        """
        with self._database.write() as connection:
            lock_sums(connection, self._database)
            before = prices_in_use(connection) or book.versions
            months = DayPrices(connection, self._database, book).close_months(before, now.date())
            if before != book.versions:
                self._reprice(connection, usage_tokens.c.day >= day_number(first_open(connection)))
            note_prices_in_use(connection, self._database, book.versions, now)
        return months

    def reprice(self, month: date, book: PriceBook, *, now: datetime) -> ClosedMonth:
        """Price a closed month again, with these prices.

        Raises `ValueError` if it is not closed: its prices change by themselves.
        """
        with self._database.write() as connection:
            lock_sums(connection, self._database)
            one = DayPrices(connection, self._database, book).reprice(month, now.date())
            end = day_number(next_month(one.month)) - 1
            self._reprice(connection, usage_tokens.c.day.between(day_number(one.month), end))
        return one

    def closed_months(self) -> Mapping[date, ClosedMonth]:
        """Return the closed months by their first days."""
        with self._database.read() as connection:
            return closed_months(connection)

    def _reprice(self, connection: Connection, is_asked: ColumnElement[bool]) -> None:
        columns = usage_tokens.c
        days: defaultdict[int, set[StaleDay]] = defaultdict(set)
        key = (columns.installation_id, columns.day, columns.person, columns.agent)
        for installation_id, *day in connection.execute(select(*key).where(is_asked).distinct()):
            days[installation_id].add((day[0], day[1], day[2]))
        for installation_id, stale in days.items():
            note_stale(connection, self._database, installation_id, stale)

    # --- raw rows ---------------------------------------------------------------------------------

    def rows(self, installation_id: int) -> tuple[StoredUsage, ...]:
        """Return every row of an installation, also those that do not count, by day."""
        found: list[StoredUsage] = []
        with self._database.read() as connection:
            for table, shape in ((usage_tokens, token_day), (usage_decisions, decision_day)):
                query = (
                    select(table)
                    .where(table.c.installation_id == installation_id)
                    .order_by(*table.primary_key)
                )
                found += (stored(row, shape(row)) for row in connection.execute(query))
        return tuple(found)

    # --- in the caller's transaction --------------------------------------------------------------

    def identity(self, connection: Connection, origin: UsageOrigin, now: datetime) -> int:
        """Return the number of an origin's identity, which is noted if it is new."""
        return self._identity(connection, origin, now)[0]

    def _identity(
        self, connection: Connection, origin: UsageOrigin, now: datetime
    ) -> tuple[int, int]:
        """Return the numbers of the origin's identity and person; an account maps itself."""
        who = origin.identity
        one = self._noted(connection, origin.installation_id, who, now)
        if who.kind is not IdentityKind.ACCOUNT:
            return one.id, one.person
        account = int(who.value)
        values = {"person": account, "account_id": account, "login": clean(origin.login)}
        if any(getattr(one, name) != value for name, value in values.items()):
            connection.execute(
                update(usage_identity).where(usage_identity.c.id == one.id).values(values)
            )
        return one.id, account

    def _known(
        self, connection: Connection, installation_id: int, who: UsageIdentity
    ) -> Row[Any] | None:
        """Return the row of an identity; ``None``: there is none."""
        columns = usage_identity.c
        query = select(usage_identity).where(
            columns.installation_id == installation_id,
            columns.kind == who.kind.value,
            columns.value == clean(who.value),
        )
        return connection.execute(query).one_or_none()

    def _noted(
        self, connection: Connection, installation_id: int, who: UsageIdentity, now: datetime
    ) -> Row[Any]:
        """Return `_OF_WHOM` of an identity, which is made if there is none."""
        values = {
            "installation_id": installation_id,
            "kind": who.kind.value,
            "value": clean(who.value),
            "seen_at": now,
        }
        note = self._database.once("noted identity", self._noting)
        row = connection.execute(note, values).one()
        if row.person is not None:
            return row
        mine = update(usage_identity).where(usage_identity.c.id == row.id)
        whom = (usage_identity.c[name] for name in _OF_WHOM)
        return connection.execute(mine.values(person=-row.id).returning(*whom)).one()

    def remove_within(
        self,
        connection: Connection,
        installation_id: int,
        asked: Mapping[str, Collection[int] | str],
    ) -> int:
        """Delete rows by their columns' values, in a transaction that holds the `lock`.

        ``asked``: column → any of some numbers, or a text. Their days are stale then.
        """
        count = 0
        stale: set[StaleDay] = set()
        for table in SENT:
            columns = table.c
            chosen = [columns.installation_id == installation_id]
            for name, values in asked.items():
                column = columns[name]
                chosen.append(
                    column == clean(values) if isinstance(values, str) else among(column, values)
                )
            days = select(columns.day, columns.person, columns.agent).where(*chosen).distinct()
            stale |= {(row[0], row[1], row[2]) for row in connection.execute(days)}
            count += connection.execute(delete(table).where(*chosen)).rowcount
        note_stale(connection, self._database, installation_id, stale)
        return count

    def _noting(self) -> ReturningInsert[Any]:
        insert = self._database.insert(usage_identity)
        return insert.on_conflict_do_update(
            index_elements=["installation_id", "kind", "value"],
            set_={"seen_at": insert.excluded.seen_at},
        ).returning(*(usage_identity.c[name] for name in _OF_WHOM))

    def _add(
        self,
        connection: Connection,
        parts: Sequence[tuple[Mapping[str, Any], Sequence[UsageRow]]],
    ) -> None:
        """Add rows of origins of one installation; their days are stale then."""
        tokens, decisions = [], []
        stale: dict[int, set[StaleDay]] = defaultdict(set)
        for head, rows in parts:
            for one in rows:
                if isinstance(one, TokenDay):
                    tokens.append(token_row(head, one))
                else:
                    decisions.append(decision_row(head, one))
                day = day_number(one.day), head["person"], clean(one.agent)
                stale[head["installation_id"]].add(day)
        self._insert(connection, usage_tokens, tokens)
        self._insert(connection, usage_decisions, decisions)
        for installation_id, days in stale.items():
            note_stale(connection, self._database, installation_id, days)

    def _insert(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        """Insert rows; the amounts of a row that is there grow."""
        name = "added usage", table.name
        self._database.insert_many(connection, name, lambda: self._adding(table), rows)

    def _adding(self, table: Table) -> Insert:
        insert, columns = self._database.insert(table), table.c
        amounts = [column for column in columns if column.name in _ADDED]
        sums = {column.name: _sum(column, insert.excluded[column.name]) for column in amounts}
        return insert.on_conflict_do_update(
            index_elements=[column.name for column in table.primary_key],
            set_={**sums, "read_at": insert.excluded.read_at},
        )


def _theirs(account_id: int | None, login: str) -> Select[Any]:
    """Return the question for a person's identities, by number and by login in any case."""
    columns = usage_identity.c
    is_theirs = func.lower(columns.login) == clean(login).lower()
    if account_id is not None:
        is_theirs = or_(is_theirs, columns.account_id == account_id)
    return select(usage_identity).where(is_theirs)


_OF_WHOM = ("id", "person", "account_id", "login")
"""Columns of an identity that say whose usage it is."""
_ADDED = {*TOKEN_KINDS, "answers", "edits", "lines"}
"""Columns that hold amounts."""


def _sum(column: ColumnElement[int], more: ColumnElement[int]) -> ColumnElement[int]:
    """Add two amounts of which each may be unknown, up to what a row may hold."""
    total = column + more
    return func.coalesce(case((total > MOST, MOST), else_=total), column, more)


def _of_days(
    table: Table, head: Mapping[str, Any], said: Iterable[tuple[date, str, str]]
) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of what an origin said before of these agent sessions' days."""
    names = ("installation_id", "person", "identity_id", "source", "repository_id", "machine")
    origin = [table.c[name] == head[name] for name in names]
    by_day: defaultdict[tuple[date, str], list[str]] = defaultdict(list)
    for day, agent, agent_session in said:
        by_day[day, agent].append(clean(agent_session))
    for (day, agent), agent_sessions in sorted(by_day.items()):
        of_day = (table.c.day == day_number(day), table.c.agent == clean(agent))
        for chunk in chunks(sorted(agent_sessions)):
            yield and_(*origin, *of_day, table.c.agent_session.in_(chunk))
