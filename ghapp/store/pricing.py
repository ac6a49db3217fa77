"""Which prices hold for a day: the ones in use, or those that its month was closed with.

Tables and rate cards that priced anything are kept, so that a late row of a closed month costs
what it would have cost in time (decision 28).
"""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from ghapp.attribution.model import Struct
from ghapp.spend.closed_months import (
    ClosedMonth,
    PriceVersions,
    closed,
    month_of,
    next_month,
    repriced,
    versions_for,
)
from ghapp.spend.cost import CostBasis
from ghapp.spend.prices import PriceList, packaged, read_table, written
from ghapp.spend.rate_card import RateCard, read_rate_card
from ghapp.store.database import Database
from ghapp.store.schema import closed_month, cursor, price_table, usage_tokens
from ghapp.store.summaries.conditions import to_day
from ghapp.store.summaries.tally import FIRST_DAY, day_number


class PriceBook(Struct, frozen=True):
    """The prices in use."""

    prices: PriceList
    rate_card: RateCard | None = None
    """The operator's own; ``None``: there is none."""

    @property
    def versions(self) -> PriceVersions:
        """Where its prices are from."""
        card = self.rate_card
        return PriceVersions(self.prices.version, None if card is None else card.version)


IN_USE = "prices"
"""Bookmark of the versions that priced last."""

LIST_ONLY = PriceBook(packaged())
"""Without an operator's own prices."""


class _UsedPrices(Struct, frozen=True):
    """A book with the numbers of what is in it."""

    book: PriceBook
    prices_id: int
    card_id: int | None


class DayPrices:
    """Prices as they hold in one transaction."""

    def __init__(self, connection: Connection, database: Database, book: PriceBook) -> None:
        self._connection = connection
        self._database = database
        self._book = book
        self._months = closed_months(connection)
        self._used = cache(self._load)

    def tables(self, day: date) -> dict[str, int | None]:
        """Return the numbers of what prices a day, as columns."""
        used = self._on(day)
        return {"list_table": used.prices_id, "contract_table": used.card_id}

    def book(self, day: date) -> PriceBook:
        """Return the prices of a day."""
        return self._on(day).book

    def is_repriced(self, day: int) -> bool:
        """Return whether a day, by its number, is of a month that was priced again."""
        month = self._months.get(month_of(to_day(day)))
        return month is not None and month.is_repriced

    def _on(self, day: date) -> _UsedPrices:
        return self._used(versions_for(day, self._months, self._book.versions))

    def _load(self, versions: PriceVersions) -> _UsedPrices:
        book = self._book if versions == self._book.versions else self._kept(versions)
        card = book.rate_card
        return _UsedPrices(
            book=book,
            prices_id=self._noted(CostBasis.LIST, book.prices.version, written(book.prices.table)),
            card_id=self._noted(CostBasis.CONTRACT, card.version, card.text.encode())
            if card
            else None,
        )

    def _kept(self, versions: PriceVersions) -> PriceBook:
        """Return a book that was in use before."""
        prices = PriceList(read_table(self._body(CostBasis.LIST, versions.prices)))
        if versions.rate_card is None:
            return PriceBook(prices)
        text = self._body(CostBasis.CONTRACT, versions.rate_card).decode()
        return PriceBook(prices, read_rate_card(text))

    def _body(self, basis: CostBasis, version: str) -> bytes:
        columns = price_table.c
        query = select(columns.body).where(columns.basis == basis, columns.version == version)
        return bytes(self._connection.execute(query).scalar_one())

    def _noted(self, basis: CostBasis, version: str, body: bytes) -> int:
        """Return the number of prices, which are kept from now on."""
        add = self._database.insert(price_table)
        note = add.on_conflict_do_update(
            index_elements=["basis", "version"], set_={"version": add.excluded.version}
        ).returning(price_table.c.id)
        values = {"basis": basis.value, "version": version, "body": body}
        return int(self._connection.execute(note, values).scalar_one())

    # --- months -----------------------------------------------------------------------------------

    def close_months(self, versions: PriceVersions, today: date) -> tuple[date, ...]:
        """Close each month with usage that is over for long enough; return them.

        ``versions``: the prices in use until now. Those in use from now on are kept, too.
        """
        self._used(self._book.versions)
        first = self._connection.execute(select(func.min(usage_tokens.c.day))).scalar()
        if first is None:
            return ()
        month, found = month_of(to_day(first)), []
        while one := closed(month, versions, today):
            if month not in self._months:
                self._used(versions)
                self._connection.execute(insert(closed_month), _columns(one))
                found.append(month)
            month = next_month(month)
        return tuple(found)

    def reprice(self, month: date, today: date) -> ClosedMonth:
        """Give a closed month the prices in use. Raises `ValueError` if it is not closed."""
        before = self._months.get(month)
        if before is None:
            said = ", ".join(f"{one:%Y-%m}" for one in self._months) or "none is"
            raise ValueError(
                f"month {month:%Y-%m} is not closed, so it has the prices in use: {said}"
            )
        self._used(self._book.versions)
        one = repriced(before, self._book.versions, today)
        mine = closed_month.c.month == day_number(month)
        self._connection.execute(update(closed_month).where(mine).values(_columns(one)))
        return one


def prices_in_use(connection: Connection) -> PriceVersions | None:
    """Return the versions that priced last; ``None``: nothing was priced yet."""
    text = connection.execute(select(cursor.c.value).where(cursor.c.name == IN_USE)).scalar()
    return None if text is None else msgspec.json.decode(text, type=PriceVersions)


def note_prices_in_use(
    connection: Connection, database: Database, versions: PriceVersions, now: datetime
) -> None:
    """Note which versions price from now on."""
    values = {"value": msgspec.json.encode(versions).decode(), "moved_at": now}
    note = database.insert(cursor).values(name=IN_USE, **values)
    connection.execute(note.on_conflict_do_update(index_elements=["name"], set_=values))


def first_open(connection: Connection) -> date:
    """Return the first day after all closed months; without any, a day before all usage."""
    months = closed_months(connection)
    return next_month(max(months)) if months else FIRST_DAY


def closed_months(connection: Connection) -> Mapping[date, ClosedMonth]:
    """Return the closed months by their first days."""
    return {
        one.month: one
        for row in connection.execute(select(closed_month).order_by(closed_month.c.month))
        for one in [_month(row)]
    }


def _columns(one: ClosedMonth) -> dict[str, Any]:
    before = one.before
    return {
        "month": day_number(one.month),
        "prices": one.versions.prices,
        "rate_card": one.versions.rate_card,
        "closed_on": day_number(one.closed_on),
        "prices_before": before and before.prices,
        "rate_card_before": before and before.rate_card,
        "repriced_on": one.repriced_on and day_number(one.repriced_on),
    }


def _month(row: Row[Any]) -> ClosedMonth:
    is_repriced = row.prices_before is not None
    return ClosedMonth(
        month=to_day(row.month),
        versions=PriceVersions(row.prices, row.rate_card),
        closed_on=to_day(row.closed_on),
        before=PriceVersions(row.prices_before, row.rate_card_before) if is_repriced else None,
        repriced_on=None if row.repriced_on is None else to_day(row.repriced_on),
    )
