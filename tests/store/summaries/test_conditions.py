"""How a selection becomes spans of days and conditions, and who is in which team."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from ghapp.store import Repository, Store
from ghapp.store.schema import pull_lines, pull_summary
from ghapp.store.summaries.conditions import (
    MANY,
    GrainSpan,
    TeamMembers,
    below,
    child,
    counted,
    day_of,
    finest,
    latest_days,
    midnight,
    one_of,
    spans,
    teams_of,
    to_day,
)
from ghapp.store.summaries.tally import day_number
from ghapp.summaries.selection import PullSelection, TimeGrain
from ghapp.summaries.teams import TeamMember, TeamSource
from tests.store.records import NOW, document

some_day = st.dates(date(2025, 12, 1), date(2026, 4, 30))


def _days(span: GrainSpan) -> list[date]:
    """Return the days of a span without open ends: to the end of its last period."""
    assert span.first is not None
    assert span.last is not None
    assert span.grain.start(to_day(span.first)) == to_day(span.first)
    end = span.grain.next(span.grain.start(to_day(span.last)))
    return [to_day(number) for number in range(span.first, day_number(end))]


@given(some_day, some_day, st.sampled_from(TimeGrain))
def test_spans_have_every_day_once(since: date, until: date, grain: TimeGrain) -> None:
    selection = PullSelection((), since=since, until=until)
    asked = [since + timedelta(n) for n in range((until - since).days + 1)]
    for found in (spans(selection, grain), finest(selection)):
        days = [day for span in found if _is_some(span) for day in _days(span)]
        assert sorted(days) == asked


def _is_some(span: GrainSpan) -> bool:
    return span.first is not None and span.last is not None and span.first <= span.last


def test_an_open_end_has_no_limit() -> None:
    since = date(2026, 1, 30)
    assert [*spans(PullSelection((), since=since), TimeGrain.MONTH)] == [
        GrainSpan(TimeGrain.DAY, day_number(since), day_number(date(2026, 1, 31))),
        GrainSpan(TimeGrain.MONTH, day_number(date(2026, 2, 1)), None),
    ]
    assert [*finest(PullSelection(()))] == [GrainSpan(TimeGrain.MONTH, None, None)]


def test_the_finest_spans_are_months_weeks_and_days() -> None:
    asked = PullSelection((), since=date(2026, 1, 15), until=date(2026, 3, 31))
    assert [(span.grain, to_day(span.first or 0)) for span in finest(asked)] == [
        (TimeGrain.DAY, date(2026, 1, 15)),
        (TimeGrain.WEEK, date(2026, 1, 19)),
        (TimeGrain.DAY, date(2026, 1, 26)),
        (TimeGrain.MONTH, date(2026, 2, 1)),
    ]


def test_the_latest_days_are_those_before_the_end_of_the_selection() -> None:
    today = date(2026, 5, 20)
    assert latest_days(PullSelection(()), 1, today).since == today
    ended = PullSelection((), until=date(2026, 3, 10))
    assert latest_days(ended, 7, today).since == date(2026, 3, 4)
    begun = PullSelection((), since=date(2026, 5, 19))
    assert latest_days(begun, 7, today).since == date(2026, 5, 19)


@pytest.mark.parametrize("number", [1, 2, MANY - 1, MANY, MANY + 1])
def test_repositories_are_the_same_by_either_index(store: Store, number: int) -> None:
    for one in (1, MANY, MANY + 9):
        store.audits.save(one, 17, document(), now=NOW)
    ids = tuple(range(1, number + 1))
    column = pull_summary.c.repository_id
    query = select(column).where(one_of(column, ids)).order_by(column)
    assert [one for (one,) in store.database.rows(query)] == [
        one for one in (1, MANY) if one in ids
    ]


def test_a_day_in_the_database_is_a_day_of_utc(store: Store) -> None:
    day = NOW.date()
    instants = [midnight(day) - timedelta(microseconds=1), midnight(day), NOW]
    for number, instant in enumerate(instants):
        made = document(pull_request=number, merged_at=instant)
        store.audits.save(42, number, made, now=NOW)
    query = select(day_of(pull_summary.c.merged_at)).order_by(pull_summary.c.pull_request)
    days = [to_day(number) for (number,) in store.database.rows(query)]
    assert days == [day - timedelta(1), day, day]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("src", ["src", "src/web"]),
        ("/src/web/", ["src/web"]),
        (".", ["."]),
        ("", ["."]),
        ("s_c", []),
        ("%", []),
        ("SRC", ["SRC"]),
    ],
)
def test_below_a_directory_is_itself_and_what_is_in_it(
    store: Store, path: str, found: list[str]
) -> None:
    shared = {"pull_request": 17, "merged_at": NOW, "language": "Go", "change_complete": True}
    lines = {"added": 1, "effective": 1, "attributed": 1}
    places = [".", "src", "src/web", "srcs", "SRC"]
    rows = [{**shared, **lines, "repository_id": 42, "directory": one} for one in places]
    with store.database.write() as connection:
        connection.execute(store.database.insert(pull_lines), rows)
    query = select(pull_lines.c.directory).where(below(path)).order_by(pull_lines.c.directory)
    assert [one for (one,) in store.database.rows(query)] == found


@pytest.mark.parametrize(
    ("directory", "path", "shown"),
    [
        (".", None, "."),
        (".", ".", "."),
        ("src", None, "src"),
        ("src/web/old", "/src/", "src/web"),
        ("src/web", "src/web", "src/web"),
    ],
)
def test_a_directory_is_shown_right_below_the_one_asked_for(
    directory: str, path: str | None, shown: str
) -> None:
    assert child(directory, path) == shown


def test_sums_of_nothing_are_zero() -> None:
    assert counted([None, 2]) == (0, 2)


# --- teams ----------------------------------------------------------------------------------------


def test_a_team_is_named_from_five_people_on() -> None:
    large, small = dict.fromkeys("abcde", "core"), dict.fromkeys("wxyz", "web")
    teams = TeamMembers(large | small)
    assert (teams.of("A"), teams.of("w"), teams.of("q"), teams.of(None)) == (
        "core",
        "web",
        None,
        None,
    )
    assert (teams.shown("A"), teams.shown("w"), teams.shown("q")) == ("core", None, None)
    assert teams.members("web") == [*"wxyz"]
    assert teams.members("other") == []
    assert teams
    assert not TeamMembers({})


def _teams(store: Store, until: date | None = None) -> dict[str, str | None]:
    with store.database.read() as connection:
        found = teams_of(connection, (1, 2), until)
    return {login: found.of(login) for login in ("ann", "bob", "cid")}


def test_each_account_uses_the_first_source_that_has_any_teams(store: Store) -> None:
    for number, owner in enumerate(("Acme", "other", "hidden"), 1):
        seen = Repository(id=number, owner=owner, name="shop")
        store.installations.repository_seen(seen, now=NOW)
    assert _teams(store) == {"ann": None, "bob": None, "cid": None}
    store.teams.replace("acme", TeamSource.CODEOWNERS, [TeamMember("ann", "owners")])
    store.teams.replace("acme", TeamSource.GITHUB, [TeamMember("Ann", "web")])
    store.teams.replace("other", TeamSource.CODEOWNERS, [TeamMember("bob", "owners")])
    store.teams.replace("hidden", TeamSource.CSV, [TeamMember("cid", "secret")])
    assert _teams(store) == {"ann": "web", "bob": "owners", "cid": None}
    store.teams.replace("ACME", TeamSource.CSV, [TeamMember("cid", "core")])
    assert _teams(store) == {"ann": None, "bob": "owners", "cid": "core"}


def test_who_moved_counts_where_they_are_or_where_they_were_then(store: Store) -> None:
    store.installations.repository_seen(Repository(id=1, owner="acme", name="shop"), now=NOW)
    begin, moved = date(2026, 2, 1), date(2026, 4, 1)
    first = [TeamMember("ann", "core", since=begin), TeamMember("bob", "core")]
    store.teams.import_table("acme", first, begin)
    store.teams.import_table("acme", [TeamMember("ann", "web", since=begin)], moved)
    asked = (None, moved, moved - timedelta(1), begin - timedelta(1))
    assert [_teams(store, day)["ann"] for day in asked] == ["web", "web", "web", None]
    assert [_teams(store, day)["bob"] for day in asked] == [None, None, "core", "core"]
    store.teams.count_then("acme", of_then=True)
    assert [_teams(store, day)["ann"] for day in asked] == ["web", "web", "core", None]
    assert [_teams(store, day)["bob"] for day in asked] == [None, None, "core", "core"]


def test_a_member_counts_from_the_first_day_on(store: Store) -> None:
    store.installations.repository_seen(Repository(id=1, owner="acme", name="shop"), now=NOW)
    begin = date(2026, 2, 1)
    store.teams.replace("acme", TeamSource.CSV, [TeamMember("ann", "core", since=begin)])
    assert _teams(store, begin)["ann"] == _teams(store)["ann"] == "core"
    assert _teams(store, begin - timedelta(1))["ann"] is None
