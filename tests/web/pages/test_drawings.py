"""Charts with the same numbers in words: floors, gaps where nothing is known, empty series."""

from datetime import date

import pytest

from ghapp.summaries.counts import (
    AdoptionDay,
    MeasuredFigure,
    OutcomeComparison,
    OutcomeMeasure,
    PullCounts,
    SeriesPoint,
)
from ghapp.summaries.selection import TimeGrain
from ghapp.web.pages import drawings
from ghapp.web.pages.outcomes import UNITS

START = date(2025, 11, 3)
KNOWN = PullCounts(
    pulls=3,
    assisted=2,
    not_assisted=1,
    effective=1200,
    attributed=61,
    whole_effective=1200,
    whole_attributed=61,
    known_effective=1200,
)
UNKNOWN = PullCounts(pulls=1, no_evidence=1, effective=8, whole_effective=8)
NONE = MeasuredFigure(count=0, value=None, low=None, high=None)
SOME = MeasuredFigure(count=9, value=0.125, low=0.1, high=0.2)


def behind(start: date) -> str:
    return f"/list?since={start}&until=x"


def point(counts: PullCounts) -> SeriesPoint:
    return SeriesPoint(start=START, counts=counts)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (KNOWN, "5%"),
        (UNKNOWN, "-"),
        (PullCounts(), "-"),
        (KNOWN + UNKNOWN, "5%"),
        (PullCounts(whole_effective=500, whole_attributed=1, known_effective=500), "<1%"),
    ],
)
def test_a_share_is_a_floor_and_a_dash_where_nothing_is_known(
    counts: PullCounts, said: str
) -> None:
    assert drawings.share(counts) == said


@pytest.mark.parametrize(
    ("grain", "name", "tick"),
    [
        (TimeGrain.DAY, "3 Nov 2025", "3 Nov"),
        (TimeGrain.WEEK, "Week of 3 Nov 2025", "3 Nov"),
        (TimeGrain.MONTH, "November 2025", "Nov 2025"),
    ],
)
def test_a_point_has_a_name_in_a_sentence_and_one_below_the_axis(
    grain: TimeGrain, name: str, tick: str
) -> None:
    assert drawings.span_name(START, grain) == name
    assert drawings.tick(START, grain) == tick


def test_pull_requests_are_drawn_and_stand_in_a_table() -> None:
    found = drawings.pulls([point(KNOWN), point(UNKNOWN)], TimeGrain.WEEK, behind)
    assert found.heads == ("Week", "With", "Without", "No evidence")
    assert found.rows == (
        ("Week of 3 Nov 2025", "2", "1", "0"),
        ("Week of 3 Nov 2025", "-", "-", "1"),
    )
    assert "Since 3 Nov 2025. 2 with an agent, 1 without, 1 without evidence." in found.svg
    assert found.addresses == ("/list?since=2025-11-03&until=x",) * 2
    assert found.svg.count('<a href="/list?since=2025-11-03&amp;until=x" tabindex="-1"') == 2
    assert 'role="group"' in found.svg


def test_a_share_is_drawn_with_a_gap_where_nothing_is_known() -> None:
    whole = drawings.shares([point(KNOWN), point(KNOWN)], TimeGrain.DAY, behind)
    gap = drawings.shares([point(KNOWN), point(UNKNOWN)], TimeGrain.DAY, behind)
    assert gap.rows == (("3 Nov 2025", "61", "1,200", "5%"), ("3 Nov 2025", "-", "8", "-"))
    assert gap.svg.count("at least 5% (61 of 1,200 lines)") == 1
    assert whole.svg.count("at least 5% (61 of 1,200 lines)") == 2


def test_of_nothing_there_is_a_chart_that_says_so() -> None:
    for found in (
        drawings.pulls([], TimeGrain.DAY, behind),
        drawings.shares([], TimeGrain.DAY, behind),
    ):
        assert found.rows == ()
        assert "Nothing was merged." in found.svg
    assert "0 days, 0 active developers on the busiest one." in drawings.developers([], behind).svg


def test_trends_say_the_first_and_the_last_that_is_known() -> None:
    found = drawings.trends(
        {
            "acme/<app>": [point(UNKNOWN), point(KNOWN), point(UNKNOWN)],
            "acme/none": [point(UNKNOWN)],
        }
    )
    assert "acme/&lt;app&gt;" in found["acme/<app>"]
    assert "5% in November 2025, 5% in November 2025" in found["acme/<app>"]
    assert "nothing is known" in found["acme/none"]


def test_a_day_without_anybody_has_no_pull_requests_by_each() -> None:
    days = [
        AdoptionDay(day=START, developers=2, agent_sessions=5, pulls=3),
        AdoptionDay(day=START, developers=0, agent_sessions=0, pulls=1),
    ]
    assert [row[1:] for row in drawings.developers(days, behind).rows] == [
        ("2", "3", "1.5"),
        ("0", "1", "-"),
    ]
    assert drawings.agent_sessions(days, behind).rows[0] == ("3 Nov 2025", "5")
    assert (
        "2 days, 5 agent sessions on the busiest one." in drawings.agent_sessions(days, behind).svg
    )


def test_two_groups_are_drawn_and_of_none_nothing() -> None:
    measured = OutcomeMeasure.REVERTED
    both = OutcomeComparison(measured=measured, assisted=SOME, others=NONE)
    drawn = drawings.comparison(both, "%", 100)
    assert "Assisted: 12% (10 to 20)" in drawn
    assert "Not assisted" not in drawn
    neither = OutcomeComparison(measured=measured, assisted=NONE, others=NONE)
    assert drawings.comparison(neither, "%", 100) == ""


def test_every_measure_has_a_title_and_a_unit() -> None:
    assert set(UNITS) == set(OutcomeMeasure)
    assert len({one.title for one in UNITS.values()}) == len(UNITS)
