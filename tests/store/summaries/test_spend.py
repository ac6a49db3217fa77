"""Every amount of a page of spend, recounted from the raw rows for random selections."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ghapp.attribution.model import AuditState, Verdict
from ghapp.spend.budgets import BudgetOf, BudgetState, MonthlyBudget
from ghapp.spend.cost import CostBasis, TokenCost
from ghapp.spend.counts import PersonCost, SpendChange, SpendSummary, divided, periods
from ghapp.spend.prices import packaged
from ghapp.spend.quotes import at_list, row_of
from ghapp.spend.shown import folded, may_be_shown
from ghapp.store import Store, StoredUsage
from ghapp.store.summaries import tally
from ghapp.store.summaries.spend import SpendQuestions
from ghapp.store.vendors import ReportKey
from ghapp.summaries.counts import PullFacts, PullSummary
from ghapp.summaries.models import family_of
from ghapp.summaries.selection import NotShown, PersonNaming, TimeGrain
from ghapp.usage.amounts import VendorAmount
from ghapp.usage.answers import TokenCounts
from ghapp.usage.counts import OTHERS, UsageSelection
from ghapp.usage.days import TokenDay
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from tests.searching import searched
from tests.spend.plain_allocation import CostRow, allocated
from tests.store.records import NOW
from tests.store.summaries.test_usage import (
    FIRST,
    LAST,
    PEOPLE,
    TEAMS,
    Organization,
    selections,
    uploads,
)

numbers = itertools.count(50_000)
TODAY = LAST
merges = st.tuples(
    st.sampled_from([0, 1]),
    st.dates(FIRST, LAST),
    st.sampled_from(PEOPLE),
    st.dictionaries(
        st.tuples(st.sampled_from(["claude-code", "codex"]), st.sampled_from(["s1", "s2", "s3"])),
        st.integers(1, 9),
        max_size=3,
    ),
)
PullKey = tuple[int, int]


class SpendingOrganization(Organization):
    """An organization with merged pull requests, and the plain way to sum its costs."""

    def __init__(self, store: Store, sent: Iterable[Any], merged: Iterable[Any]) -> None:
        super().__init__(store, next(numbers), sent)
        self.pulls: dict[PullKey, PullSummary] = {}
        for number, (place, day, author, of_agent_sessions) in enumerate(merged, 1):
            one = self._merge(number, place, day, author, of_agent_sessions)
            self.pulls[one.repository_id, one.pull_request] = one
        store.usage.settle()

    def _merge(
        self,
        number: int,
        place: int,
        day: date,
        author: int,
        of_agent_sessions: Mapping[tuple[str, str], int],
    ) -> PullSummary:
        one = PullSummary(
            repository_id=self.places[place],
            pull_request=number,
            audit_number=1,
            merged_at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
            verdict=Verdict.ASSISTED,
            state=AuditState.FINAL,
            change_complete=True,
            evidence_complete=True,
            added=100,
            effective=100,
            attributed=sum(of_agent_sessions.values()),
            share=None,
            about=PullFacts(author=f"P{author}", author_id=author, author_type="User"),
            agents={},
            models={},
            lines={},
            agent_sessions=dict(of_agent_sessions),
        )
        with self.store.database.write() as connection:
            self.store.database.lock(connection, f"audit:{one.repository_id}")
            tally.keep(connection, self.store.database, one)
        return one

    def lines(self) -> dict[tuple[str, str], dict[PullKey, int]]:
        """Return the matched lines of each agent session by pull request."""
        found: defaultdict[tuple[str, str], dict[PullKey, int]] = defaultdict(dict)
        for key, one in self.pulls.items():
            for agent_session, count in one.agent_sessions.items():
                found[agent_session][key] = count
        return dict(found)

    def costs(self, asked: UsageSelection) -> list[tuple[StoredUsage, TokenCost]]:
        """Return the selected rows, those of days outside too, each alike ones with their cost."""
        summed: dict[Any, StoredUsage] = {}
        for one in self.rows(asked):
            if not isinstance(one.row, TokenDay):
                continue
            blank = replace(one.row, tokens=TokenCounts(), answers=None, is_aside=False)
            key = (one.person, one.repository_id, repr(replace(blank, agent_version=None)))
            known = summed.get(key)
            tokens = one.row.tokens
            if known is not None:
                assert isinstance(known.row, TokenDay)
                tokens += known.row.tokens
            summed[key] = replace(one, row=replace(one.row, tokens=tokens))
        return [(one, at_list(row_of(one.row), packaged()).cost) for one in summed.values()]  # type: ignore[arg-type]


@given(
    sent=st.lists(uploads, max_size=14),
    merged=st.lists(merges, max_size=6),
    asked=selections,
    grain=st.sampled_from(TimeGrain),
)
@searched(20)
def test_all_amounts_are_those_of_the_raw_rows(
    store: Store, sent: list[Any], merged: list[Any], asked: dict[str, Any], grain: TimeGrain
) -> None:
    made = SpendingOrganization(store, sent, merged)
    selection = made.selection(**asked)
    questions = SpendQuestions(store.database, PersonNaming())
    try:
        found = questions.summary(selection, CostBasis.LIST, grain, today=TODAY)
        before = found.changes.before
        assert before is not None
        earlier = replace(selection, since=before.since, until=before.until)
        old = questions.summary(earlier, CostBasis.LIST, grain, today=TODAY)
    except NotShown as refused:
        # test_usage.py holds when: too few others used any.
        assert selection.team is not None, refused  # noqa: PT017
        return
    check_amounts(made, selection, grain, found)
    check_amounts(made, earlier, grain, old)
    check_changes(found, old)


def check_changes(now: SpendSummary, old: SpendSummary) -> None:
    """Hold that two periods side by side show what the page of each shows."""
    found = now.changes
    for pair, name in ((found.spent, "cost"), (found.unallocated, "unallocated")):
        assert (pair.now, pair.before) == (getattr(now.totals, name), getattr(old.totals, name))
        check_difference(pair)
    for each, name in ((found.by_pull, "by_pull"), (found.by_line, "by_line")):
        assert (each.now, each.before) == (getattr(now.shipped, name), getattr(old.shipped, name))
    for name in ("agents", "teams", "repositories"):
        new, earlier = (
            {one.name: one.cost for one in getattr(period, name) if one.name != OTHERS}
            for period in (now, old)
        )
        parts = getattr(found, name)
        assert {one.name for one in parts} == {*new, *earlier}
        for one in parts:
            assert (one.now, one.before) == (new.get(one.name), earlier.get(one.name))
            check_difference(one)


def check_difference(one: SpendChange) -> None:
    now, before = (None if cost is None else cost.amount for cost in (one.now, one.before))
    assert one.difference == (None if now is None or before is None else now - before)


def check_amounts(
    made: SpendingOrganization, selection: UsageSelection, grain: TimeGrain, found: SpendSummary
) -> None:
    """Hold that every amount is that of the raw rows."""
    costs = [
        (one, cost)
        for one, cost in made.costs(selection)
        if selection.since <= one.row.day <= selection.until
    ]
    matched = made.lines()

    def people(rows: Iterable[tuple[StoredUsage, TokenCost]]) -> dict[int, PersonCost]:
        by: defaultdict[int, PersonCost] = defaultdict(PersonCost)
        for one, cost in rows:
            is_matched = (one.row.agent, one.row.agent_session) in matched
            by[one.person] += PersonCost(**{"matched" if is_matched else "unmatched": cost})
        return dict(by)

    def parts(name: Callable[[StoredUsage], str | None]) -> Any:
        by: defaultdict[str | None, defaultdict[int, TokenCost]]
        by = defaultdict(lambda: defaultdict(TokenCost))
        for one, cost in costs:
            by[name(one)][one.person] += cost
        return folded(by)

    assert found.totals == divided(people(costs))
    assert found.agents == parts(lambda one: one.row.agent)
    assert found.models == parts(model)
    assert found.teams == parts(team)
    check_active_day(found, [one for one in costs if (selection.until - one[0].row.day).days < 28])
    by_period: defaultdict[date, list[tuple[StoredUsage, TokenCost]]] = defaultdict(list)
    for one, cost in costs:
        by_period[grain.start(one.row.day)].append((one, cost))
    points = [point.start for point in found.series]
    assert set(by_period) <= set(points)
    assert found.series == periods({day: people(own) for day, own in by_period.items()}, points)
    check_pulls(made, selection, found)


def check_active_day(found: Any, costs: list[tuple[StoredUsage, TokenCost]]) -> None:
    people: defaultdict[int, TokenCost] = defaultdict(TokenCost)
    for one, cost in costs:
        people[one.person] += cost
    days = {(one.person, one.row.day) for one, _ in costs}
    is_shown = bool(people) and may_be_shown(people)
    expected = (len(days), sum(people.values(), TokenCost())) if is_shown else (None, None)
    assert (found.active_day.days, found.active_day.cost) == expected


def model(one: StoredUsage) -> str | None:
    assert isinstance(one.row, TokenDay)
    return family_of(one.row.model) if one.row.model else None


def team(one: StoredUsage) -> str | None:
    return next((name for name, members in TEAMS.items() if one.person in members), None)


def check_pulls(made: SpendingOrganization, asked: UsageSelection, found: Any) -> None:
    """Hold that pull requests cost what their agent sessions did, whoever's days are selected."""
    everything = made.selection((0, 1), has_unplaced=True, since=FIRST, until=LAST)
    rows = [
        CostRow(agent_session=(one.row.agent, one.row.agent_session), cost=cost, day=one.row.day)
        for one, cost in made.costs(everything)
        if asked.agent in {None, one.row.agent}
    ]
    whole = allocated(rows, made.lines()).by_pull_request  # type: ignore[arg-type]
    wanted = {
        key: whole[key]
        for key, one in made.pulls.items()
        if key in whole
        and key[0] in asked.repository_ids
        and asked.since <= one.merged_at.date() <= asked.until
        and (asked.team is None or one.about.author_id in TEAMS[asked.team])
    }
    places = {f"acme-{made.number}/{place}": place for place in made.places}
    told = {(places[one.repository], one.pull_request): one for one in found.dearest}
    assert told.keys() == wanted.keys()
    assert {key: one.amount for key, one in told.items()} == {
        key: one.amount for key, one in wanted.items()
    }
    costed = {key: one for key, one in wanted.items() if one.amount is not None}
    assert (found.shipped.pulls, found.shipped.costed) == (len(wanted), len(costed))
    lines = [made.pulls[key].attributed for key in costed]
    assert found.shipped.attributed == (sum(lines) if lines else None)
    amount = sum(one.amount or 0 for one in costed.values())
    authors: defaultdict[int | None, int] = defaultdict(int)
    for key, one in costed.items():
        authors[made.pulls[key].about.author_id] += one.amount or 0
    is_shown = len(authors) >= 5 and max(authors.values()) * 100 <= 80 * amount
    assert found.shipped.amount == (amount if is_shown else None)


