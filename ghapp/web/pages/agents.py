"""The page that compares agents and models: what they shipped, their use, and their cost."""

from collections.abc import Iterable

from flask import render_template

from ghapp.attribution.model import Struct
from ghapp.reports.figures import figure_words
from ghapp.reports.words import agent_name
from ghapp.spend.cost import TokenCost
from ghapp.spend.shown import SpendPart
from ghapp.summaries.counts import AgentCounts, ModelCounts, RevertedCounts
from ghapp.usage.counts import OTHERS, UsageCounts, UsagePart
from ghapp.web.access import owns
from ghapp.web.current import services
from ghapp.web.pages.blueprint import pages
from ghapp.web.pages.filters import takes
from ghapp.web.pages.organization import asked_of
from ghapp.web.pages.spend import BASES
from ghapp.web.pages.usage import USAGE_FILTERS, selected


class AgentRow(Struct, frozen=True):
    """One agent in everything that is known of it; `OTHERS` stands for what is kept back."""

    name: str
    pulls: int | None
    """``None``: no line is attributed to it."""
    attributed: int | None
    reverted: str
    fixed_up: str
    used: UsageCounts
    cost: TokenCost | None


class ModelRow(Struct, frozen=True):
    """One family of models, in the hands of any agent."""

    name: str
    """Empty: no record names the model."""
    agents: str
    attributed: int | None
    output_tokens: int | None
    cost: TokenCost | None


@pages.get("/organizations/<organization>/agents")
@takes(USAGE_FILTERS)
def organization_agents(organization: str) -> str:
    """Compare an organization's agents and models."""
    account, wanted = asked_of(organization)
    usage = selected(account.id, wanted.selection, has_unplaced=owns(organization))
    agents, models, reverted = services.summaries.agents(wanted.selection)
    used_agents, used_models = services.usage.makers(usage)
    basis = services.settings.estimate
    cost_agents, cost_models = services.spend.makers(usage, basis)
    return render_template(
        "organization_agents.html",
        account=account.account,
        asked=wanted,
        rows=_agents(agents, reverted, used_agents, cost_agents),
        models=_models(models, used_models, cost_models),
        meaning=BASES[basis],
    )


def _agents(
    agents: Iterable[AgentCounts],
    reverted: Iterable[RevertedCounts],
    used: Iterable[UsagePart],
    costs: Iterable[SpendPart],
) -> list[AgentRow]:
    """Return a row for each agent that anything names, those with the most lines first."""
    shipped = {one.agent: one for one in agents}
    came_of = {one.agent: one for one in reverted}
    usage = {one.name: one.counts for one in used}
    spent = {one.name: one.cost for one in costs}
    names = _others_last([*shipped, *usage, *spent])
    return [
        AgentRow(
            name=name,
            pulls=shipped[name].pulls if name in shipped else None,
            attributed=shipped[name].attributed if name in shipped else None,
            reverted=figure_words(came_of[name].reverted) if name in came_of else "-",
            fixed_up=figure_words(came_of[name].fixed_up) if name in came_of else "-",
            used=usage.get(name, UsageCounts()),
            cost=spent.get(name),
        )
        for name in names
    ]


def _models(
    models: Iterable[ModelCounts], used: Iterable[UsagePart], costs: Iterable[SpendPart]
) -> list[ModelRow]:
    """Return a row for each family that anything names, those with the most lines first."""
    lines: dict[str, int] = {}
    agents: dict[str, list[str]] = {}
    for one in models:
        family = one.model or ""
        lines[family] = lines.get(family, 0) + one.attributed
        agents.setdefault(family, []).append(agent_name(one.agent))
    usage = {one.name: one.counts.tokens for one in used}
    spent = {one.name: one.cost for one in costs}
    most_first = dict.fromkeys(sorted(lines, key=lambda family: -lines[family]))
    names = _others_last([*most_first, *usage, *spent])
    return [
        ModelRow(
            name=name,
            agents=", ".join(agents.get(name, [])),
            attributed=lines.get(name),
            output_tokens=tokens.output if (tokens := usage.get(name)) else None,
            cost=spent.get(name),
        )
        for name in names
    ]


def _others_last(names: Iterable[str]) -> list[str]:
    return sorted(dict.fromkeys(names), key=lambda name: name == OTHERS)
