"""Whatever is sent and audited, in any order: costs are those of a plain sum, and parts add up."""

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from ghapp.attribution.model import AuditState, Verdict
from ghapp.spend.cost import CostBasis, TokenCost
from ghapp.spend.prices import packaged
from ghapp.spend.quotes import PricedRow, at_list
from ghapp.spend.rate_card import read_rate_card
from ghapp.store import Store, StoredUsage, UsageOrigin
from ghapp.store.pricing import LIST_ONLY, PriceBook
from ghapp.store.schema import cost_sum, pull_cost, repository, token_cost
from ghapp.store.summaries import tally
from ghapp.store.summaries.tally import day_number
from ghapp.store.usage_costs import cost_of, cost_sums
from ghapp.summaries.counts import PullFacts, PullSummary
from ghapp.summaries.selection import TimeGrain
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import UNNAMED_SESSION, TokenDay
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from tests.cases import cases, names
from tests.searching import searched
from tests.spend.plain_allocation import CostRow, allocated
from tests.spend.test_examples import LISTS, case_of
from tests.store.plain_usage import counting
from tests.store.records import NOW

DAY = date(2026, 5, 30)
OPUS, MADE_UP = "claude-opus-4-5-20251101", "no-such-model"
BOOK = LIST_ONLY
numbers = itertools.count(1_000)

counts = st.integers(0, 10_000_000)
token_counts = st.builds(
    TokenCounts, input=counts, output=counts, cache_read=counts, cache_write_1h=counts
)
rows = st.builds(
    TokenDay,
    agent=st.sampled_from(["claude-code", "codex"]),
    agent_session=st.sampled_from(["s1", "s2", "s3", UNNAMED_SESSION]),
    day=st.sampled_from([DAY, DAY + timedelta(days=1), DAY + timedelta(days=2)]),
    tokens=token_counts,
    answers=st.just(1),
    model=st.sampled_from([None, OPUS, MADE_UP]),
    variant=st.sampled_from(["", "fast"]),
    context=st.sampled_from([None, 0, 200]),
)
lines = st.dictionaries(
    st.tuples(st.sampled_from(["claude-code", "codex"]), st.sampled_from(["s1", "s2", "s3"])),
    st.integers(1, 9),
    max_size=3,
)
sent = st.tuples(
    st.just("send"),
    st.sampled_from([11, 12]),
    st.sampled_from([0, 1]),
    st.sampled_from([UsageSource.TRANSCRIPTS, UsageSource.EVENTS]),
    st.lists(rows, max_size=4),
)
audited = st.tuples(st.just("audit"), st.sampled_from([0, 1]), st.sampled_from([1, 2]), lines)
settled = st.tuples(st.just("settle"), st.integers(1, 3))


@given(history=st.lists(sent | audited | settled, max_size=10))
@searched(25)
def test_costs_of_any_history_are_those_of_a_plain_sum(store: Store, history: list[Any]) -> None:
    organization = next(numbers)
    places = [organization * 10, organization * 10 + 1]
    home(store, organization, places)
    matched: dict[tuple[int, int], Mapping[tuple[str, str], int]] = {}
    for what, *told in history:
        if what == "send":
            person, place, source, some = told
            who = UsageIdentity(IdentityKind.ACCOUNT, str(person))
            origin = UsageOrigin(organization, source, who, login="x", repository_id=places[place])
            store.usage.replace(origin, some, [], now=NOW)
        elif what == "audit":
            place, pull, of_agent_sessions = told
            audit(store, places[place], pull, of_agent_sessions)
            matched[places[place], pull] = of_agent_sessions
        else:
            store.usage.settle_some(told[0], BOOK)
    store.usage.settle(BOOK)
    check(store, organization, matched)


def home(store: Store, organization: int, places: Iterable[int]) -> None:
    about = {"installation_id": organization, "owner": "acme", "private": True, "archived": False}
    with store.database.write() as connection:
        for place in places:
            names = {"name": str(place), "full_name_lower": f"acme/{place}", "seen_at": NOW}
            connection.execute(insert(repository), [about | names | {"id": place}])


def audit(
    store: Store, place: int, pull: int, of_agent_sessions: Mapping[tuple[str, str], int]
) -> None:
    """Keep the summary of an audit with so many attributed lines of each agent session."""
    summary = PullSummary(
        repository_id=place,
        pull_request=pull,
        audit_number=1,
        merged_at=NOW,
        verdict=Verdict.ASSISTED,
        state=AuditState.FINAL,
        change_complete=True,
        evidence_complete=True,
        added=100,
        effective=100,
        attributed=sum(of_agent_sessions.values()),
        share=None,
        about=PullFacts(),
        agents={},
        models={},
        lines={},
        agent_sessions=dict(of_agent_sessions),
    )
    with store.database.write() as connection:
        store.database.lock(connection, f"audit:{place}")
        tally.keep(connection, store.database, summary)


