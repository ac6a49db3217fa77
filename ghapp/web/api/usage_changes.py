"""Downloads of usage and spend beside those of the period before, a row for each number."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from flask import Response

from ghapp.reports.tables import to_csv
from ghapp.spend.cost import TokenCost
from ghapp.spend.counts import SpendChanges
from ghapp.spend.money import for_machines
from ghapp.usage.answers import less
from ghapp.usage.counts import UsageChange, UsageChanges, UsageCounts, UsageSelection
from ghapp.web.access import note_access
from ghapp.web.api.blueprint import api
from ghapp.web.api.exports import CSV, download
from ghapp.web.api.operation import reads
from ghapp.web.api.spend import SpendParameters
from ghapp.web.api.summaries import shown
from ghapp.web.api.usage import UsageFilters, in_organization, in_repository
from ghapp.web.current import services

COLUMNS = ("by", "name", "measure", "now", "before", "difference", "low", "high")
"""``low`` and ``high`` are the ends of the 95 % interval of the difference."""

Row = tuple[object, ...]


@api.get("/organizations/<organization>/usage-changes.csv")
@reads(
    "exportOrganizationUsageChanges",
    "Download an organization's usage beside that of the period before.",
    question=UsageFilters,
    media=CSV,
)
def organization_usage_changes(organization: str) -> Response:
    """Download an organization's usage in both periods as CSV."""
    installation, _, selection = in_organization(organization, UsageFilters)
    note_access("export", detail=f"usage of {installation.account}")
    return _usage(selection)


@api.get("/repositories/<owner>/<name>/usage-changes.csv")
@reads(
    "exportUsageChanges",
    "Download a repository's usage beside that of the period before.",
    question=UsageFilters,
    media=CSV,
)
def repository_usage_changes(owner: str, name: str) -> Response:
    """Download a repository's usage in both periods as CSV."""
    repository, _, selection = in_repository(owner, name, UsageFilters)
    note_access("export", repository=repository, detail="usage")
    return _usage(selection)


@api.get("/organizations/<organization>/spend-changes.csv")
@reads(
    "exportOrganizationSpendChanges",
    "Download an organization's spend beside that of the period before, in dollars.",
    question=SpendParameters,
    media=CSV,
)
def organization_spend_changes(organization: str) -> Response:
    """Download an organization's spend in both periods as CSV, in dollars."""
    installation, asked, selection = in_organization(organization, SpendParameters)
    note_access("spend", detail=installation.account)
    return _spend(selection, asked)


@api.get("/repositories/<owner>/<name>/spend-changes.csv")
@reads(
    "exportSpendChanges",
    "Download a repository's spend beside that of the period before, in dollars.",
    question=SpendParameters,
    media=CSV,
)
def repository_spend_changes(owner: str, name: str) -> Response:
    """Download a repository's spend in both periods as CSV, in dollars."""
    repository, asked, selection = in_repository(owner, name, SpendParameters)
    note_access("spend", repository=repository)
    return _spend(selection, asked)


def _usage(selection: UsageSelection) -> Response:
    found = shown(lambda: services.usage.changes(selection))
    return download(to_csv(COLUMNS, usage_rows(found)), "usage-changes.csv", CSV)


def usage_rows(changes: UsageChanges) -> Iterator[Row]:
    """Yield a row for each number of everybody, of each tool and of each team."""
    yield from _used("total", changes.totals)
    for by, parts in (("tool", changes.agents), ("team", changes.teams)):
        for one in parts:
            yield from _used(by, one)


def _used(by: str, change: UsageChange) -> Iterator[Row]:
    name = change.name or "all"
    old = dict(_counts(change.before))
    for measure, now in _counts(change.now):
        before = old[measure]
        yield by, name, measure, now, before, less(now, before), None, None
    rate, rate_before, found = change.rate, change.rate_before, change.difference
    for measure, end in (("accept_rate_from", "at_least"), ("accept_rate_to", "at_most")):
        values = (None if one is None else getattr(one, end) for one in (rate, rate_before))
        yield by, name, measure, *values, found.value, found.low, found.high


def _counts(counts: UsageCounts | None) -> Iterator[tuple[str, int | None]]:
    whole = counts or UsageCounts()
    yield "people", counts.people if counts else None
    yield "agent_sessions", whole.agent_sessions
    yield "output", whole.tokens.output if whole.tokens else None
    yield "lines_accepted", whole.edits.lines_accepted if whole.edits else None


def _spend(selection: UsageSelection, asked: SpendParameters) -> Response:
    basis = asked.meaning
    found = shown(lambda: services.spend.changes(selection, basis))
    rows: Iterable[Row] = ((basis.value, *row) for row in spend_rows(found))
    return download(to_csv(("basis", *COLUMNS[:-2]), rows), "spend-changes.csv", CSV)


def spend_rows(changes: SpendChanges) -> Iterator[Row]:
    """Yield a row for each amount, in dollars."""
    for measure, one in (("dollars", changes.spent), ("unallocated", changes.unallocated)):
        yield "total", "all", measure, *map(_amount, (one.now, one.before)), _told(one.difference)
    for measure, each in (
        ("dollars_by_pull", changes.by_pull),
        ("dollars_by_line", changes.by_line),
    ):
        yield "total", "all", measure, *map(_told, (each.now, each.before, each.difference))
    for by, parts in (
        ("tool", changes.agents),
        ("team", changes.teams),
        ("repository", changes.repositories),
    ):
        for one in parts:
            amounts = map(_amount, (one.now, one.before))
            yield by, one.name, "dollars", *amounts, _told(one.difference)


def _amount(cost: TokenCost | None) -> Decimal | None:
    return None if cost is None else _told(cost.amount)


def _told(amount: int | None) -> Decimal | None:
    # A number: the minus of a text would be taken for a formula's.
    return None if amount is None else Decimal(for_machines(amount))
