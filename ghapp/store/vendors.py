"""Connections to vendors of agents, how reading went, and the amounts of money that they reported.

A day of a report is replaced as a whole, money and usage in one transaction, so reading it again
changes nothing. Usage goes where all usage goes (`UsageTable`); it has no repository.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, insert, select, update

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import clean, struct_of
from ghapp.store.schema import (
    installation,
    usage_identity,
    vendor_amount,
    vendor_connection,
    vendor_erased,
    vendor_report,
)
from ghapp.store.summaries.conditions import to_day
from ghapp.store.summaries.tally import day_number
from ghapp.store.usage import UsageTable
from ghapp.store.usage_rows import AddedUsage, UsageOrigin, identity_digest
from ghapp.usage.amounts import VendorAmount
from ghapp.usage.answers import known_sum
from ghapp.usage.sources import UsageIdentity, UsageSource

ERASED_KEPT = 100
"""Days for which digests of erased people are kept: longer than any reading goes back."""
NOBODY_S = 0
"""Identity of an amount that the vendor attributes to nobody."""


class ReportKey(Struct, frozen=True):
    """One report of one connection."""

    installation_id: int
    vendor: str
    report: str

    @property
    def machine(self) -> str:
        """Return what stands in the place of a machine in rows of usage: two never mix."""
        return f"{self.vendor}:{self.report}"


class ReportState(Struct, frozen=True):
    """How far a report was read, and what happened last."""

    report: str
    through: date | None
    """Every day until then is read, as far as the first reading went back; ``None``: none is."""
    resume: date | None
    """Where a reading that was cut short goes on; ``None``: none was."""
    asked_at: datetime | None
    succeeded_at: datetime | None
    """When it was last read without a problem; ``None``: never."""
    problem: str | None
    """What went wrong last time, in a sentence; ``None``: nothing."""


class VendorConnection(Struct, frozen=True):
    """A vendor that an organization lets the app ask."""

    installation_id: int
    vendor: str
    key: bytes
    """Encrypted."""
    set_by: str
    """Login of the owner who gave the key."""
    set_at: datetime
    reports: tuple[ReportState, ...] = ()
    """Those that were asked for, by name."""

    def __repr__(self) -> str:
        """Leave the key out."""
        return f"VendorConnection({self.installation_id}, {self.vendor!r})"

    def state(self, report: str) -> ReportState:
        """Return how far a report was read."""
        found = (one for one in self.reports if one.report == report)
        return next(found, ReportState(report, None, None, None, None, None))

    @property
    def problem(self) -> str | None:
        """What went wrong last time, of all reports; ``None``: nothing."""
        return "; ".join(one.problem for one in self.reports if one.problem) or None

    @property
    def problem_at(self) -> datetime | None:
        """When that was; ``None``: nothing is wrong."""
        found = [one.asked_at for one in self.reports if one.problem and one.asked_at]
        return max(found, default=None)

    @property
    def through(self) -> date | None:
        """The last day until which every report is read; ``None``: there is none."""
        known = [one.through for one in self.reports if one.through]
        return min(known) if known and len(known) == len(self.reports) else None

    @property
    def succeeded_at(self) -> datetime | None:
        """When every report had been read without a problem; ``None``: never."""
        known = [one.succeeded_at for one in self.reports if one.succeeded_at]
        return min(known) if known and len(known) == len(self.reports) else None


class StoredAmount(Struct, frozen=True):
    """What is stored of the `VendorAmount`s of one identity, product and model on one day."""

    vendor: str
    report: str
    day: date
    """The vendor's own day."""
    person: int | None
    """`KnownIdentity.person`; ``None``: the vendor attributes it to nobody."""
    agent: str | None
    product: str
    model: str | None
    currency: str
    billed: int | None
    """In micro-dollars, as `list_price`; see `VendorAmount`."""
    list_price: int | None
    read_at: datetime