# --- what needs no drawing ------------------------------------------------------------------------


def everybody(store: Store, output: int = 1_000_000) -> SpendingOrganization:
    """Return an organization in which each of seven people used a million output tokens a day."""
    rows = [
        TokenDay(
            agent="claude-code",
            agent_session="s1",
            day=date(2026, 4, day),
            tokens=TokenCounts(output=output),
            answers=1,
            model="claude-opus-4-5",
            context=0,
        )
        for day in range(1, 11)
    ]
    sent = [(person, 0, UsageSource.TRANSCRIPTS, rows, []) for person in PEOPLE]
    return SpendingOrganization(store, sent, [])


def april(made: SpendingOrganization, **narrowed: Any) -> UsageSelection:
    asked = {"has_unplaced": True, "since": date(2026, 4, 1), "until": date(2026, 4, 30)}
    return made.selection((0, 1), **asked | narrowed)


@pytest.mark.parametrize(
    ("monthly", "state"),
    [(10**12, BudgetState.BELOW), (1_000_000, BudgetState.EXCEEDED)],
)
def test_a_budget_stands_beside_what_is_spent(
    sqlite_store: Store, monthly: int, state: BudgetState
) -> None:
    made = everybody(sqlite_store)
    budget = MonthlyBudget(
        of=BudgetOf.ORGANIZATION, name=None, monthly=monthly, basis=CostBasis.LIST
    )
    sqlite_store.budgets.agree(made.number, budget, by="owner", now=NOW)
    questions = SpendQuestions(sqlite_store.database, PersonNaming())
    found = questions.summary(april(made), CostBasis.LIST, TimeGrain.DAY, today=LAST)
    assert [(one.spent, one.state) for one in found.budgets] == [
        (len(PEOPLE) * 10 * 25_000_000, state)
    ]
    of_others = questions.summary(
        april(made, has_unplaced=False), CostBasis.LIST, TimeGrain.DAY, today=LAST
    )
    assert of_others.budgets == ()


