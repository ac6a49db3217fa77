"""The DORA metrics of made histories, recounted slowly by their definitions."""

import statistics
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ghapp.summaries.dora import DeployedChange, IncidentSpan, ProductionDeployment, dora
from tests.searching import searched

START = datetime(2026, 9, 7, tzinfo=UTC)  # a Monday
SINCE, UNTIL = date(2026, 9, 14), date(2026, 10, 4)
HOUR = timedelta(hours=1)

times = st.integers(0, 24 * 35).map(lambda hours: START + hours * HOUR)
repositories = st.sampled_from((1, 2))
histories = st.tuples(
    st.lists(st.builds(ProductionDeployment, repositories, times), max_size=12, unique=True),
    st.lists(st.builds(IncidentSpan, repositories, times, st.none() | times), max_size=6),
)


@searched(40)
@given(histories)
def test_a_made_history_is_recounted(
    history: tuple[list[ProductionDeployment], list[IncidentSpan]],
) -> None:
    deployed, incidents = history
    found = dora(deployed, incidents, (), since=SINCE, until=UNTIL)
    inside = [one for one in deployed if SINCE <= one.at.date() <= UNTIL]
    days = {one.at.date() for one in inside}
    assert (found.deployments, found.deployment_days) == (len(inside), len(days))
    bad = 0
    for one in inside:
        later = [
            other.at
            for other in deployed
            if other.repository_id == one.repository_id and other.at > one.at
        ]
        end = min(later, default=datetime.max.replace(tzinfo=UTC))
        bad += any(
            incident.repository_id == one.repository_id and one.at < incident.opened_at <= end
            for incident in incidents
        )
    expected = bad / len(inside) if inside and incidents else None
    assert found.failure_rate.value == expected
    hours = [
        (one.resolved_at - one.opened_at) / HOUR
        for one in incidents
        if one.resolved_at and SINCE <= one.resolved_at.date() <= UNTIL
        if one.resolved_at >= one.opened_at
    ]
    assert found.restored.value == (statistics.median(hours) if hours else None)
    first = min((one.at.date() for one in deployed), default=None)
    weeks = [
        [monday + timedelta(days=n) for n in range(7)]
        for monday in (START.date() + timedelta(weeks=n) for n in range(6))
    ]
    whole = [week for week in weeks if first and week[0] >= max(first, SINCE) and week[6] <= UNTIL]
    counted = [sum(day in days for day in week) for week in whole]
    assert found.days_a_week.value == (statistics.median(counted) if counted else None)


def test_lead_time_begins_at_the_first_commit_and_a_wrong_clock_is_not_counted() -> None:
    at = START + 10 * HOUR
    changes = [
        DeployedChange(START, at),
        DeployedChange(None, at),
        DeployedChange(at + HOUR, at),
    ]
    found = dora([], [], changes, since=START.date(), until=UNTIL)
    assert (found.lead_time.value, found.lead_time.count, found.changes) == (10, 1, 3)


def test_without_any_incident_the_failure_rate_is_unknown_and_not_0() -> None:
    deployed = [ProductionDeployment(1, START)]
    found = dora(deployed, [], (), since=START.date(), until=UNTIL)
    assert (found.tells_incidents, found.failure_rate.value) == (False, None)
    quiet = IncidentSpan(1, START - HOUR, START)
    found = dora(deployed, [quiet], (), since=START.date(), until=UNTIL)
    assert (found.failure_rate.value, found.restored.value) == (0.0, 1.0)
