"""Which group of people is shown by itself, who leads, and what is a quiet spot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.store.summaries.conditions import TeamMembers
from ghapp.store.summaries.groups import (
    OTHERS,
    UNKNOWN,
    first,
    fold_teams,
    person_counts,
    quiet_rule,
    total,
)
from ghapp.summaries.counts import PullCounts, QuietReason
from ghapp.summaries.selection import RankBy


@given(st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.sampled_from(["x", "y", "z", None])))
def test_a_group_that_is_told_apart_has_five_people(members: dict[str, str | None]) -> None:
    teams = TeamMembers({login: team for login, team in members.items() if team})
    authors = {login: PullCounts(pulls=1) for login in members}
    rows = fold_teams(authors, teams)
    assert sum(row.counts.pulls for row in rows) == len(members)
    assert all(row.people >= 5 for row in rows if row.team)
    # The rest must not give away a few people by what is missing in it.
    assert len(rows) == 1 or all(row.people >= 5 for row in rows)


def test_bots_and_unknown_authors_make_no_group_larger() -> None:
    teams = TeamMembers(dict.fromkeys(["ann", "bob", "cid", "dan", "helper[bot]"], "core"))
    logins = ["ann", "Ann", "bob", "cid", "dan", "helper[bot]", ""]
    (row,) = fold_teams({login: PullCounts(pulls=1) for login in logins}, teams)
    assert (row.team, row.people, row.counts.pulls) == (None, 4, 7)


def test_leaders_are_sorted_by_what_is_with_an_agent() -> None:
    rows = [
        person_counts("many", 1, PullCounts(pulls=9, assisted=1, effective=5, attributed=5)),
        person_counts("most", 1, PullCounts(pulls=3, assisted=2, effective=4, attributed=4)),
        person_counts(UNKNOWN, 0, PullCounts(pulls=9, assisted=1, effective=9, attributed=5)),
        person_counts(OTHERS, 9, PullCounts(pulls=99, assisted=99)),
        person_counts("also", 1, PullCounts(pulls=3, assisted=2, effective=4, attributed=4)),
    ]
    by_pulls = [row.name for row in first(rows, RankBy.PULLS, 10)]
    assert by_pulls == ["also", "most", UNKNOWN, "many"]
    assert [row.name for row in first(rows, RankBy.LINES, 3)] == [UNKNOWN, "many", "also"]


def test_the_total_of_nothing_is_nothing() -> None:
    assert total([]) == PullCounts()
    assert total([PullCounts(pulls=1), PullCounts(pulls=2)]) == PullCounts(pulls=3)


@pytest.mark.parametrize(
    ("now", "before", "rule"),
    [
        (PullCounts(pulls=9, no_evidence=9), PullCounts(), None),
        (
            PullCounts(pulls=10, no_evidence=10),
            PullCounts(pulls=90, assisted=80),
            QuietReason.NO_EVIDENCE,
        ),
        (PullCounts(pulls=10, no_evidence=9), PullCounts(pulls=90), QuietReason.NEVER_STARTED),
        (PullCounts(pulls=10, assisted=1), PullCounts(pulls=90), None),
        (PullCounts(pulls=100, assisted=24), PullCounts(pulls=100, assisted=50), QuietReason.FELL),
        (PullCounts(pulls=100, assisted=25), PullCounts(pulls=100, assisted=50), None),
        (PullCounts(pulls=100, assisted=5), PullCounts(pulls=100, assisted=14), None),
        (PullCounts(pulls=100, assisted=5), PullCounts(pulls=9, assisted=9), None),
    ],
)
def test_a_quiet_spot_follows_its_rule(
    now: PullCounts, before: PullCounts, rule: QuietReason | None
) -> None:
    assert quiet_rule(now, before) is rule
