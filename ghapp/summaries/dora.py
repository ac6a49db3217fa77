"""The four DORA metrics of some repositories, from deployments, incidents and deployed changes.

The definitions are DevLake's, as its queries have them (docs/dora.md); it queries no database.
https://github.com/apache/incubator-devlake/tree/main/backend/plugins/dora/tasks
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from ghapp.attribution.model import Struct
from ghapp.summaries.counts import MeasuredFigure
from ghapp.summaries.intervals import median, proportion
from ghapp.summaries.selection import TimeGrain

A_DAY, A_WEEK = timedelta(days=1), timedelta(days=7)
HOUR = timedelta(hours=1)


class DeploymentSource(StrEnum):
    """Who tells of deployments. A repository uses the first that tells of one to production."""

    API = "api"
    GITHUB = "github"
    """GitHub's deployments and their statuses."""
    WORKFLOW = "workflow"
    """Runs of workflows that the organization chose."""
    RELEASE = "release"


class IncidentSource(StrEnum):
    """Who tells of incidents. A repository uses the first that tells of one."""

    API = "api"
    ISSUE = "issue"
    """GitHub's issues with a label that the organization chose."""


class ProductionDeployment(Struct, frozen=True):
    """A deployment to production that succeeded."""

    repository_id: int
    at: datetime
    """When it succeeded, first of all."""


class IncidentSpan(Struct, frozen=True):
    """An incident in production."""

    repository_id: int
    opened_at: datetime
    resolved_at: datetime | None
    """``None``: it is open."""


class DeployedChange(Struct, frozen=True):
    """A merged pull request that reached production."""

    first_commit_at: datetime | None
    """Author date of its oldest commit; ``None``: not known."""
    at: datetime
    """When the first deployment that has it succeeded."""


class DoraFigures(Struct, frozen=True):
    """The four metrics of some days. They are about repositories, and rank nobody."""

    repositories: int
    """Repositories of which any deployment to production is known, on any day."""
    deployments: int
    """Deployments to production that succeeded on these days."""
    deployment_days: int
    """Days with at least one."""
    days_a_week: MeasuredFigure
    """Deployment frequency: days with a deployment in a whole week, Monday to Sunday, median."""
    lead_time: MeasuredFigure
    """Lead time for changes: hours from a pull request's first commit to the first deployment that
    has it, median, of pull requests deployed on these days."""
    changes: int
    """Pull requests deployed on these days, also where the first commit is not known."""
    failure_rate: MeasuredFigure
    """Change failure rate: deployments after which an incident opened, before the next one."""
    restored: MeasuredFigure
    """Time to restore: hours that an incident was open, median, of those resolved on these days."""
    incidents: int
    """Incidents opened on these days."""
    open_incidents: int
    """Of those the ones that are still open."""
    tells_incidents: bool
    """Whether any incident is known, on any day; without one, none is unknown, not 0."""


def dora(
    deployed: Sequence[ProductionDeployment],
    incidents: Sequence[IncidentSpan],
    changes: Iterable[DeployedChange],
    *,
    since: date,
    until: date,
) -> DoraFigures:
    """Return the metrics of the days from ``since`` to ``until``, both included.

    ``deployed`` and ``incidents`` are all that are known, also of other days; ``changes`` are those
    deployed on these days.
    """
    chosen = [one for one in deployed if since <= one.at.date() <= until]
    failed = failures(deployed, incidents)
    begun = min((one.at.date() for one in deployed), default=None)
    days = {one.at.date() for one in chosen}
    weeks = _weeks(max(since, begun), until) if begun is not None else ()
    reached = list(changes)
    told = [one for one in incidents if since <= one.opened_at.date() <= until]
    bad = sum(failed[one.repository_id].count(one.at) > 0 for one in chosen)
    return DoraFigures(
        repositories=len({one.repository_id for one in deployed}),
        deployments=len(chosen),
        deployment_days=len(days),
        days_a_week=median(sum(week + n * A_DAY in days for n in range(7)) for week in weeks),
        lead_time=median(hours for one in reached if (hours := _lead(one)) is not None),
        changes=len(reached),
        failure_rate=proportion(bad, len(chosen) if incidents else 0),
        restored=median(_restored(incidents, since, until)),
        incidents=len(told),
        open_incidents=sum(one.resolved_at is None for one in told),
        tells_incidents=bool(incidents),
    )


def failures(
    deployed: Iterable[ProductionDeployment], incidents: Iterable[IncidentSpan]
) -> Mapping[int, list[datetime]]:
    """Return by repository when the deployments succeeded that an incident followed.

    An incident is of the latest deployment of its repository that succeeded before it opened; of
    none, if there is no such deployment.
    """
    times: defaultdict[int, list[datetime]] = defaultdict(list)
    for one in deployed:
        times[one.repository_id].append(one.at)
    for of_one in times.values():
        of_one.sort()
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    for incident in incidents:
        known = times.get(incident.repository_id, [])
        place = bisect_left(known, incident.opened_at)
        if place:
            found[incident.repository_id].append(known[place - 1])
    return found


def _weeks(since: date, until: date) -> Iterator[date]:
    """Yield the Monday of each week that lies in these days whole."""
    start = TimeGrain.WEEK.start(since + 6 * A_DAY)
    while start + 6 * A_DAY <= until:
        yield start
        start += A_WEEK


def _lead(change: DeployedChange) -> float | None:
    """Return a change's lead time in hours; ``None``: not known, or its clock was wrong."""
    if change.first_commit_at is None or change.at < change.first_commit_at:
        return None
    return (change.at - change.first_commit_at) / HOUR


def _restored(incidents: Iterable[IncidentSpan], since: date, until: date) -> Iterator[float]:
    for one in incidents:
        end = one.resolved_at
        if end is not None and since <= end.date() <= until and end >= one.opened_at:
            yield (end - one.opened_at) / HOUR
