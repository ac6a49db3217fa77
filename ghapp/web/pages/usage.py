"""The pages of usage: who uses agents, how much, and what is accepted."""

from collections.abc import Iterable, Sequence

from flask import render_template, request, url_for

from ghapp.reports.charts import ChartColumn, ChartFrame, columns
from ghapp.reports.words import agent_name, counted
from ghapp.store import Repository
from ghapp.summaries.benchmarks import OurFigure, PublishedBenchmark, beside
from ghapp.summaries.selection import NamesShown, PullSelection, TimeGrain
from ghapp.usage.counts import OTHERS, UsagePart, UsagePoint, UsageSelection, UsageSummary
from ghapp.web.access import (
    owns,
    readable_ids,
    require_member,
    require_reader,
    require_viewer,
)
from ghapp.web.api.usage_exports import UsageBy
from ghapp.web.current import services
from ghapp.web.pages.blueprint import pages
from ghapp.web.pages.drawings import Behind, ChartWithTable, span_name, tick
from ghapp.web.pages.filters import PageQuery, asked_for, takes
from ghapp.web.pages.usage_changes import usage_rows, used_row

USAGE_FILTERS = frozenset({"since", "until", "team", "agent"})
"""Filters of these pages: usage has days, people, and an agent, and no pull request."""
WEEKS_AT_MOST = 130
"""Days up to which a page shows weeks if nobody asks for another grain."""
SOURCES = {
    "transcripts": "agents' own records, sent by machines",
    "events": "telemetry, event by event",
    "metrics": "telemetry, sums",
    "vendor": "the agent's vendor, day by day",
}


OF_OWNERS = {
    "sources_address": "pages.organization_usage_sources",
    "identities_address": "usage_identities.identities",
}
"""Links that only owners see."""


@pages.get("/organizations/<organization>/usage")
@takes(USAGE_FILTERS)
def organization_usage(organization: str) -> str:
    """Show an organization's usage."""
    account = require_member(organization)
    wanted = asked_for(readable_ids(account.id), services.clock().date())
    is_owner = owns(organization)
    selection = selected(account.id, wanted.selection, has_unplaced=is_owner)
    of_owners = {
        name: url_for(endpoint, organization=account.account) if is_owner else None
        for name, endpoint in OF_OWNERS.items()
    }
    return render_template(
        "organization_usage.html",
        account=account.account,
        asked=wanted,
        exports=_exports(wanted, "api.organization_usage_csv", "api.organization_usage_changes"),
        **of_owners,
        **_shown(selection, wanted),
    )


@pages.get("/repositories/<owner>/<name>/usage")
@takes(USAGE_FILTERS)
def repository_usage(owner: str, name: str) -> str:
    """Show a repository's usage. It is about people, so even a public one asks who is there."""
    require_viewer()
    repository = require_reader(owner, name)
    wanted = asked_for((repository.id,), services.clock().date())
    return render_template(
        "repository_usage.html",
        repository=repository,
        asked=wanted,
        exports=_exports(wanted, "api.repository_usage_csv", "api.repository_usage_changes"),
        **_shown(of_repository(repository, wanted.selection), wanted),
    )


def of_repository(repository: Repository, asked: PullSelection) -> UsageSelection:
    """Return the usage selection of a repository."""
    return selected(repository.installation_id or 0, asked, has_unplaced=False)


def selected(installation_id: int, asked: PullSelection, *, has_unplaced: bool) -> UsageSelection:
    """Return the usage on the selected days, of the selected team and agent.

    ``has_unplaced``: with usage that names no repository. Only an owner reads that, since nobody
    else may read everything.
    """
    until = asked.until or services.clock().date()
    return UsageSelection(
        installation_id=installation_id,
        repository_ids=asked.repository_ids,
        since=asked.since or until,
        until=until,
        has_unplaced=has_unplaced,
        team=asked.team,
        agent=asked.agent,
    )


