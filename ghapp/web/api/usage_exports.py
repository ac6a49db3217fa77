"""Downloads of usage as CSV: by time, tool, model, language, team or person, and names to map."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from flask import Response, abort

from ghapp.reports.tables import to_csv
from ghapp.summaries.selection import NamesShown, TimeGrain
from ghapp.usage.answers import TOKEN_KINDS
from ghapp.usage.counts import EditCounts, UsageCounts, UsagePart, UsageSelection, UsageSummary
from ghapp.usage.identity_table import COLUMNS as IDENTITY_COLUMNS
from ghapp.usage.sources import IdentityKind
from ghapp.web.access import (
    note_access,
    require_admin,
)
from ghapp.web.api.blueprint import api
from ghapp.web.api.exports import CSV, download
from ghapp.web.api.operation import reads
from ghapp.web.api.questions import NoParameters, read
from ghapp.web.api.summaries import shown
from ghapp.web.api.usage import UsageFilters, in_organization, in_repository
from ghapp.web.current import services

DECIDED = ("by_people", "automatic", "unknown")
EDITS = (
    *(f"{by}_{decision}" for by in DECIDED for decision in ("accepted", "refused")),
    *("failed", "lines_suggested", "lines_accepted"),
    *("accept_rate_from", "accept_rate_to"),
)
AMOUNTS = ("people", "agent_sessions", "answers", *TOKEN_KINDS, *EDITS)
"""Columns after the first; docs/usage-page.md defines each."""


class UsageBy(StrEnum):
    """What a row of an export is about."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOOL = "tool"
    MODEL = "model"
    LANGUAGE = "language"
    TEAM = "team"
    PERSON = "person"
    """Only where the organization has people named."""


PARTS: dict[UsageBy, Callable[[UsageSummary], tuple[UsagePart, ...]]] = {
    UsageBy.TOOL: lambda summary: summary.agents,
    UsageBy.MODEL: lambda summary: summary.models,
    UsageBy.LANGUAGE: lambda summary: summary.languages,
    UsageBy.TEAM: lambda summary: summary.teams,
}


class UsageExportParameters(UsageFilters, frozen=True, forbid_unknown_fields=True):
    """Which usage, and what a row is about."""

    by: UsageBy = UsageBy.MONTH


@api.get("/organizations/<organization>/usage.csv")
@reads(
    "exportOrganizationUsage",
    "Download an organization's usage as CSV, in the repositories that you may read.",
    question=UsageExportParameters,
    media=CSV,
)
def organization_usage_csv(organization: str) -> Response:
    """Download an organization's usage as CSV."""
    installation, question, selection = in_organization(organization, UsageExportParameters)
    note_access("export", detail=f"usage of {installation.account}")
    return _usage_csv(selection, question.by)


@api.get("/repositories/<owner>/<name>/usage.csv")
@reads(
    "exportUsage",
    "Download a repository's usage as CSV.",
    question=UsageExportParameters,
    media=CSV,
)
def repository_usage_csv(owner: str, name: str) -> Response:
    """Download a repository's usage as CSV, also of a public one to nobody anonymous."""
    repository, question, selection = in_repository(owner, name, UsageExportParameters)
    note_access("export", repository=repository, detail="usage")
    return _usage_csv(selection, question.by)


@api.get("/organizations/<organization>/usage/identities.csv")
@reads(
    "exportUsageIdentities",
    "Download whom senders of usage named, as a table to be mapped; for its owners.",
    question=NoParameters,
    media=CSV,
)
def usage_identities(organization: str) -> Response:
    """Download an organization's identities as the CSV that their page takes."""
    installation = require_admin(organization)
    read(NoParameters)
    note_access("export", detail=f"usage identities of {installation.account}")
    found = services.store.usage.identities(installation.id)
    rows = (
        (one.kind.value, one.value, one.login)
        for one in found
        if one.kind is not IdentityKind.ACCOUNT
    )
    return download(to_csv(IDENTITY_COLUMNS, rows), "usage-identities.csv", CSV)


def _usage_csv(selection: UsageSelection, by: UsageBy) -> Response:
    rows: Iterable[tuple[object, ...]]
    if by is UsageBy.PERSON:
        if services.summaries.naming.names is not NamesShown.PEOPLE:
            abort(403, "people are not named here: select by=team instead")
        people = shown(lambda: services.usage.people(selection))
        rows = ((one.name, *_amounts(one.counts)) for one in people)
    else:
        grain = TimeGrain.MONTH if by in PARTS else TimeGrain(by.value)
        rows = usage_rows(shown(lambda: services.usage.summary(selection, grain)), by)
    return download(to_csv((by.value, *AMOUNTS), rows), f"usage-by-{by}.csv", CSV)


def usage_rows(summary: UsageSummary, by: UsageBy) -> Iterator[tuple[object, ...]]:
    """Yield the rows of an export; ``None``: unknown, or of fewer than five people."""
    if by in PARTS:
        for part in PARTS[by](summary):
            yield part.name, *_amounts(part.counts)
    else:
        for point in summary.series:
            yield point.start.isoformat(), *_amounts(point.counts)


def _amounts(counts: UsageCounts) -> Iterator[object]:
    yield from (counts.people, counts.agent_sessions, counts.answers)
    yield from (getattr(counts.tokens, kind, None) for kind in TOKEN_KINDS)
    yield from _edits(counts.edits) if counts.edits else (None for _ in EDITS)


def _edits(edits: EditCounts) -> Iterator[object]:
    for by in DECIDED:
        decided = getattr(edits, by)
        yield from (decided.accepted, decided.refused)
    yield from (edits.failed, edits.lines_suggested, edits.lines_accepted)
    rate = edits.accept_rate
    yield from (None, None) if rate is None else (rate.at_least, rate.at_most)
