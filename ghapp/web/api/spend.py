"""Routes about spend: what agents cost, beside what they shipped."""

from collections.abc import Iterable
from typing import Any, Literal

from flask import Response

from ghapp.reports.tables import to_csv
from ghapp.spend.cost import Cost, CostBasis
from ghapp.spend.counts import PullSpend, SpendSummary
from ghapp.spend.money import for_machines
from ghapp.usage.counts import UsageSelection
from ghapp.web.access import (
    note_access,
    owns,
    readable,
    require_member,
    require_reader,
    require_viewer,
)
from ghapp.web.api.answers import answer
from ghapp.web.api.blueprint import api
from ghapp.web.api.exports import CSV, download
from ghapp.web.api.operation import reads
from ghapp.web.api.questions import read
from ghapp.web.api.summaries import shown
from ghapp.web.api.usage import UsageParameters
from ghapp.web.current import services
from ghapp.web.pages.spend import default_basis


class SpendParameters(UsageParameters, frozen=True, forbid_unknown_fields=True):
    """Which spend; by default the twelve months up to today."""

    basis: Literal["list", "contract"] | None = None
    """By default your own rates where there is a rate card, else list prices."""

    @property
    def meaning(self) -> CostBasis:
        """What amounts mean."""
        return default_basis() if self.basis is None else CostBasis(self.basis)


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
    return answer(shown(lambda: _summary(selection, asked)))


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
    return answer(shown(lambda: _summary(selection, asked)))


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
    return _spend_csv(shown(lambda: _summary(selection, asked)))


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
    return _spend_csv(shown(lambda: _summary(selection, asked)))


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
    pulls = shown(lambda: services.spend.pulls(selection, asked.meaning))
    return _pulls_csv(pulls, asked.meaning)


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
    pulls = shown(lambda: services.spend.pulls(selection, asked.meaning))
    return _pulls_csv(pulls, asked.meaning)


def _summary(selection: UsageSelection, asked: SpendParameters) -> SpendSummary:
    today = services.clock().date()
    return services.spend.summary(selection, asked.meaning, asked.grain, today=today)


def _of_organization(organization: str) -> tuple[UsageSelection, SpendParameters]:
    installation = require_member(organization)
    asked = read(SpendParameters)
    numbers = tuple(sorted(readable(installation.id)))
    note_access("spend", detail=installation.account)
    return asked.of(installation.id, numbers, has_unplaced=owns(organization)), asked


def _of_repository(owner: str, name: str) -> tuple[UsageSelection, SpendParameters]:
    require_viewer()
    repository = require_reader(owner, name)
    asked = read(SpendParameters)
    note_access("spend", repository=repository)
    home = repository.installation_id or 0
    return asked.of(home, (repository.id,), has_unplaced=False), asked


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


def _pulls_csv(pulls: Iterable[PullSpend], basis: CostBasis) -> Response:
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


def _dollars(cost: Cost | None) -> str | None:
    return None if cost is None or cost.amount is None else for_machines(cost.amount)


def _unpriced(cost: Cost | None) -> int | None:
    return cost.unpriced_tokens if cost else None
