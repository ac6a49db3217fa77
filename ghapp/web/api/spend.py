"""Routes about spend: what agents cost, beside what they shipped."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Literal

from flask import Response, abort

from ghapp.attribution.model import Struct
from ghapp.reports.tables import to_csv
from ghapp.spend.allocation import AllocationState, CostGap
from ghapp.spend.closed_months import month_of, next_month
from ghapp.spend.cost import CostBasis, TokenCost
from ghapp.spend.counts import PullCostDetails, SpendSummary
from ghapp.spend.money import for_machines
from ghapp.summaries.selection import year_before
from ghapp.usage.counts import UsageSelection
from ghapp.web.access import (
    note_access,
    readable_ids,
    require_admin,
    require_reader,
    require_viewer,
)
from ghapp.web.api.answers import answer
from ghapp.web.api.blueprint import api
from ghapp.web.api.exports import CSV, download
from ghapp.web.api.operation import reads
from ghapp.web.api.pulls import PULL
from ghapp.web.api.questions import SpanParameters, read
from ghapp.web.api.summaries import shown
from ghapp.web.api.usage import UsageParameters, in_organization, in_repository
from ghapp.web.current import services

Estimate = Literal["list", "contract"]


def _meaning(asked: Estimate | None) -> CostBasis:
    return services.settings.estimate if asked is None else CostBasis(asked)


class SpendParameters(UsageParameters, frozen=True, forbid_unknown_fields=True):
    """Which spend; by default the twelve months up to today."""

    basis: Estimate | None = None
    """By default your own rates where there is a rate card, else list prices."""

    @property
    def meaning(self) -> CostBasis:
        """What amounts mean."""
        return _meaning(self.basis)


@api.get("/organizations/<organization>/spend")
@reads(
    "readOrganizationSpend",
    "Read what agents cost an organization, in the repositories that you may read.",
    SpendSummary,
    question=SpendParameters,
)
def organization_spend(organization: str) -> Response:
    """Answer with an organization's spend, in micro-dollars."""
    selection, asked = _of_organization(organization)
    return answer(_summary(selection, asked))


@api.get("/repositories/<owner>/<name>/spend")
@reads(
    "readRepositorySpend",
    "Read what agents cost in a repository.",
    SpendSummary,
    question=SpendParameters,
)
def repository_spend(owner: str, name: str) -> Response:
    """Answer with a repository's spend, in micro-dollars."""
    selection, asked = _of_repository(owner, name)
    return answer(_summary(selection, asked))


@api.get("/organizations/<organization>/spend.csv")
@reads(
    "exportOrganizationSpend",
    "Download an organization's spend by period, tool, model, team and repository.",
    question=SpendParameters,
    media=CSV,
)
def organization_spend_csv(organization: str) -> Response:
    """Download an organization's spend as CSV, in dollars."""
    selection, asked = _of_organization(organization)
    return _spend_csv(_summary(selection, asked))


@api.get("/repositories/<owner>/<name>/spend.csv")
@reads(
    "exportRepositorySpend",
    "Download a repository's spend by period, tool, model and team.",
    question=SpendParameters,
    media=CSV,
)
def repository_spend_csv(owner: str, name: str) -> Response:
    """Download a repository's spend as CSV, in dollars."""
    selection, asked = _of_repository(owner, name)
    return _spend_csv(_summary(selection, asked))


@api.get("/organizations/<organization>/pull-costs.csv")
@reads(
    "exportOrganizationPullCosts",
    "Download the costs of merged pull requests, dearest first.",
    question=SpendParameters,
    media=CSV,
)
def organization_pull_costs(organization: str) -> Response:
    """Download what an organization's pull requests cost as CSV, in dollars."""
    selection, asked = _of_organization(organization)
    return _pulls_csv(selection, asked.meaning)


@api.get("/repositories/<owner>/<name>/pull-costs.csv")
@reads(
    "exportRepositoryPullCosts",
    "Download the costs of a repository's merged pull requests, dearest first.",
    question=SpendParameters,
    media=CSV,
)
def repository_pull_costs(owner: str, name: str) -> Response:
    """Download what a repository's pull requests cost as CSV, in dollars."""
    selection, asked = _of_repository(owner, name)
    return _pulls_csv(selection, asked.meaning)


def _summary(selection: UsageSelection, asked: SpendParameters) -> SpendSummary:
    today, spend = services.clock().date(), services.spend
    return shown(lambda: spend.summary(selection, asked.meaning, asked.grain, today=today))


def _of_organization(organization: str) -> tuple[UsageSelection, SpendParameters]:
    installation, asked, selection = in_organization(organization, SpendParameters)
    note_access("spend", detail=installation.account)
    return selection, asked


def _of_repository(owner: str, name: str) -> tuple[UsageSelection, SpendParameters]:
    repository, asked, selection = in_repository(owner, name, SpendParameters)
    note_access("spend", repository=repository)
    return selection, asked


class ChargeBackParameters(SpanParameters, frozen=True, forbid_unknown_fields=True):
    """Which months, by default the last twelve and this one; a day stands for its whole month."""

    basis: Estimate | None = None
    """By default your own rates where there is a rate card, else list prices."""