def check(
    store: Store,
    organization: int,
    matched: Mapping[tuple[int, int], Mapping[tuple[str, str], int]],
) -> None:
    """Hold that stored costs are those that a plain sum has, and that nothing is lost."""
    priced = plain(counting(store.usage.rows(organization)))
    by_agent_session: defaultdict[Any, dict[tuple[int, int], int]] = defaultdict(dict)
    for pull, of_agent_sessions in matched.items():
        for key, count in of_agent_sessions.items():
            by_agent_session[key][pull] = count
    allocation = allocated(
        (CostRow(agent_session=key[2:4], cost=one) for key, one in priced.items()),
        by_agent_session,
    )
    with store.database.read() as connection:
        theirs = token_cost.c.installation_id == organization
        held = connection.execute(select(token_cost).where(theirs)).all()
        assert {key_of(row): cost_of(row, CostBasis.LIST) for row in held} == priced
        assert all(row.is_matched == bool(by_agent_session.get(key_of(row)[2:4])) for row in held)
        assert all(row.contract_amount is None or not row.contract_unpriced for row in held)
        columns = pull_cost.c
        key = (columns.repository_id, columns.pull_request)
        query = select(*key, *cost_sums(columns)).where(
            columns.repository_id.in_([organization * 10, organization * 10 + 1])
        )
        pulls = {
            (row.repository_id, row.pull_request): cost_of(row, CostBasis.LIST)
            for row in connection.execute(query.group_by(*key))
        }
        assert pulls == allocation.by_pull_request
        for grain in TimeGrain:
            of_grain = select(*cost_sums(cost_sum.c), func.count().label("rows")).where(
                cost_sum.c.installation_id == organization, cost_sum.c.grain == grain.value
            )
            whole = connection.execute(of_grain).one()
            left = connection.execute(of_grain.where(~cost_sum.c.is_matched)).one()
            assert cost_of(whole, CostBasis.LIST) == sum(priced.values(), TokenCost()) or not held
            assert cost_of(left, CostBasis.LIST).amount == allocation.unallocated.amount or (
                not left.rows
            )
    total = sum((one.amount or 0) for one in priced.values())
    parts = [*pulls.values(), allocation.unallocated]
    assert sum(one.amount or 0 for one in parts) == total


def plain(found: Iterable[StoredUsage]) -> dict[tuple[Any, ...], TokenCost]:
    """Return what rows that count cost, by what `token_cost` is told apart by."""
    summed: defaultdict[tuple[Any, ...], TokenCounts] = defaultdict(TokenCounts)
    for one in found:
        row = one.row
        assert isinstance(row, TokenDay)
        key = (one.person, day_number(row.day), row.agent, row.agent_session)
        price_class = row.day, row.variant, row.context
        summed[(*key, one.repository_id or 0, row.model or "", *price_class)] += row.tokens
    costs: defaultdict[tuple[Any, ...], TokenCost] = defaultdict(TokenCost)
    for (*key, day, variant, context), tokens in summed.items():
        asked = PricedRow(
            model=key[-1] or None, day=day, tokens=tokens, variant=variant, context=context
        )
        costs[tuple(key)] += at_list(asked, packaged()).cost
    return dict(costs)


def key_of(row: Any) -> tuple[Any, ...]:
    key = (row.person, row.day, row.agent, row.agent_session)
    return (*key, row.repository_id, row.model)


# --- in which order things come, and prices that change -------------------------------------------

ORG, PLACE = 77, 770
ANN = UsageIdentity(IdentityKind.ACCOUNT, "11")
SENT = UsageOrigin(ORG, UsageSource.TRANSCRIPTS, ANN, login="ann", repository_id=PLACE)
A = ("claude-code", "s1")
ROW = TokenDay(
    agent="claude-code",
    agent_session="s1",
    day=DAY,
    tokens=TokenCounts(output=1_000_000),
    answers=1,
    model=OPUS,
    context=0,
)
MILLION = 25_000_000
"""Micro-dollars for a million output tokens."""


