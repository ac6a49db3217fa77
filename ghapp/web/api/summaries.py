"""Routes about many pull requests: counts over them, and the list of them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from flask import Response, abort

from ghapp.attribution.model import Struct
from ghapp.store import WeekCoverage
from ghapp.summaries.changes import PeriodChanges
from ghapp.summaries.comparisons import OutcomeSummary
from ghapp.summaries.counts import OrganizationSummary, PullRow, RepositorySummary
from ghapp.summaries.selection import SMALLEST_GROUP, NotShown
from ghapp.web.access import note_access, readable_ids, require_member, require_reader
from ghapp.web.api.answers import ListPage, answer, listed
from ghapp.web.api.blueprint import api
from ghapp.web.api.operation import reads
from ghapp.web.api.questions import (
    FilterParameters,
    ListParameters,
    SpanParameters,
    SummaryParameters,
    period_of,
    read,
)
from ghapp.web.current import services
from ghapp.web.person_usage import boards_with_usage

COVERED = timedelta(days=83)
"""Days before the last one that coverage shows by default: twelve weeks in all."""

Found = TypeVar("Found")


class CoveredWeek(Struct, frozen=True):
    """How many developers' machines sent evidence of a repository in one week."""

    week: date
    """Its Monday."""
    developers: int
    machines: int
    edits: int | None
    """``None``: so few developers that the number would describe persons."""


@api.get("/repositories/<owner>/<name>/summary")
@reads(
    "readRepositorySummary",
    "Read a repository's counts, by time, agent, directory and language.",
    RepositorySummary,
    question=SummaryParameters,
)
def repository_summary(owner: str, name: str) -> Response:
    """Answer with a repository's counts."""
    repository = require_reader(owner, name)
    asked = read(SummaryParameters)
    note_access("summary", repository=repository)
    selection = asked.of((repository.id,))
    return answer(shown(lambda: services.summaries.repository(selection, asked.grain)))


@api.get("/repositories/<owner>/<name>/coverage")
@reads(
    "readCoverage",
    "Read how many developers' machines sent evidence, week by week, by default in 84 days.",
    tuple[CoveredWeek, ...],
    question=SpanParameters,
)
def coverage(owner: str, name: str) -> Response:
    """Answer with a repository's coverage by week."""
    repository = require_reader(owner, name)
    asked = read(SpanParameters)
    note_access("coverage", repository=repository)
    until = asked.until or services.clock().date()
    since = asked.since or until - COVERED
    begins, ends = (datetime.combine(day, time(), UTC) for day in (since, until))
    weeks = services.store.coverage.weeks(repository.id, begins, ends)
    return answer(tuple(map(_covered, weeks)))


@api.get("/repositories/<owner>/<name>/pulls")
@reads(
    "listPullRequests",
    "List the merged pull requests with the results of their audits in force.",
    tuple[PullRow, ...],
    question=ListParameters,
)
def pulls(owner: str, name: str) -> Response:
    """List a repository's merged pull requests."""
    repository = require_reader(owner, name)
    asked = read(ListParameters)
    note_access("pulls", repository=repository)
    selection = asked.of((repository.id,))
    page = shown(lambda: services.summaries.pulls(selection, asked.listing))
    return listed(ListPage(items=page.rows, after=page.after))


@api.get("/organizations/<organization>/summary")
@reads(
    "readOrganizationSummary",
    "Read an organization's counts over the repositories that you may read.",
    OrganizationSummary,
    question=SummaryParameters,
)
def organization_summary(organization: str) -> Response:
    """Answer with an organization's counts."""
    installation = require_member(organization)
    asked = read(SummaryParameters)
    selection = asked.of(readable_ids(installation.id))
    note_access("summary", detail=installation.account)
    today = services.clock().date()
    summary = shown(lambda: services.summaries.organization(selection, asked.grain, today=today))
    return answer(boards_with_usage(summary, installation, selection))


@api.get("/organizations/<organization>/outcomes")
@reads(
    "readOrganizationOutcomes",
    "Compare the outcomes of pull requests with and without attributed lines, like with like.",
    OutcomeSummary,
    question=FilterParameters,
)
def organization_outcomes(organization: str) -> Response:
    """Answer with the outcomes of an organization's pull requests."""
    installation = require_member(organization)
    note_access("outcomes", detail=installation.account)
    return _outcomes(readable_ids(installation.id))


@api.get("/repositories/<owner>/<name>/outcomes")
@reads(
    "readRepositoryOutcomes",
    "Compare the outcomes of a repository's pull requests with and without attributed lines.",
    OutcomeSummary,
    question=FilterParameters,
)
def repository_outcomes(owner: str, name: str) -> Response:
    """Answer with the outcomes of a repository's pull requests."""
    repository = require_reader(owner, name)
    note_access("outcomes", repository=repository)
    return _outcomes((repository.id,))


def _outcomes(repository_ids: tuple[int, ...]) -> Response:
    asked = read(FilterParameters)
    return answer(shown(lambda: services.summaries.outcomes(asked.of(repository_ids))))


@api.get("/organizations/<organization>/changes")
@reads(
    "readOrganizationChanges",
    "Compare an organization's shares with those of the period before, with intervals.",
    PeriodChanges,
    question=FilterParameters,
)
def organization_changes(organization: str) -> Response:
    """Answer with what changed in an organization since the period before."""
    installation = require_member(organization)
    note_access("changes", detail=installation.account)
    return _changes(readable_ids(installation.id))


@api.get("/repositories/<owner>/<name>/changes")
@reads(
    "readRepositoryChanges",
    "Compare a repository's shares with those of the period before, with intervals.",
    PeriodChanges,
    question=FilterParameters,
)
def repository_changes(owner: str, name: str) -> Response:
    """Answer with what changed in a repository since the period before."""
    repository = require_reader(owner, name)
    note_access("changes", repository=repository)
    return _changes((repository.id,))


def _changes(repository_ids: tuple[int, ...]) -> Response:
    asked = read(FilterParameters)
    period = period_of(asked.since, asked.until, services.clock().date())
    return answer(shown(lambda: services.summaries.changes(asked.of(repository_ids), period)))


def _covered(found: WeekCoverage) -> CoveredWeek:
    people = len(found.developers)
    return CoveredWeek(
        week=found.week.date(),
        developers=people,
        machines=found.machines,
        edits=found.edits if people >= SMALLEST_GROUP else None,
    )


def shown(ask: Callable[[], Found]) -> Found:
    """Return the answer to a question; 403 if it is about people who are not shown, else 400."""
    try:
        return ask()
    except NotShown as error:
        abort(403, str(error))
    except ValueError as error:
        abort(400, str(error))
