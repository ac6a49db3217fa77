"""Prices that change: open months have the ones in use, closed ones the ones they closed with."""

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from ghapp.spend.prices import packaged
from ghapp.spend.rate_card import read_rate_card
from ghapp.store import Store
from ghapp.store.pricing import LIST_ONLY, PriceBook
from ghapp.store.schema import pull_cost
from tests.store.records import NOW
from tests.store.test_usage_costs import MILLION, ORG, PLACE, ROW, SENT, A, amounts, audit, home

CARD = 'name = "ours"\n[[price]]\nmodel = "claude-opus-*"\ninput = 1\noutput = 10\n'


def test_a_rate_card_prices_open_months_and_a_closed_one_if_asked(store: Store) -> None:
    """May is closed with list prices alone; a card comes, and late usage of May."""
    home(store, ORG, [PLACE])
    june = replace(ROW, day=date(2026, 6, 10), agent_session="s2")
    book = PriceBook(packaged(), read_rate_card(CARD))
    audit(store, PLACE, 1, {A: 3})
    audit(store, PLACE, 2, {("claude-code", "s2"): 3})
    store.usage.replace(SENT, [ROW, june], [], now=NOW)
    in_july = datetime(2026, 7, 1, tzinfo=UTC)
    assert store.usage.use_prices(LIST_ONLY, now=NOW) == ()
    store.usage.settle()
    assert store.usage.use_prices(book, now=in_july) == (date(2026, 5, 1),)
    store.usage.settle(book)
    assert (amounts(store), amounts(store, "contract")) == (
        {1: MILLION, 2: MILLION},
        {1: None, 2: 10_000_000},
    )
    store.usage.replace(replace(SENT, machine="b" * 32), [ROW], [], now=in_july)
    store.usage.settle(book)
    assert (amounts(store)[1], amounts(store, "contract")[1]) == (2 * MILLION, None)
    one = store.usage.reprice(date(2026, 5, 1), book, now=in_july)
    store.usage.settle(book)
    assert one.is_repriced
    assert amounts(store, "contract") == {1: 20_000_000, 2: 10_000_000}
    repriced = select(pull_cost.c.pull_request).where(pull_cost.c.is_repriced)
    assert [row[0] for row in store.database.rows(repriced)] == [1]


def test_an_open_month_is_not_priced_again_by_hand(sqlite_store: Store) -> None:
    with pytest.raises(ValueError, match="2026-05 is not closed"):
        sqlite_store.usage.reprice(date(2026, 5, 1), LIST_ONLY, now=NOW)
