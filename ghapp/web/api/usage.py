"""Routes about usage: who uses agents, how much, and what is accepted."""

from datetime import date, timedelta
from typing import TypeVar

from flask import Response

from ghapp.attribution.model import Struct
from ghapp.store import Installation, Repository
from ghapp.summaries.selection import EARLIEST, TimeGrain, check_days, year_before
from ghapp.usage.counts import FOUR_WEEKS, UsageSelection, UsageSummary
from ghapp.web.access import (
    note_access,
    owns,
    readable_ids,
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


FiltersT = TypeVar("FiltersT", bound=UsageFilters)


def in_organization(
    organization: str, kind: type[FiltersT]
) -> tuple[Installation, FiltersT, UsageSelection]:
    """Return an organization of whose members the reader is one, the question, and what it selects.

    Only an owner's has usage that names no repository, since nobody else may read everything.
    """
    installation = require_member(organization)
    asked = read(kind)
    numbers = readable_ids(installation.id)
    selected = asked.of(installation.id, numbers, has_unplaced=owns(organization))
    return installation, asked, selected


def in_repository(
    owner: str, name: str, kind: type[FiltersT]
) -> tuple[Repository, FiltersT, UsageSelection]:
    """Return a readable repository, the question, and what it selects.

    It is about people, so even a public one asks who is there.
    """
    require_viewer()
    repository = require_reader(owner, name)
    asked = read(kind)
    home = repository.installation_id or 0
    return repository, asked, asked.of(home, (repository.id,), has_unplaced=False)


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
    installation, asked, selection = in_organization(organization, UsageParameters)
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
    repository, asked, selection = in_repository(owner, name, UsageParameters)
    note_access("usage", repository=repository)
    return answer(shown(lambda: services.usage.summary(selection, asked.grain)))
