"""Where adoption stalled, since when and why; cohorts; nothing that tells of fewer than five."""

from collections.abc import Iterable
from datetime import date, timedelta

import pytest

from ghapp.usage.adoption import (
    AdoptionState,
    PersonWeeks,
    StallReason,
    cohort_rows,
    group_rows,
    mondays,
)
from ghapp.usage.counts import OTHERS

WEEKS = mondays(date(2026, 1, 5), date(2026, 6, 28))
SUNDAY = WEEKS[-1] + timedelta(days=6)
STOP = WEEKS[-6]


def people(
    first: int, count: int, weeks: Iterable[date] = (), group: str = "core", **own: object
) -> list[PersonWeeks]:
    return [
        PersonWeeks(first + at, group, own.pop("is_within", True) is True, frozenset(weeks), **own)  # type: ignore[arg-type]
        for at in range(count)
    ]


UNTIL_STOP = [week for week in WEEKS if week < STOP]
KNOWN = {"enrolled": WEEKS[0]}


@pytest.mark.parametrize(
    ("own", "state", "reason"),
    [
        (people(1, 6, WEEKS), AdoptionState.ADOPTED, None),
        (people(1, 6, WEEKS[::3]), AdoptionState.IN_USE, None),
        (people(1, 6), AdoptionState.NOT_STARTED, StallReason.NOT_ROLLED_OUT),
        (
            people(1, 6, UNTIL_STOP, **KNOWN, heard=WEEKS[-1]),
            AdoptionState.STALLED,
            StallReason.PEOPLE_STOPPED,
        ),
        (
            people(1, 6, UNTIL_STOP, **KNOWN, heard=STOP),
            AdoptionState.STALLED,
            StallReason.MACHINES_SILENT,
        ),
        # Why a few of them stopped would tell of them.
        (people(1, 4, UNTIL_STOP) + people(5, 6, WEEKS), AdoptionState.STALLED, None),
    ],
)
def test_a_group_has_a_state_and_a_reason(
    own: list[PersonWeeks], state: AdoptionState, reason: StallReason | None
) -> None:
    [row] = group_rows(own, WEEKS, has_machines=True)
    assert (row.name, row.people, row.state, row.reason) == ("core", len(own), state, reason)
    # All at once: the mean of four weeks is ten points lower after the first.
    assert row.since == (STOP if state is AdoptionState.STALLED else None)
    [unknown] = group_rows(own, WEEKS, has_machines=False)
    assert unknown.reason is None


def test_shares_are_tenths_of_at_least_five_who_used_agents() -> None:
    rows = group_rows(
        [
            *people(1, 5, WEEKS),
            *people(6, 2),
            *people(10, 4, WEEKS, "small"),
            *people(20, 6, (), "x"),
        ],
        WEEKS,
        has_machines=False,
    )
    assert [(one.name, one.people) for one in rows] == [("core", 7), (OTHERS, 10)]
    assert [one.share for one in rows[0].weeks] == [None] * 3 + [0.7] * (len(WEEKS) - 3)
    assert {one.share for one in rows[1].weeks} == {None}


def test_months_of_few_people_join_a_cohort_and_young_ones_have_no_share_yet() -> None:
    old = people(1, 6, WEEKS, enrolled=WEEKS[0]) + people(7, 2, WEEKS[:8], enrolled=WEEKS[0])
    young = people(10, 3, WEEKS, enrolled=date(2026, 5, 4))
    [both] = cohort_rows([*old, *young], SUNDAY)
    assert (both.first, both.last, both.people) == (date(2026, 1, 1), date(2026, 5, 1), 11)
    [alone] = cohort_rows(old, SUNDAY)
    assert alone.shares == (1.0, 1.0, 0.8, 0.8, 0.8, 0.8)
    assert cohort_rows(young, SUNDAY) == ()
    later = date(2026, 3, 31)
    [short] = cohort_rows(old, later)
    assert short.shares == (1.0, 1.0, 0.8, None, None, None)