def _exports(wanted: PageQuery, endpoint: str, beside: str) -> list[tuple[str, str]]:
    """Return words and address of each export of what the page selects."""
    is_named = services.summaries.naming.names is NamesShown.PEOPLE
    kinds = (one for one in UsageBy if is_named or one is not UsageBy.PERSON)
    parts = [(one.value, wanted.exported(endpoint, by=one.value)) for one in kinds]
    return [*parts, ("change from the days before", wanted.exported(beside))]


def shown_grain(selection: UsageSelection, wanted: PageQuery) -> TimeGrain:
    """Return the grain that is asked for; if none is, many days are shown by month."""
    days = (selection.until - selection.since).days
    is_long = days > WEEKS_AT_MOST and not request.args.get("grain")
    return TimeGrain.MONTH if is_long else wanted.grain


def _shown(selection: UsageSelection, wanted: PageQuery) -> dict[str, object]:
    grain = shown_grain(selection, wanted)
    summary = services.usage.summary(selection, grain)
    return {
        "summary": summary,
        "usage": selection,
        "grain": grain,
        "stale": services.store.usage.stale(selection.installation_id),
        "source_words": SOURCES,
        "teams": [(name, name) for name in _named(summary.teams)],
        "agents": [(name, agent_name(name)) for name in _named(summary.agents)],
        "compared_rows": usage_rows(summary.changes.totals),
        "agents_before": list(map(used_row, summary.changes.agents)),
        "teams_before": list(map(used_row, summary.changes.teams)),
        "published": _published(selection, summary),
        **_charts(summary, grain, wanted.behind(str(request.endpoint), grain, grain="day")),
    }


def _published(selection: UsageSelection, summary: UsageSummary) -> tuple[PublishedBenchmark, ...]:
    """Return what others published of weekly use: of a team or an agent, ours is something else."""
    is_narrow = selection.team is not None or selection.agent is not None
    is_shown = summary.adoption.weekly_share is not None and not is_narrow
    return beside(OurFigure.WEEKLY_ACTIVE) if is_shown else ()


def _named(parts: Iterable[UsagePart]) -> list[str]:
    return [one.name for one in parts if one.name != OTHERS]


def _charts(summary: UsageSummary, grain: TimeGrain, behind: Behind) -> dict[str, ChartWithTable]:
    return {
        "people_chart": _chart(
            "active person",
            summary,
            grain,
            [one.counts.people for one in summary.series],
            behind,
        ),
        "sessions_chart": _chart(
            "agent session",
            summary,
            grain,
            [one.counts.agent_sessions for one in summary.series],
            behind,
        ),
    }


def _chart(
    noun: str,
    summary: UsageSummary,
    grain: TimeGrain,
    values: Sequence[int | None],
    behind: Behind,
) -> ChartWithTable:
    """Draw columns; a value that is not known has none, and says so."""
    steps = [
        ChartColumn(
            label=tick(one.start, grain),
            title=f"{span_name(one.start, grain)}: {_counted(value, noun)}",
            values=(value or 0,),
            address=behind(one.start),
        )
        for one, value in zip(summary.series, values, strict=True)
    ]
    frame = ChartFrame(
        name=noun.replace(" ", "-"),
        title=f"{_counted(2, noun)[2:].capitalize()} by {grain}",
        description=f"{_counted(max(filter(None, values), default=0), noun)} at most.",
    )
    return ChartWithTable(
        svg=columns(frame, steps, ("with",)),
        heads=(
            grain.value.title(),
            *("Active people", "Agent sessions", "Output tokens", "Cache tokens read"),
        ),
        rows=tuple(_row(one, grain) for one in summary.series),
        addresses=tuple(step.address for step in steps),
    )


def _counted(count: int | None, noun: str) -> str:
    if count is None:
        return f"{noun}s not known"
    return counted(count, noun).replace("persons", "people")


def _row(point: UsagePoint, grain: TimeGrain) -> tuple[str, ...]:
    """Write a period; a dash for what nobody knows, or fewer than five people did."""
    counts = point.counts
    output, cached = (
        (f"{counts.tokens.output:,}", f"{counts.tokens.cache_read:,}")
        if counts.tokens
        else ("-", "-")
    )
    return (
        span_name(point.start, grain),
        *(str(counts.people), _known(counts.agent_sessions), output, cached),
    )


def _known(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"