@api.get("/organizations/<organization>/charge-back.csv")
@reads(
    "exportChargeBack",
    "Download what the people of each cost center cost, by month; for an organization's owners.",
    question=ChargeBackParameters,
    media=CSV,
)
def charge_back(organization: str) -> Response:
    """Download an organization's spend by month and cost center as CSV, in dollars."""
    installation = require_admin(organization)
    asked, today = read(ChargeBackParameters), services.clock().date()
    # Parts of months could be told from two files of whole ones.
    until = next_month(asked.until or today) - timedelta(days=1)
    selection = UsageSelection(
        installation_id=installation.id,
        repository_ids=readable_ids(installation.id),
        since=month_of(asked.since or year_before(until)),
        until=until,
        has_unplaced=True,
    )
    note_access("export", detail=f"charge-back of {installation.account}")
    basis = _meaning(asked.basis)
    found = shown(lambda: services.spend.charge_back(selection, basis))
    rows = (
        (
            *(basis.value, f"{one.month:%Y-%m}", one.cost_center, one.people),
            *(_dollars(one.cost), _unpriced(one.cost)),
        )
        for one in found
    )
    return download(to_csv(CHARGE_BACK_COLUMNS, rows), "charge-back.csv", CSV)


class ModelCost(Struct, frozen=True):
    """What of a pull request's cost is of one model."""

    model: str | None
    """``None``: not recorded."""
    amount: int | None
    """Micro-dollars; ``None``: none of its tokens has a price."""
    priced_tokens: int
    unpriced_tokens: int


class PullCostAnswer(Struct, frozen=True):
    """What a pull request cost: an allocation, not a bill (docs/spend.md)."""

    basis: CostBasis
    method: str
    amount: int | None
    """Micro-dollars; ``None``: unknown, for the reason in ``gap``."""
    gap: CostGap | None
    is_floor: bool
    """It costs at least this."""
    state: AllocationState
    data_through: date | None
    """Last day whose usage is in it."""
    agent_sessions: int
    """Those with matched lines here, and usage."""
    priced_share: float | None
    """Priced tokens of all; ``None``: there are no tokens."""
    coverage: float | None
    """Share of attributed lines whose agent session has usage; ``None``: there are none."""
    is_repriced: bool
    """Some of it is of a closed month that was priced again."""
    models: tuple[ModelCost, ...]


class BasisParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """Which estimate."""

    basis: Estimate | None = None
    """By default your own rates where there is a rate card, else list prices."""


@api.get(f"{PULL}/cost")
@reads(
    "readPullRequestCost",
    "Read what a merged pull request cost, allocated by matched lines.",
    PullCostAnswer,
    question=BasisParameters,
)
def pull_cost(owner: str, name: str, number: int) -> Response:
    """Answer with a pull request's cost, also of a public one to nobody anonymous."""
    require_viewer()
    repository = require_reader(owner, name)
    asked = read(BasisParameters)
    basis, now = _meaning(asked.basis), services.clock()
    found = services.spend.pull(repository.id, number, basis, now=now)
    if found is None:
        abort(404, f"there is no audit of #{number}")
    note_access("spend", repository=repository, pull_request=number)
    return answer(_told(found))


def _told(found: PullCostDetails) -> PullCostAnswer:
    whole = found.whole
    return PullCostAnswer(
        basis=whole.basis,
        method=whole.method,
        amount=whole.amount,
        gap=whole.gap,
        is_floor=whole.cost.is_floor,
        state=whole.state,
        data_through=whole.data_through,
        agent_sessions=whole.agent_sessions,
        priced_share=whole.cost.priced_share,
        coverage=whole.coverage,
        is_repriced=whole.is_repriced,
        models=tuple(
            ModelCost(model, one.amount, one.priced_tokens, one.unpriced_tokens)
            for model, one in found.models
        ),
    )


CHARGE_BACK_COLUMNS = ("basis", "month", "cost_center", "people", "dollars", "unpriced_tokens")
SPEND_COLUMNS = ("basis", "by", "name", "people", "dollars", "unallocated", "unpriced_tokens")
PULL_COLUMNS = (
    *("basis", "method", "repository", "pull_request", "title", "merged_at"),
    *("dollars", "attributed", "unpriced_tokens"),
)


def _spend_csv(summary: SpendSummary) -> Response:
    def rows() -> Iterable[tuple[Any, ...]]:
        basis = summary.basis.value
        for point in summary.series:
            spent = point.spent
            cost = (_dollars(spent.cost), _dollars(spent.unallocated), _unpriced(spent.cost))
            yield basis, "period", point.start, spent.people, *cost
        for by in ("agents", "models", "teams", "repositories"):
            for part in getattr(summary, by):
                cost = (_dollars(part.cost), None, _unpriced(part.cost))
                yield basis, by, part.name, part.people, *cost
        for person in summary.people or ():
            cost = (_dollars(person.cost), None, _unpriced(person.cost))
            yield basis, f"person in {person.month:%Y-%m}", person.person, 1, *cost

    return download(to_csv(SPEND_COLUMNS, rows()), "spend.csv", CSV)


def _pulls_csv(selection: UsageSelection, basis: CostBasis) -> Response:
    pulls = shown(lambda: services.spend.pulls(selection, basis))
    rows = (
        (
            *(basis.value, "matched_lines", one.repository, one.pull_request, one.title),
            one.merged_at,
            None if one.amount is None else for_machines(one.amount),
            one.attributed,
            one.unpriced_tokens,
        )
        for one in pulls
    )
    return download(to_csv(PULL_COLUMNS, rows), "pull-costs.csv", CSV)


def _dollars(cost: TokenCost | None) -> str | None:
    return None if cost is None or cost.amount is None else for_machines(cost.amount)


def _unpriced(cost: TokenCost | None) -> int | None:
    return cost.unpriced_tokens if cost else None
