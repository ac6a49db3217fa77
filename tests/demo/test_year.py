"""The demo's year: the same every time, in order, and as uneven as real ones."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from ghapp.demo.cast import PLACES, TEAMS, USER_IDS, DemoRepository
from ghapp.demo.fates import fate
from ghapp.demo.year import merged

UNTIL = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
DAYS = 60


def year(place: DemoRepository) -> list[object]:
    return list(merged(place, UNTIL, Random(place.name), DAYS))  # noqa: S311 - a demo's


@pytest.mark.parametrize("place", PLACES, ids=lambda one: one.name)
def test_it_is_the_same_every_time(place: DemoRepository) -> None:
    assert year(place) == year(place)


def test_pull_requests_come_in_order_and_less_on_weekends() -> None:
    pulls = list(merged(PLACES[0], UNTIL, Random(1), DAYS))  # noqa: S311 - a demo's
    assert [one.number for one in pulls] == list(range(1, len(pulls) + 1))
    times = [one.merged_at for one in pulls]
    assert times == sorted(times)
    assert max(times) < UNTIL
    days = Counter(at.weekday() > 4 for at in times)
    assert days[False] > 10 * days[True]


def test_every_edit_is_older_than_its_merge_and_made_by_the_author() -> None:
    pulls = list(merged(PLACES[1], UNTIL, Random(2), DAYS))  # noqa: S311 - a demo's
    edits = [(pull, edit) for pull in pulls for edit in pull.edits]
    assert edits
    assert all(edit.at < pull.merged_at and edit.actor == pull.author for pull, edit in edits)
    ids = [edit.id for _, edit in edits]
    assert len(ids) == len(set(ids))


def test_adoption_rises_falls_or_never_starts() -> None:
    ends = {
        team.name: (team.adoption(0.0), team.adoption(0.8), team.adoption(1.0)) for team in TEAMS
    }
    assert all(begin == 0 for begin, _, _ in ends.values())
    assert ends["Web"][2] > 0.7
    assert ends["Mobile"][1] > 3 * ends["Mobile"][2] > 0
    assert ends["Security"] == (0, 0, 0)


def test_every_developer_has_a_number() -> None:
    assert len(set(USER_IDS.values())) == sum(len(team.people) for team in TEAMS)


def test_what_came_of_a_pull_request_is_known_when_its_time_is_over() -> None:
    ages = (1, 40, 100)
    found = [
        fate(Random(3), UNTIL - timedelta(days=age), UNTIL, attributed=40, others=60)  # noqa: S311
        for age in ages
    ]
    assert [one.reverted is not None for one in found] == [False, True, True]
    assert [one.others_after_90 is not None for one in found] == [False, False, True]
    assert all((one.attributed_after_30 or 0) <= 40 for one in found)
