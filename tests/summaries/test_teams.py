"""A table of teams is read whole, or everything that is wrong with it is said."""

import itertools
import random
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.summaries.tables import TableError
from ghapp.summaries.teams import Stretches, TeamMember, changed, read_team_file
from tests.searching import searched


def test_a_table_as_a_spreadsheet_writes_it() -> None:
    text = (
        '\ufeffPerson,Team,Role,Start date\r\nann,"core, web",lead,2026-01-31\r\nBob,ops,,\r\n\r\n'
    )
    assert read_team_file(text).members == (
        TeamMember("ann", "core, web", "lead", date(2026, 1, 31)),
        TeamMember("Bob", "ops"),
    )
    [one] = read_team_file("person,team,Cost center\nann,core,4711\n").members
    assert one.cost_center == "4711"
    assert read_team_file("team,person\ncore,ann\n").members == (TeamMember("ann", "core"),)
    read = read_team_file(
        "person,email,team,role,start_date,end_date,manager,cost_center,location\n"
        "ann,Ann@Example.com,core,lead,2021-03-01,2026-05-31,bob,4711,Berlin\n"
    )
    assert read.emails == {"ann@example.com": "ann"}
    days = {"since": date(2021, 3, 1), "until": date(2026, 5, 31)}
    facts = {"role": "lead", "cost_center": "4711", "location": "Berlin"}
    assert read.members == (TeamMember("ann", "core", **facts, **days),)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1"),
        ("person\nann\n", "give person, email, team, role, location, cost_center"),
        ("person,team,salary\nann,core,1\n", "give person, email, team"),
        ("person,team,team\nann,core,x\n", "give person, email, team"),
        ("person,team\nann,core\nbob\n", "line 3: 1 cells"),
        ("person,team\nann,\n", "line 2: the person or the team is missing"),
        ("person,team\nann,core\nANN,ops\n", "line 3: ANN is listed twice"),
        ("person,team,cost_center\nann,core,(none)\n", "left to"),
        ("person,team,start_date\nann,core,31.1.2026\n", "write it as 2026-01-31"),
        ("person,team,email\nann,core,ann\n", "no e-mail address"),
        ("person,team,email\nann,core,a@b\nbob,core,A@B\n", "line 3: A@B is listed twice"),
        ("person,team,start_date,end_date\nann,core,2026-02-01,2026-01-31\n", "is before"),
        ('person,team\nann,"core\n', "use commas and quotes"),
        ("person,team\nann,a\u202eb\n", "unprintable"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(TableError, match=problem):
        read_team_file(text)


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(TableError) as caught:
        read_team_file("person,team\nann,\nbob\n")
    assert len(caught.value.problems) == 2


# --- tables that follow each other ----------------------------------------------------------------

DAY = date(2026, 5, 20)
ONE_DAY = timedelta(days=1)


def after(
    known: dict[str, Stretches], rows: Sequence[TeamMember], day: date
) -> dict[str, Stretches]:
    """Return what is known after a table."""
    changes = {one.login.lower(): one.after for one in changed(known, rows, day)}
    return {login: own for login, own in {**known, **changes}.items() if own}


def test_who_moves_leaves_and_comes_back_has_each_of_it_with_its_days() -> None:
    start = date(2021, 3, 1)
    known = after({}, [TeamMember("Ann", "core", since=start), TeamMember("bob", "core")], DAY)
    moved = [TeamMember("ann", "web", since=start), TeamMember("bob", "core")]
    (change,) = changed(known, moved, DAY + ONE_DAY)
    assert (change.login, change.what) == ("ann", "moves")
    known = after(known, moved, DAY + ONE_DAY)
    assert known["ann"] == (
        TeamMember("Ann", "core", since=start, until=DAY),
        TeamMember("ann", "web", since=DAY + ONE_DAY),
    )
    # The start date is the day of the move where the table says so.
    on_a_day = [TeamMember("bob", "ops", since=date(2026, 5, 4))]
    known = after(known, on_a_day, DAY + 5 * ONE_DAY)
    assert [(one.team, one.since, one.until) for one in known["bob"]] == [
        ("core", None, date(2026, 5, 3)),
        ("ops", date(2026, 5, 4), None),
    ]
    assert known["ann"][-1].until == DAY + 4 * ONE_DAY
    back = after(known, [*moved[:1], *on_a_day], DAY + 9 * ONE_DAY)
    assert [one.since for one in back["ann"]] == [start, DAY + ONE_DAY, DAY + 9 * ONE_DAY]
    assert after(known, [], DAY + 9 * ONE_DAY) == {}


def test_what_was_wrong_is_corrected_on_the_same_day_without_a_trace() -> None:
    right, wrong = TeamMember("ann", "core"), TeamMember("ann", "cor")
    first = after({}, [right], DAY)
    later = DAY + ONE_DAY
    assert after(after(first, [wrong], later), [right], later) == first
    assert after(after({}, [wrong], DAY), [right], DAY)["ann"][-1].team == "core"


days = st.integers(0, 9).map(lambda day: DAY + day * ONE_DAY)
members = st.builds(
    TeamMember,
    st.sampled_from(["ann", "Bob", "cid"]),
    st.sampled_from(["core", "web"]),
    role=st.sampled_from([None, "lead"]),
    since=st.none() | days,
    until=st.none() | days,
).filter(lambda one: not (one.since and one.until and one.until < one.since))
tables = st.lists(members, max_size=3, unique_by=lambda one: one.login)


@given(st.lists(tables, min_size=1, max_size=5))
@searched(60)
def test_a_table_again_changes_nothing_and_no_day_is_in_two_teams(
    made: list[list[TeamMember]],
) -> None:
    known: dict[str, Stretches] = {}
    for number, rows in enumerate(made):
        day = DAY + 2 * number * ONE_DAY
        known = after(known, rows, day)
        assert not list(changed(known, rows, day))
        assert not list(changed(known, rows[::-1], day))
        for own in known.values():
            for one in own:
                assert (one.since or date.min) <= (one.until or date.max)
            for one, following in itertools.pairwise(own):
                assert one.until is not None
                assert following.since is not None
                assert one.until < following.since


def test_five_thousand_people_in_any_order_twice_with_moves_and_leavers() -> None:
    first = [TeamMember(f"p{n}", f"team {n % 40}") for n in range(5_000)]
    second = [TeamMember(f"p{n}", f"team {(n + n % 7 // 6) % 40}") for n in range(200, 5_100)]
    straight = after(after({}, first, DAY), second, DAY + ONE_DAY)
    mixed: dict[str, Stretches] = {}
    order = random.Random(7)  # noqa: S311 - an order, no secret
    for rows, day in ((first, DAY), (first, DAY), (second, DAY + ONE_DAY), (second, DAY + ONE_DAY)):
        mixed = after(mixed, order.sample(rows, len(rows)), day)
    assert mixed == straight
    assert sum(len(own) == 2 for own in straight.values()) == sum(
        n % 7 == 6 for n in range(200, 5_000)
    )
    assert sum(own[-1].until is not None for own in straight.values()) == 200
