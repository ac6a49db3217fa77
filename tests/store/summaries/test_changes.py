"""A comparison shows of each period what a page of that period shows, and no other cell."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from ghapp.store import Repository, Store
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.summaries.changes import ChangeMeasure
from ghapp.summaries.counts import PullCounts, PullFacts
from ghapp.summaries.periods import DayPeriod, period_before
from ghapp.summaries.selection import NotShown, PullSelection, TimeGrain
from tests.searching import searched
from tests.store.records import NOW, document
from tests.store.summaries.worlds import (
    FIRST,
    LAST,
    LOGINS,
    PEOPLE,
    TEAMS,
    Audited,
    World,
    be_teams,
    days,
    every_kind,
    organizations,
    selections,
)

MIDDLE = FIRST + (LAST - FIRST) / 2


@searched(3)
@given(organizations(), days, st.integers(0, 60), st.lists(selections(), max_size=2))
@example(every_kind(), LAST, (LAST - MIDDLE).days, [{}, {"team": "core"}, {"agent": "codex"}])
def test_each_cell_is_one_of_a_page_of_its_period(
    sqlite_store: Store, saved: list[Audited], until: Any, length: int, asked: list[dict[str, Any]]
) -> None:
    be_teams(sqlite_store)
    ids = tuple(World(sqlite_store, saved).ids[:3])
    questions = SummaryQuestions(sqlite_store.database, PEOPLE)
    period = DayPeriod(until - timedelta(days=length), until)
    before = period_before(period)
    assert before is not None
    for one in asked:
        selection = PullSelection(ids, **one)
        try:
            found = questions.changes(selection, period)
        except NotShown:
            continue
        for days_, part in ((period, "now"), (before, "before")):
            page = of_page(questions, selection, days_)
            teams = {row.name: getattr(row, part) for row in found.teams}
            places = {row.name: getattr(row, part) for row in found.repositories}
            assert {name: counts for name, counts in teams.items() if counts} == page["teams"]
            assert {name: counts for name, counts in places.items() if counts} == page["places"]
            totals = found.totals if part == "now" else found.totals_before or PullCounts()
            assert totals == page["totals"]
            figure = getattr(found.measure(ChangeMeasure.SHARE), part)
            assert figure.value == pytest.approx(page["totals"].share)


def of_page(
    questions: SummaryQuestions, selection: PullSelection, period: DayPeriod
) -> dict[str, Any]:
    """Return what an organization's page shows of a period; nothing if it refuses."""
    asked = replace(selection, since=period.since, until=period.until)
    try:
        page = questions.organization(asked, TimeGrain.MONTH, today=LAST)
    except NotShown:
        return {"teams": {}, "places": {}, "totals": PullCounts()}
    return {
        "teams": {row.team: row.counts for row in page.teams if row.team},
        "places": {row.repository: row.counts for row in page.repositories},
        "totals": page.totals,
    }


def test_a_team_of_whom_few_merged_before_is_compared_with_nothing(store: Store) -> None:
    be_teams(store)
    store.installations.repository_seen(Repository(id=42, owner="acme", name="shop"), now=NOW)
    core = [login for login in LOGINS[:6] if login]
    # Ten days ago one alone merged; now all of them did.
    for number, login in enumerate([core[0], *core], start=1):
        merged_at = NOW - timedelta(days=10 if number == 1 else 1)
        made = document(merged_at=merged_at, pull_request=number)
        store.audits.save(42, number, made, now=NOW, about=PullFacts(author=login))
    questions = SummaryQuestions(store.database, TEAMS)
    week = DayPeriod((NOW - timedelta(days=6)).date(), NOW.date())
    (team,) = questions.changes(PullSelection((42,)), week).teams
    assert (team.name, team.now is None, team.before) == ("core", False, None)
    assert team.share.before.value is None
    assert team.share.difference.value is None
    share = team.share.now
    assert share.value is not None
    assert (share.low or 0) < share.value < (share.high or 0)
    alone = questions.changes(PullSelection((42,), team="core"), week)
    assert alone.totals.pulls == len(core)
    assert alone.totals_before is None
    assert all(one.before.count == 0 and one.before.value is None for one in alone.measures)
    with pytest.raises(NotShown):
        questions.changes(PullSelection((42,), team="core"), period_before(week) or week)
