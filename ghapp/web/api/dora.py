"""Routes of the DORA metrics: of an organization or a repository, as JSON and as a table."""

from collections.abc import Iterator

from flask import Response, abort

from ghapp.reports.tables import to_csv
from ghapp.summaries.counts import MeasuredFigure
from ghapp.summaries.dora import DoraFigures
from ghapp.summaries.selection import PullSelection
from ghapp.web.access import note_access, readable_ids, require_member, require_reader
from ghapp.web.api.answers import answer
from ghapp.web.api.blueprint import api
from ghapp.web.api.exports import CSV, download
from ghapp.web.api.operation import reads
from ghapp.web.api.questions import SpanParameters, period_of, read
from ghapp.web.current import services

COLUMNS = ("metric", "value", "low", "high", "based_on")
"""``low`` and ``high`` are the ends of the 95 % interval."""

Row = tuple[str, float | None, float | None, float | None, int | None]


@api.get("/organizations/<organization>/dora")
@reads(
    "readOrganizationDora",
    "Read the DORA metrics of the repositories that you may read.",
    DoraFigures,
    question=SpanParameters,
)
def organization_dora(organization: str) -> Response:
    """Answer with an organization's DORA metrics."""
    return answer(_of_organization(organization))


@api.get("/organizations/<organization>/dora.csv")
@reads(
    "exportOrganizationDora",
    "Download the DORA metrics of the repositories that you may read.",
    question=SpanParameters,
    media=CSV,
)
def organization_dora_csv(organization: str) -> Response:
    """Download an organization's DORA metrics as CSV."""
    return _table(_of_organization(organization))


@api.get("/repositories/<owner>/<name>/dora")
@reads(
    "readRepositoryDora",
    "Read a repository's DORA metrics.",
    DoraFigures,
    question=SpanParameters,
)
def repository_dora(owner: str, name: str) -> Response:
    """Answer with a repository's DORA metrics."""
    return answer(_of_repository(owner, name))


@api.get("/repositories/<owner>/<name>/dora.csv")
@reads(
    "exportDora",
    "Download a repository's DORA metrics.",
    question=SpanParameters,
    media=CSV,
)
def repository_dora_csv(owner: str, name: str) -> Response:
    """Download a repository's DORA metrics as CSV."""
    return _table(_of_repository(owner, name))


def rows(found: DoraFigures) -> Iterator[Row]:
    """Yield each metric, and the counts behind them."""
    yield _row("deployment_days_a_week", found.days_a_week)
    yield _row("lead_time_hours", found.lead_time)
    yield _row("change_failure_rate", found.failure_rate)
    yield _row("time_to_restore_hours", found.restored)
    yield "deployments", found.deployments, None, None, None
    yield "deployed_pull_requests", found.changes, None, None, None
    yield "incidents", found.incidents if found.tells_incidents else None, None, None, None


def _row(metric: str, figure: MeasuredFigure) -> Row:
    return metric, figure.value, figure.low, figure.high, figure.count


def _of_organization(organization: str) -> DoraFigures:
    installation = require_member(organization)
    found = _asked(readable_ids(installation.id))
    note_access("DORA metrics", detail=installation.account)
    return found


def _of_repository(owner: str, name: str) -> DoraFigures:
    repository = require_reader(owner, name)
    note_access("DORA metrics", repository=repository)
    return _asked((repository.id,))


def _asked(repository_ids: tuple[int, ...]) -> DoraFigures:
    asked, today = read(SpanParameters), services.clock().date()
    period = period_of(asked.since, asked.until, today)
    selection = PullSelection(repository_ids, since=period.since, until=period.until)
    found = services.summaries.dora(selection, today=today)
    return found or abort(400, "only days can be selected")


def _table(found: DoraFigures) -> Response:
    return download(to_csv(COLUMNS, rows(found)), "dora.csv", CSV)