class VendorTable:
    """The vendors of all installations. Every method is one transaction."""

    def __init__(self, database: Database, usage: UsageTable) -> None:
        self._database = database
        self._usage = usage

    # --- connections ------------------------------------------------------------------------------

    def connect(  # noqa: PLR0913 - a key, and who gave it
        self,
        installation_id: int,
        vendor: str,
        key: bytes,
        reports: Sequence[str],
        *,
        by: str,
        now: datetime,
    ) -> None:
        """Store a key and replace the one before; what was read stays, and problems are over."""
        values = {"key": key, "set_by": clean(by), "set_at": now}
        head = {"installation_id": installation_id, "vendor": vendor}
        with self._database.write() as connection:
            add = self._database.insert(vendor_connection).values(**head, **values)
            whole = ["installation_id", "vendor"]
            connection.execute(add.on_conflict_do_update(index_elements=whole, set_=values))
            for report in reports:
                one = self._database.insert(vendor_report).values(**head, report=report)
                connection.execute(
                    one.on_conflict_do_update(
                        index_elements=[*whole, "report"], set_={"problem": None}
                    )
                )

    def disconnect(self, installation_id: int, vendor: str) -> bool:
        """Delete a key and everything that came with it; ``False``: there was none."""
        with self._database.write() as connection:
            self._usage.lock(connection, installation_id)
            reports = select(vendor_report.c.report).where(
                *_of(vendor_report, installation_id, vendor)
            )
            for report in connection.execute(reports).scalars().all():
                key = ReportKey(installation_id, vendor, report)
                self._usage.remove_within(connection, installation_id, _rows_of(key))
            for table in (vendor_report, vendor_amount):
                connection.execute(delete(table).where(*_of(table, installation_id, vendor)))
            gone = delete(vendor_connection).where(*_of(vendor_connection, installation_id, vendor))
            return connection.execute(gone).rowcount == 1

    def connections(self, installation_id: int | None = None) -> tuple[VendorConnection, ...]:
        """Return the connections of one installation or all, by installation and vendor."""
        columns = vendor_connection.c
        query = select(vendor_connection).order_by(columns.installation_id, columns.vendor)
        states = select(vendor_report).order_by(vendor_report.c.report)
        if installation_id is not None:
            query = query.where(columns.installation_id == installation_id)
            states = states.where(vendor_report.c.installation_id == installation_id)
        reports: defaultdict[tuple[int, str], list[ReportState]] = defaultdict(list)
        with self._database.read() as connection:
            for row in connection.execute(states):
                days = {name: _to_day(getattr(row, name)) for name in ("through", "resume")}
                state = struct_of(ReportState, row, **days)
                reports[row.installation_id, row.vendor].append(state)
            return tuple(
                struct_of(VendorConnection, row, reports=reports[row.installation_id, row.vendor])
                for row in connection.execute(query)
            )

    def of(self, installation_id: int, vendor: str) -> VendorConnection | None:
        """Return one connection; ``None``: there is none."""
        found = (one for one in self.connections(installation_id) if one.vendor == vendor)
        return next(found, None)

    # --- what is read -----------------------------------------------------------------------------

    def replace_day(  # noqa: PLR0913 - a day of a report, and what it says
        self,
        key: ReportKey,
        day: date,
        usage: Iterable[AddedUsage],
        amounts: Iterable[VendorAmount],
        *,
        through: date | None,
        now: datetime,
    ) -> bool:
        """Replace everything that a report said of a day; ``False``: the connection is gone.

        ``through``: see `ReportState`; it never goes back, and ``None`` leaves it.
        """
        with self._database.write() as connection:
            self._usage.lock(connection, key.installation_id)
            state = _report(key)
            known = connection.execute(select(vendor_report.c.through).where(state)).first()
            if known is None:
                return False
            self._usage.remove_within(
                connection, key.installation_id, {**_rows_of(key), "day": [day_number(day)]}
            )
            erased = _Erased(connection, key.installation_id, day)
            told = [one for one in usage if not erased.has(one.origin.identity)]
            self._usage.add(connection, told, now=now)
            mine = and_(
                *(vendor_amount.c[name] == value for name, value in _columns(key).items()),
                vendor_amount.c.day == day_number(day),
            )
            connection.execute(delete(vendor_amount).where(mine))
            known_amounts = [one for one in amounts if not erased.has(one.identity)]
            rows = self._amount_rows(connection, key, day, known_amounts, now)
            if rows:
                connection.execute(insert(vendor_amount), rows)
            if through is not None and (known[0] is None or known[0] < day_number(through)):
                values = {"through": day_number(through)}
                connection.execute(update(vendor_report).where(state).values(values))
            return True

    def asked(
        self, key: ReportKey, problem: str | None, *, resume: date | None, now: datetime
    ) -> None:
        """Store how reading ended; ``problem``: a sentence, ``None``: well.

        ``resume``: the day at which it was cut short; ``None``: it was not.
        """
        values: dict[str, Any] = {
            "asked_at": now,
            "problem": clean(problem),
            "resume": None if resume is None else day_number(resume),
        }
        if problem is None:
            values["succeeded_at"] = now
        self._database.execute(update(vendor_report).where(_report(key)).values(values))

    def postpone(self, key: ReportKey, resume: date) -> None:
        """Store that a report was not asked for, since another one of the vendor was limited."""
        values = {"resume": day_number(resume)}
        self._database.execute(update(vendor_report).where(_report(key)).values(values))

    def _amount_rows(
        self,
        connection: Connection,
        key: ReportKey,
        day: date,
        amounts: Iterable[VendorAmount],
        now: datetime,
    ) -> list[dict[str, Any]]:
        """Return a row for each identity, agent, product, model and currency."""
        parts: defaultdict[tuple[object, ...], list[VendorAmount]] = defaultdict(list)
        numbers: dict[UsageIdentity | None, int] = {None: NOBODY_S}
        for one in amounts:
            if one.identity is not None and one.identity not in numbers:
                origin = UsageOrigin(
                    key.installation_id, UsageSource.VENDOR, one.identity, login=one.login
                )
                numbers[one.identity] = self._usage.identity(connection, origin, now)
            head = (numbers[one.identity], clean(one.agent) or "", clean(one.product))
            parts[(*head, clean(one.model) or "", clean(one.currency))].append(one)
        names = ("identity_id", "agent", "product", "model", "currency")
        return [
            _columns(key)
            | dict(zip(names, head, strict=True))
            | {
                "day": day_number(day),
                "billed": known_sum(one.billed for one in own),
                "list_price": known_sum(one.list_price for one in own),
                "read_at": now,
            }
            for head, own in parts.items()
        ]

    # --- money ------------------------------------------------------------------------------------

    def amounts(self, installation_id: int, first: date, last: date) -> tuple[StoredAmount, ...]:
        """Return the amounts of some days, both included, by day."""
        columns = vendor_amount.c
        query = (
            select(vendor_amount, usage_identity.c.person)
            .outerjoin(usage_identity, usage_identity.c.id == columns.identity_id)
            .where(
                columns.installation_id == installation_id,
                columns.day.between(day_number(first), day_number(last)),
            )
            .order_by(columns.day, *vendor_amount.primary_key)
        )
        return tuple(
            struct_of(
                StoredAmount,
                row,
                day=to_day(row.day),
                agent=row.agent or None,
                model=row.model or None,
            )
            for row in self._database.rows(query)
        )

    def forget_uninstalled(self, before: datetime) -> int:
        """Delete keys and amounts of installations that ended before then; return how many keys.

        Not at once: an event that says so may be an old one, which GitHub corrects when asked.
        """
        ended = select(installation.c.id).where(installation.c.removed_at < before)
        with self._database.write() as connection:
            keys = 0
            for table in (vendor_report, vendor_amount, vendor_erased, vendor_connection):
                gone = delete(table).where(table.c.installation_id.in_(ended))
                keys = connection.execute(gone).rowcount
        return keys

    def expire(self, before: date, *, now: datetime) -> int:
        """Delete the amounts of days before that one; return how many."""
        old = vendor_erased.c.day < day_number(now.date()) - ERASED_KEPT
        self._database.execute(delete(vendor_erased).where(old))
        gone = delete(vendor_amount).where(vendor_amount.c.day < day_number(before))
        return self._database.execute(gone)


