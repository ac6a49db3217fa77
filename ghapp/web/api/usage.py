"""Routes about usage: who uses agents, how much, and what is accepted."""

from datetime import date, timedelta

from flask import Response

from ghapp.attribution.model import Struct
from ghapp.summaries.selection import EARLIEST, TimeGrain, check_days, year_before
from ghapp.usage.counts import FOUR_WEEKS, UsageSelection, UsageSummary
from ghapp.web.access import (
    note_access,
    owns,
    readable,
    require_admin,
    require_member,
    require_reader,
    require_viewer,
)
from ghapp.web.api.answers import answer
from ghapp.web.api.blueprint import api
from ghapp.web.api.operation import reads
from ghapp.web.api.questions import SpanParameters, Text, read
from ghapp.web.api.summaries import shown
from ghapp.web.current import services
from ghapp.web.usage_sources import SourcesStatus, sources_status

ONE_DAY = timedelta(days=1)


class UsageFilters(Struct, frozen=True, forbid_unknown_fields=True):
    """Which usage; by default the twelve months up to today."""

    since: date | None = None
    until: date | None = None
    team: Text | None = None
    agent: Text | None = None

    def __post_init__(self) -> None:
        check_days(self.since, self.until)

    def of(
        self, installation_id: int, repository_ids: tuple[int, ...], *, has_unplaced: bool
    ) -> UsageSelection:
        """Return the selection; ``has_unplaced``: with usage that names no repository."""
        until = self.until or services.clock().date()
        return UsageSelection(
            installation_id=installation_id,
            repository_ids=repository_ids,
            since=self.since or year_before(until),
            until=until,
            has_unplaced=has_unplaced,
            team=self.team,
            agent=self.agent,
        )


class UsageParameters(UsageFilters, frozen=True, forbid_unknown_fields=True):
    """Which usage, and what one point of a series covers."""

    grain: TimeGrain = TimeGrain.MONTH


@api.get("/organizations/<organization>/usage/sources")
@reads(
    "readUsageSources",
    "Read how the sources of an organization's usage did, by default in 28 days; for its owners.",
    SourcesStatus,
    question=SpanParameters,
)
def usage_sources(organization: str) -> Response:
    """Answer with an organization's sources of usage."""
    installation = require_admin(organization)
    asked = read(SpanParameters)
    until = asked.until or services.clock().date()
    since = asked.since or max(until - FOUR_WEEKS + ONE_DAY, EARLIEST)
    note_access("usage sources", detail=installation.account)
    return answer(sources_status(installation, since, until))


@api.get("/organizations/<organization>/usage")
@reads(
    "readOrganizationUsage",
    "Read an organization's usage of agents in the repositories that you may read.",
    UsageSummary,
    question=UsageParameters,
)
def organization_usage(organization: str) -> Response:
    """Answer with an organization's usage."""
    installation = require_member(organization)
    asked = read(UsageParameters)
    numbers = tuple(sorted(readable(installation.id)))
    selection = asked.of(installation.id, numbers, has_unplaced=owns(organization))
    note_access("usage", detail=installation.account)
    return answer(shown(lambda: services.usage.summary(selection, asked.grain)))


@api.get("/repositories/<owner>/<name>/usage")
@reads(
    "readRepositoryUsage",
    "Read a repository's usage of agents.",
    UsageSummary,
    question=UsageParameters,
)
def repository_usage(owner: str, name: str) -> Response:
    """Answer with a repository's usage, also of a public one to nobody anonymous."""
    require_viewer()
    repository = require_reader(owner, name)
    asked = read(UsageParameters)
    selection = asked.of(repository.installation_id or 0, (repository.id,), has_unplaced=False)
    note_access("usage", repository=repository)
    return answer(shown(lambda: services.usage.summary(selection, asked.grain)))
