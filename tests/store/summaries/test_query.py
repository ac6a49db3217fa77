"""Every number of the summaries equals a slow count over the audit documents themselves."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ghapp.attribution.model import Verdict
from ghapp.store import Repository, Store
from ghapp.store.summaries.query import ReadTransaction, SelectionQuery, closest, partial_edges
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.summaries.counts import PullFacts, QuietReason
from ghapp.summaries.selection import PullSelection, TimeGrain
from tests.searching import searched
from tests.store.records import NOW, document
from tests.store.summaries.worlds import (
    LOGINS,
    PEOPLE,
    TEAMS,
    Audited,
    World,
    be_teams,
    every_kind,
    every_question,
    organizations,
    selections,
)


@searched(4)
@given(organizations(), st.lists(selections(), min_size=2, max_size=4))
@example([], [{}])
@example(every_kind(), every_question())
def test_every_number_is_equal_to_a_slow_count(
    store: Store, saved: list[Audited], asked: list[dict[str, Any]]
) -> None:
    be_teams(store)
    world = World(store, saved)
    slow = world.slow()
    with store.database.read() as connection:
        transaction = ReadTransaction(connection, PEOPLE)
        for one in asked:
            selection = PullSelection(tuple(world.ids[:3]), **one)
            quick = SelectionQuery(transaction, selection)
            assert quick.totals() == slow.totals(selection)
            for grain in TimeGrain:
                assert quick.series(grain) == slow.series(selection, grain)
            assert quick.agents() == slow.agents(selection)
            assert quick.models() == slow.models(selection)
            assert quick.directories() == slow.directories(selection)
            assert quick.languages() == slow.languages(selection)
            assert quick.repositories() == slow.repositories(selection)
            assert quick.teams() == slow.team_rows(selection)
            assert quick.people() == slow.people(selection, PEOPLE)
            assert quick.trends(tuple(world.ids)) == slow.trends(selection)


def test_what_is_looked_up_once_stays_in_a_transaction(store: Store) -> None:
    be_teams(store)
    store.installations.repository_seen(Repository(id=42, owner="acme", name="shop"), now=NOW)
    with store.database.read() as connection:
        transaction = ReadTransaction(connection, PEOPLE)
        assert transaction.teams((42,), None) is transaction.teams((42,), None)
        assert transaction.cover((42,)) is transaction.cover((42,))
        assert transaction.names([42, 43]) == {42: "acme/shop"}
        assert transaction.names([]) == {42: "acme/shop"}


JANUARY, APRIL = date(2026, 1, 15), date(2026, 4, 15)


@pytest.mark.parametrize(
    ("since", "until", "grain"),
    [
        (None, None, TimeGrain.MONTH),
        (JANUARY, None, TimeGrain.MONTH),
        (JANUARY, APRIL, TimeGrain.WEEK),
        (JANUARY, JANUARY + timedelta(days=129), TimeGrain.WEEK),
        (JANUARY, JANUARY + timedelta(days=130), TimeGrain.MONTH),
    ],
)
def test_a_short_span_is_read_by_week(
    since: date | None, until: date | None, grain: TimeGrain
) -> None:
    assert closest(PullSelection((42,), since=since, until=until)) is grain


def test_the_days_that_no_whole_month_covers_are_the_edges() -> None:
    asked = PullSelection((42,), since=JANUARY, until=APRIL)
    assert partial_edges(asked) == [(JANUARY, date(2026, 1, 31)), (date(2026, 4, 1), APRIL)]
    assert partial_edges(msgspec.structs.replace(asked, until=date(2026, 1, 20))) == [
        (JANUARY, date(2026, 1, 20))
    ]
    whole = PullSelection((42,), since=date(2026, 1, 1), until=date(2026, 4, 30))
    assert partial_edges(whole) == partial_edges(PullSelection((42,))) == []


def test_a_repository_whose_adoption_fell_is_a_quiet_spot(store: Store) -> None:
    be_teams(store)
    today = NOW.date()
    store.installations.repository_seen(Repository(id=42, owner="acme", name="shop"), now=NOW)
    logins = [login for login in LOGINS[:6] if login]
    for number in range(1, 41):
        fell = number > 20
        merged_at = NOW - timedelta(days=27 if fell else 31 + number)
        verdict = Verdict.NOT_ASSISTED if fell else Verdict.ASSISTED
        made = document(merged_at=merged_at, pull_request=number, verdict=verdict)
        store.audits.save(42, number, made, now=NOW, about=PullFacts(author=logins[number % 6]))
    quick = SummaryQuestions(store.database, TEAMS)
    spots = quick.organization(PullSelection((42, 43)), TimeGrain.DAY, today=today).quiet
    (spot,) = spots or ()
    assert (spot.name, spot.team) == ("acme/shop", "core")
    assert (spot.rule, spot.now.pulls, spot.before.pulls) == (QuietReason.FELL, 20, 20)
    # The last whole week begins on Monday, 11 May: 23 April was the last day with agents' work.
    assert spot.since == date(2026, 4, 20)
