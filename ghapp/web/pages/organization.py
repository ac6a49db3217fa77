"""The pages of one organization, over the repositories that the viewer may read."""

from collections.abc import Sequence

from flask import render_template

from ghapp.reports import words
from ghapp.store import Installation
from ghapp.summaries.benchmarks import OurFigure, PublishedBenchmark
from ghapp.summaries.benchmarks import beside as published_beside
from ghapp.summaries.counts import OrganizationSummary, QuietReason, RepositoryCounts
from ghapp.summaries.selection import RankBy, TimeGrain
from ghapp.web.access import readable_ids, require_member
from ghapp.web.current import services
from ghapp.web.pages import drawings
from ghapp.web.pages.beside import beside_pulls
from ghapp.web.pages.blueprint import pages
from ghapp.web.pages.drawings import ChartWithTable
from ghapp.web.pages.filters import FILTERS, PageQuery, asked_for, takes
from ghapp.web.pages.outcomes import compared, delivery, told_finer
from ghapp.web.person_usage import boards_with_usage

ADOPTION_DAYS = 84
"""Days that the charts of adoption show, up to the last selected day."""
REPOSITORIES = 50
"""Repositories that the page lists first; a link shows all of them."""
QUIET_WORDS = {
    QuietReason.FELL: "adoption fell",
    QuietReason.NEVER_STARTED: "never started",
    QuietReason.NO_EVIDENCE: "no evidence arrives",
}


@pages.get("/organizations/<organization>")
@takes(FILTERS)
def organization(organization: str) -> str:
    """Show an organization's overview."""
    account, wanted = asked_of(organization)
    summary = services.summaries.organization(wanted.selection, wanted.grain, today=wanted.today)
    summary = boards_with_usage(summary, account, wanted.selection)
    shown = summary.repositories[: None if wanted.whole else REPOSITORIES]
    is_by_lines = wanted.by is RankBy.LINES
    return render_template(
        "organization.html",
        account=account.account,
        asked=wanted,
        summary=summary,
        beside=beside_pulls(wanted.selection),
        repositories=shown,
        agents=[(one.agent, words.agent_name(one.agent)) for one in summary.agents],
        teams=[(one.team, one.team) for one in summary.teams if one.team],
        board=summary.leaderboard_lines if is_by_lines else summary.leaderboard_pulls,
        quiet_words=QUIET_WORDS,
        published=_published(wanted, summary),
        trends=_trends(wanted, shown),
        **_charts(wanted, summary),
    )


@pages.get("/organizations/<organization>/pulls")
@takes(FILTERS)
def organization_pulls(organization: str) -> str:
    """List an organization's pull requests."""
    account, wanted = asked_of(organization)
    page = services.summaries.pulls(wanted.selection, wanted.listing)
    return render_template(
        "organization_pulls.html", account=account.account, asked=wanted, page=page
    )


@pages.get("/organizations/<organization>/outcomes")
@takes(FILTERS)
def organization_outcomes(organization: str) -> str:
    """Show an organization's outcomes."""
    account, wanted = asked_of(organization)
    found = services.summaries.outcomes(wanted.selection)
    dora = services.summaries.dora(wanted.selection, today=wanted.today)
    return render_template(
        "organization_outcomes.html",
        account=account.account,
        asked=wanted,
        outcomes=found,
        compared=compared(found),
        finer=told_finer(found),
        dora=dora,
        delivered=delivery(dora),
    )


def asked_of(organization: str) -> tuple[Installation, PageQuery]:
    """Return an organization that the viewer is a member of, and what the address asks of it."""
    account = require_member(organization)
    return account, asked_for(readable_ids(account.id), services.clock().date())


def _published(wanted: PageQuery, summary: OrganizationSummary) -> tuple[PublishedBenchmark, ...]:
    """Return what others published of the share: under a filter, ours has another definition."""
    is_shown = wanted.selection.is_plain and summary.totals.known_effective
    return published_beside(OurFigure.SHARE_OF_LINES) if is_shown else ()


def _charts(wanted: PageQuery, summary: OrganizationSummary) -> dict[str, ChartWithTable]:
    days = (summary.adoption or ())[-ADOPTION_DAYS:]
    pulls = wanted.behind("pages.organization_pulls", wanted.grain)
    usage = wanted.behind("pages.organization_usage", TimeGrain.DAY)
    return {
        "pulls_chart": drawings.pulls(summary.series, wanted.grain, pulls),
        "share_chart": drawings.shares(summary.series, wanted.grain, pulls),
        "developers_chart": drawings.developers(days, usage),
        "sessions_chart": drawings.agent_sessions(days, usage),
    }


def _trends(wanted: PageQuery, shown: Sequence[RepositoryCounts]) -> dict[str, str]:
    names = {one.repository_id: one.repository for one in shown}
    trends = services.summaries.trends(wanted.selection, tuple(names))
    return drawings.trends({names[one]: points for one, points in trends.items()})