class _Erased:
    """The people who were erased on a day or after it: vendors do not bring them back."""

    def __init__(self, connection: Connection, installation_id: int, day: date) -> None:
        columns = vendor_erased.c
        query = select(columns.digest).where(
            columns.installation_id == installation_id, columns.day >= day_number(day)
        )
        self._installation_id = installation_id
        self._digests = frozenset(connection.execute(query).scalars())

    def has(self, who: UsageIdentity | None) -> bool:
        """Return whether an identity is one of them."""
        if who is None or not self._digests:
            return False
        return identity_digest(self._installation_id, who.kind.value, who.value) in self._digests


def _rows_of(key: ReportKey) -> dict[str, Collection[int] | str]:
    """Return what tells a report's rows of usage from others."""
    return {"source": [UsageSource.VENDOR.value], "machine": key.machine}


def _of(table: Table, installation_id: int, vendor: str) -> tuple[Any, ...]:
    return table.c.installation_id == installation_id, table.c.vendor == clean(vendor)


def _to_day(number: int | None) -> date | None:
    return None if number is None else to_day(number)


def _columns(key: ReportKey) -> dict[str, Any]:
    return {
        "installation_id": key.installation_id,
        "vendor": key.vendor,
        "report": key.report,
    }


def _report(key: ReportKey) -> Any:
    columns = vendor_report.c
    return and_(*(columns[name] == value for name, value in _columns(key).items()))