def amounts(store: Store, basis: str = "list") -> dict[int, int | None]:
    """Return what each pull request costs."""
    columns = pull_cost.c
    query = select(columns.pull_request, func.sum(columns[f"{basis}_amount"]))
    found = store.database.rows(query.group_by(columns.pull_request))
    return {row[0]: None if row[1] is None else int(row[1]) for row in found}


@pytest.mark.parametrize("settles", [(), ("sent",), ("audited",), ("sent", "audited")])
@pytest.mark.parametrize("order", [("sent", "audited"), ("audited", "sent")])
def test_usage_and_audits_come_in_any_order(
    sqlite_store: Store, order: tuple[str, ...], settles: tuple[str, ...]
) -> None:
    home(sqlite_store, ORG, [PLACE])
    for what in order:
        if what == "sent":
            sqlite_store.usage.replace(SENT, [ROW], [], now=NOW)
        else:
            audit(sqlite_store, PLACE, 1, {A: 3})
        if what in settles:
            sqlite_store.usage.settle()
    sqlite_store.usage.settle()
    assert amounts(sqlite_store) == {1: MILLION}


def test_another_pull_request_takes_its_part_and_gives_it_back(sqlite_store: Store) -> None:
    home(sqlite_store, ORG, [PLACE])
    sqlite_store.usage.replace(SENT, [ROW], [], now=NOW)
    audit(sqlite_store, PLACE, 1, {A: 3})
    sqlite_store.usage.settle()
    audit(sqlite_store, PLACE, 2, {A: 1})
    sqlite_store.usage.settle()
    assert amounts(sqlite_store) == {1: MILLION * 3 // 4, 2: MILLION // 4}
    audit(sqlite_store, PLACE, 1, {})
    sqlite_store.usage.settle()
    assert amounts(sqlite_store) == {2: MILLION}


def test_a_forgotten_person_s_costs_go_with_them(sqlite_store: Store) -> None:
    home(sqlite_store, ORG, [PLACE])
    sqlite_store.usage.replace(SENT, [ROW], [], now=NOW)
    audit(sqlite_store, PLACE, 1, {A: 3})
    sqlite_store.usage.settle()
    sqlite_store.usage.forget(11, "ann", now=NOW)
    sqlite_store.usage.settle()
    assert amounts(sqlite_store) == {}
    for table in (token_cost, cost_sum):
        assert sqlite_store.database.value(select(func.count()).select_from(table)) == 0


# --- the hand-worked examples ---------------------------------------------------------------------

EXAMPLES = cases("spend")


@pytest.mark.parametrize("folder", EXAMPLES, ids=names(EXAMPLES))
def test_the_store_comes_to_the_examples_of_the_docs(sqlite_store: Store, folder: Path) -> None:
    case, card = case_of(folder)
    now = datetime.fromisoformat(case["now"])
    keys = sorted(case["pull_requests"])
    home(sqlite_store, ORG, [PLACE])
    for number, pull in enumerate(keys):
        of_agent_sessions = {
            ("claude-code", name): lines[pull]
            for name, lines in case["matched"].items()
            if lines.get(pull)
        }
        audit(sqlite_store, PLACE, number, of_agent_sessions)
    rows = [
        TokenDay(
            agent="claude-code",
            agent_session=told["agent_session"],
            day=date.fromisoformat(told["day"]),
            tokens=TokenCounts(**told["tokens"]),
            answers=1,
            model=told["model"],
            variant=told.get("variant", ""),
            context=told.get("context", 0),
        )
        for told in case["usage"]
    ]
    sqlite_store.usage.replace(SENT, rows, [], now=now)
    rate_card = None if card is None else read_rate_card(card)
    current = PriceBook(LISTS[case["current"]["prices"]], rate_card)
    for told in case["closed"].values():
        first = PriceBook(LISTS[told.get("before", told["prices"])], rate_card)
        sqlite_store.usage.use_prices(first, now=now)
    sqlite_store.usage.use_prices(current, now=now)
    for month, told in case["closed"].items():
        if "before" in told:
            sqlite_store.usage.reprice(date.fromisoformat(month), current, now=now)
    sqlite_store.usage.settle(current)
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    for basis, told in expected.items():
        wanted = {number: told["pull_requests"][key]["amount"] for number, key in enumerate(keys)}
        found = amounts(sqlite_store, basis)
        assert {number: found.get(number) for number in wanted} == wanted
        left = select(func.sum(token_cost.c[f"{basis}_amount"])).where(~token_cost.c.is_matched)
        assert (sqlite_store.database.value(left) or 0) == (told["unallocated"]["amount"] or 0)
