"""The pages of spend: what agents cost, beside what they shipped."""

from flask import abort, render_template, request, url_for

from ghapp.reports.charts import ChartColumn, ChartFrame, columns
from ghapp.reports.words import CLAUDE_CODE, agent_name
from ghapp.spend.cost import CostBasis
from ghapp.spend.counts import DividedCost, SpendSummary
from ghapp.spend.money import MICROS, for_people
from ghapp.summaries.benchmarks import OurFigure, PublishedBenchmark, beside
from ghapp.summaries.selection import TimeGrain
from ghapp.usage.counts import OTHERS, UsageSelection
from ghapp.web.access import (
    owns,
    readable_ids,
    require_member,
    require_reader,
    require_viewer,
)
from ghapp.web.current import services
from ghapp.web.frame import cost
from ghapp.web.pages.blueprint import pages
from ghapp.web.pages.changes import MOST_ROWS
from ghapp.web.pages.drawings import Behind, ChartWithTable, span_name, tick
from ghapp.web.pages.filters import PageQuery, asked_for, takes
from ghapp.web.pages.usage import USAGE_FILTERS, of_repository, selected, shown_grain
from ghapp.web.pages.usage_changes import spend_rows, spent_row

SPEND_FILTERS = USAGE_FILTERS | {"basis"}
"""Filters of these pages: those of usage, and which estimate."""
BASES = {
    CostBasis.LIST: "Estimate at list prices",
    CostBasis.CONTRACT: "Estimate at your own rates",
    CostBasis.BILLED: "Billed by the vendor",
}
"""What amounts mean, in the words of a headline."""


@pages.get("/organizations/<organization>/spend")
@takes(SPEND_FILTERS)
def organization_spend(organization: str) -> str:
    """Show what agents cost an organization."""
    account = require_member(organization)
    wanted = asked_for(readable_ids(account.id), services.clock().date())
    selection = selected(account.id, wanted.selection, has_unplaced=owns(organization))
    return render_template(
        "organization_spend.html",
        account=account.account,
        asked=wanted,
        exports=[
            *_exports(wanted, "organization"),
            *(_charge_back(organization) if owns(organization) else ()),
        ],
        **_shown(selection, wanted),
    )


@pages.get("/repositories/<owner>/<name>/spend")
@takes(SPEND_FILTERS)
def repository_spend(owner: str, name: str) -> str:
    """Show what agents cost in a repository. It is about people: a public one asks who is there."""
    require_viewer()
    repository = require_reader(owner, name)
    wanted = asked_for((repository.id,), services.clock().date())
    return render_template(
        "repository_spend.html",
        repository=repository,
        asked=wanted,
        exports=_exports(wanted, "repository"),
        **_shown(of_repository(repository, wanted.selection), wanted),
    )


def _exports(wanted: PageQuery, of: str) -> list[tuple[str, str]]:
    """Return words and address of each table of what the page shows."""
    basis, grain = _basis().value, wanted.grain.value
    return [
        ("spend", wanted.exported(f"api.{of}_spend_csv", basis=basis, grain=grain)),
        (
            "change from the days before",
            wanted.exported(f"api.{of}_spend_changes", basis=basis),
        ),
        ("costs of pull requests", wanted.exported(f"api.{of}_pull_costs", basis=basis)),
    ]


def _charge_back(organization: str) -> list[tuple[str, str]]:
    address = url_for("api.charge_back", organization=organization, basis=_basis().value)
    return [("charge-back by month and cost center", address)]


def _basis() -> CostBasis:
    name = request.args.get("basis")
    if not name:
        return services.settings.estimate
    if name not in {CostBasis.LIST, CostBasis.CONTRACT}:
        abort(400, f"basis is {name!r}; give list or contract")
    return CostBasis(name)


def _shown(selection: UsageSelection, wanted: PageQuery) -> dict[str, object]:
    grain = shown_grain(selection, wanted)
    basis = _basis()
    today = services.clock().date()
    summary = services.spend.summary(selection, basis, grain, today=today)
    return {
        "summary": summary,
        "usage": selection,
        "grain": grain,
        "basis": basis,
        "bases": BASES,
        "has_card": services.settings.rate_card is not None,
        "stale": services.store.usage.stale(selection.installation_id),
        "teams": [(one.name, one.name) for one in summary.teams if one.name != OTHERS],
        "agents": [
            (one.name, agent_name(one.name)) for one in summary.agents if one.name != OTHERS
        ],
        "published": _published(selection, basis, summary),
        "spend_chart": _chart(
            summary, grain, wanted.behind(str(request.endpoint), grain, grain="day")
        ),
        "compared_rows": spend_rows(summary.changes),
        "agents_before": list(map(spent_row, summary.changes.agents)),
        "teams_before": list(map(spent_row, summary.changes.teams)),
        "repositories_before": list(map(spent_row, summary.changes.repositories[:MOST_ROWS])),
        "unallocated_share": _share(summary.totals),
    }


def _published(
    selection: UsageSelection, basis: CostBasis, summary: SpendSummary
) -> tuple[PublishedBenchmark, ...]:
    """Return what others published of an active day: of a part of the usage, a day costs less."""
    is_whole = selection.has_unplaced and selection.team is None
    is_comparable = is_whole and selection.agent in {None, CLAUDE_CODE} and basis is CostBasis.LIST
    is_shown = is_comparable and summary.active_day.by_day is not None
    return beside(OurFigure.COST_OF_ACTIVE_DAY) if is_shown else ()


def _chart(summary: SpendSummary, grain: TimeGrain, behind: Behind) -> ChartWithTable:
    steps = [
        ChartColumn(
            label=tick(one.start, grain),
            title=f"{span_name(one.start, grain)}: {cost(one.spent.cost)}",
            values=_dollars(one.spent),
            address=behind(one.start),
        )
        for one in summary.series
    ]
    known = [one.spent.cost.amount or 0 for one in summary.series if one.spent.cost]
    frame = ChartFrame(
        name="spend",
        title=f"Dollars by {grain}",
        description=f"{for_people(max(known, default=0))} at most in one {grain}.",
    )
    return ChartWithTable(
        svg=columns(frame, steps, ("with", "without")),
        heads=(grain.value.title(), "People", "Spent", "Of that unallocated"),
        rows=tuple(
            (
                span_name(one.start, grain),
                str(one.spent.people),
                cost(one.spent.cost),
                cost(one.spent.unallocated),
            )
            for one in summary.series
        ),
        addresses=tuple(step.address for step in steps),
    )


def _dollars(spent: DividedCost) -> tuple[int, int]:
    """Return whole dollars with and without matched lines; what is not shown has no column."""
    whole = spent.cost.amount if spent.cost else None
    left = spent.unallocated.amount if spent.unallocated else None
    return ((whole or 0) - (left or 0)) // MICROS, (left or 0) // MICROS


def _share(spent: DividedCost) -> float | None:
    """Return the unallocated share of a cost; ``None``: unknown, or not shown."""
    if spent.cost is None or spent.unallocated is None or not spent.cost.amount:
        return None
    return (spent.unallocated.amount or 0) / spent.cost.amount
