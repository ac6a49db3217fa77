"""Whole pages of the summaries, and what they do not say of one person."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given

from ghapp.attribution.model import AuditState
from ghapp.store import Store
from ghapp.store.erasures import ErasedBy
from ghapp.store.evidence import ErasureScope
from ghapp.store.schema import team_member
from ghapp.store.summaries.groups import first as leaders
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.store.summaries.tally import day_number
from ghapp.summaries.counts import OrganizationSummary, PullCounts, PullFacts
from ghapp.summaries.selection import (
    ListSlice,
    NamesShown,
    NotShown,
    PersonNaming,
    PullOrder,
    PullSelection,
    RankBy,
    TimeGrain,
)
from tests.searching import searched
from tests.store.records import NOW, document, edit
from tests.store.summaries.worlds import (
    LAST,
    PEOPLE,
    TEAMS,
    Audited,
    World,
    be_teams,
    by_authors,
    organizations,
    selections,
)


@searched(3)
@given(organizations(), selections())
def test_a_page_has_every_number_of_its_parts(
    store: Store, saved: list[Audited], asked: dict[str, Any]
) -> None:
    be_teams(store)
    world = World(store, saved)
    slow, quick = world.slow(), SummaryQuestions(store.database, PEOPLE)
    selection = PullSelection(tuple(world.ids[:3]), **asked)
    totals, weeks = slow.totals(selection), slow.series(selection, TimeGrain.WEEK)
    agents, languages = slow.agents(selection), slow.languages(selection)
    page = quick.repository(selection, TimeGrain.WEEK)
    assert (page.totals, page.series, page.agents) == (totals, weeks, agents)
    assert (page.directories, page.languages) == (slow.directories(selection), languages)
    whole = quick.organization(selection, TimeGrain.WEEK, today=LAST)
    assert (whole.totals, whole.series, whole.agents) == (totals, weeks, agents)
    assert (whole.languages, whole.repositories) == (languages, slow.repositories(selection))
    assert whole.teams == slow.team_rows(selection)
    assert quick.totals(selection) == totals
    assert quick.people(selection) == slow.people(selection, PEOPLE)
    assert quick.trends(selection, selection.repository_ids) == slow.trends(selection)


def test_a_page_has_the_largest_the_leaders_and_the_latest_days(store: Store) -> None:
    be_teams(store)
    ours = by_authors(store, {"Ann": 1, "bob": 2, "carl": 1, "dora": 1, "Eve": 1})
    store.evidence.add(42, [edit("e1", actor="Ann")], now=NOW)
    quick, today = SummaryQuestions(store.database, TEAMS), NOW.date()
    page = quick.repository(ours, TimeGrain.WEEK)
    assert page.largest == quick.pulls(ours, ListSlice(PullOrder.EFFECTIVE, limit=10)).rows
    whole = quick.organization(ours, TimeGrain.MONTH, today=today)
    assert whole.totals == page.totals == quick.totals(ours)
    people = quick.people(ours)
    assert whole.leaderboard_pulls == leaders(people, RankBy.PULLS, 10)
    assert whole.leaderboard_lines == leaders(people, RankBy.LINES, 10)
    (active,) = whole.adoption
    assert (active.day, active.pulls_per_developer) == (today, 6)
    later = quick.organization(ours, TimeGrain.MONTH, today=today + timedelta(days=91))
    assert later.adoption is None
    assert later.series == whole.series


def test_erasure_takes_a_persons_name_from_the_summaries(store: Store) -> None:
    about = PullFacts(title="One", author="Ann", author_id=1)
    store.audits.save(42, 17, document(), now=NOW, about=about)
    store.evidence.add(42, [edit("e1", actor="Ann"), edit("e2", actor="bob")], now=NOW)
    quick, ours = SummaryQuestions(store.database, PEOPLE), PullSelection((42,))

    def whole() -> OrganizationSummary:
        return quick.organization(ours, TimeGrain.DAY, today=NOW.date())

    assert [row.name for row in quick.people(ours)] == ["Ann"]
    assert whole().adoption[0].developers == 2
    everything = ErasureScope(login="ANN")
    assert store.evidence.erase(everything, ErasedBy.DEVELOPER, now=NOW) == 1
    assert [row.name for row in quick.people(ours)] == ["Ann"]
    assert whole().adoption[0].developers == 1
    store.evidence.erase(everything, ErasedBy.ADMINISTRATOR, now=NOW)
    assert [row.name for row in quick.people(ours)] == ["(unknown)"]
    assert quick.pulls(ours, ListSlice()).rows[0].author is None
    assert whole().adoption[0].developers == 1
    assert quick.totals(ours).pulls == 1
    store.audits.save(42, 17, document(state=AuditState.FINAL), now=NOW, about=about)
    assert [row.name for row in quick.people(ours)] == ["(unknown)"]
    assert quick.pulls(ours, ListSlice()).rows[0].title == "One"


# --- who is named ---------------------------------------------------------------------------------


def test_where_teams_are_shown_nothing_is_said_of_one_person(sqlite_store: Store) -> None:
    be_teams(sqlite_store)
    ours = by_authors(sqlite_store, {"Ann": 1, "bob": 2, "carl": 1, "dora": 1, "Eve": 1})
    quick = SummaryQuestions(sqlite_store.database, TEAMS)
    assert [(row.name, row.people) for row in quick.people(ours)] == [("core", 5)]
    (row, *_) = quick.pulls(ours, ListSlice()).rows
    assert (row.author, row.team) == (None, "core")
    asked = PullSelection((42,), author="ann")
    for ask in (quick.totals, quick.people, lambda one: quick.pulls(one, ListSlice())):
        with pytest.raises(NotShown, match="people are not named"):
            ask(asked)


def test_pseudonyms_are_stable_and_in_no_list_of_pull_requests(sqlite_store: Store) -> None:
    ours = by_authors(sqlite_store, {"Ann": 2, "bob": 1})
    naming = PersonNaming(names=NamesShown.PSEUDONYMS, key=b"k" * 32)
    quick = SummaryQuestions(sqlite_store.database, naming)
    (first, second) = leaders(quick.people(ours), RankBy.PULLS, 10)
    assert (first.name, second.name) == (naming.of("ann"), naming.of("BOB"))
    assert first.name.startswith("person-")
    assert naming.of("Ann") != PersonNaming(names=NamesShown.PSEUDONYMS, key=b"x").of("Ann")
    assert {row.author for row in quick.pulls(ours, ListSlice()).rows} == {None}
    with pytest.raises(NotShown):
        quick.totals(PullSelection((42,), author="ann"))


def test_a_team_of_four_is_not_broken_out_in_any_way(store: Store) -> None:
    be_teams(store)
    ours = by_authors(store, {"Ann": 1, "bob": 1, "carl": 1, "dora": 1})
    quick = SummaryQuestions(store.database, TEAMS)
    page = quick.organization(ours, TimeGrain.DAY, today=LAST)
    assert [(row.team, row.people) for row in page.teams] == [(None, 4)]
    team = PullSelection((42,), team="core")
    for ask in (
        quick.totals,
        quick.people,
        quick.outcomes,
        lambda one: quick.repository(one, TimeGrain.DAY),
        lambda one: quick.organization(one, TimeGrain.DAY, today=LAST),
        lambda one: quick.trends(one, (42,)),
        lambda one: quick.pulls(one, ListSlice()),
    ):
        with pytest.raises(NotShown, match="fewer than 5"):
            ask(team)
    by_authors(store, {"Eve": 1})
    assert quick.totals(PullSelection((42,), team="nobody's")) == PullCounts()


def test_who_begins_later_is_in_no_team_yet(sqlite_store: Store) -> None:
    ours = by_authors(sqlite_store, dict.fromkeys("abcdef", 1))
    row = {"account_lower": "acme", "source": "csv", "team": "core"}
    rows = [{**row, "login": one, "login_lower": one, "since": day_number(LAST)} for one in "abcde"]
    with sqlite_store.database.write() as connection:
        connection.execute(sqlite_store.database.insert(team_member), rows)
    quick = SummaryQuestions(sqlite_store.database, TEAMS)
    until = msgspec.structs.replace(ours, until=date(2026, 3, 1))
    assert quick.organization(until, TimeGrain.DAY, today=LAST).teams == ()
    assert {row.team for row in quick.pulls(ours, ListSlice()).rows} == {"core", None}