def test_what_vendors_bill_is_never_added_and_never_one_person_s(sqlite_store: Store) -> None:
    made = everybody(sqlite_store)
    key = ReportKey(made.number, "cursor", "spend")
    sqlite_store.vendors.connect(made.number, "cursor", b"k", ["spend"], by="o", now=NOW)
    amounts = [
        VendorAmount(
            product="",
            billed=1_000_000,
            list_price=None,
            currency=currency,
            identity=UsageIdentity(IdentityKind.EMAIL, f"{person}@example.com"),
        )
        for person in PEOPLE
        for currency in (("USD", "EUR") if person < PEOPLE[2] else ("USD",))
    ]
    day = date(2026, 4, 3)
    sqlite_store.vendors.replace_day(key, day, [], amounts, through=day, now=NOW)
    questions = SpendQuestions(sqlite_store.database, PersonNaming())
    found = questions.summary(april(made), CostBasis.LIST, TimeGrain.DAY, today=LAST)
    assert [(one.currency, one.billed) for one in found.billed] == [
        ("EUR", None),
        ("USD", len(PEOPLE) * 1_000_000),
    ]
    for narrowed in ({"has_unplaced": False}, {"team": "core"}):
        try:
            told = questions.summary(
                april(made, **narrowed), CostBasis.LIST, TimeGrain.DAY, today=LAST
            )
        except NotShown:
            continue
        assert told.billed == ()
