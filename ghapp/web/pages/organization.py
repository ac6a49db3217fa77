"""One organization: the same numbers over the repositories that the viewer may read."""

from flask import Blueprint, render_template

from ghapp.bootstrap import Services
from ghapp.reports import words
from ghapp.store import Installation
from ghapp.summaries.counts import QuietReason
from ghapp.summaries.selection import RankBy
from ghapp.web.access import readable, require_member
from ghapp.web.pages import drawings
from ghapp.web.pages.beside import beside_pulls
from ghapp.web.pages.filters import PageQuery, asked_for
from ghapp.web.pages.outcomes import compared

ADOPTION_DAYS = 84
"""Days of adoption that are shown one by one, up to the last day that is asked for."""
REPOSITORIES = 50
"""Repositories that are listed at once, most pull requests first; all of them on request."""
QUIET_WORDS = {
    QuietReason.FELL: "adoption fell",
    QuietReason.NEVER_STARTED: "never started",
    QuietReason.NO_EVIDENCE: "no evidence arrives",
}


def add(blueprint: Blueprint, services: Services) -> None:
    """Add the routes of an organization: its overview, its pull requests, its outcomes."""

    @blueprint.get("/organizations/<organization>")
    def organization(organization: str) -> str:
        account, wanted = _asked(services, organization)
        summary = services.summaries.organization(
            wanted.selection, wanted.grain, today=wanted.today
        )
        shown = summary.repositories[: None if wanted.whole else REPOSITORIES]
        names = {one.repository_id: one.repository for one in shown}
        trends = services.summaries.trends(wanted.selection, tuple(names))
        board = (
            summary.leaderboard_lines if wanted.by is RankBy.LINES else summary.leaderboard_pulls
        )
        return render_template(
            "organization.html",
            account=account.account,
            asked=wanted,
            summary=summary,
            beside=beside_pulls(services, wanted.selection),
            repositories=shown,
            agents=[(one.agent, words.agent_name(one.agent)) for one in summary.agents],
            teams=[(one.team, one.team) for one in summary.teams if one.team],
            board=board,
            quiet_words=QUIET_WORDS,
            pulls_chart=drawings.pulls(summary.series, wanted.grain),
            share_chart=drawings.shares(summary.series, wanted.grain),
            trends=drawings.trends({names[one]: points for one, points in trends.items()}),
            developers_chart=drawings.developers(summary.adoption[-ADOPTION_DAYS:]),
            sessions_chart=drawings.agent_sessions(summary.adoption[-ADOPTION_DAYS:]),
        )

    @blueprint.get("/organizations/<organization>/pulls")
    def organization_pulls(organization: str) -> str:
        account, wanted = _asked(services, organization)
        page = services.summaries.pulls(wanted.selection, wanted.listing)
        return render_template(
            "organization_pulls.html", account=account.account, asked=wanted, page=page
        )

    @blueprint.get("/organizations/<organization>/outcomes")
    def organization_outcomes(organization: str) -> str:
        account, wanted = _asked(services, organization)
        found = services.summaries.outcomes(wanted.selection)
        return render_template(
            "organization_outcomes.html",
            account=account.account,
            asked=wanted,
            outcomes=found,
            compared=compared(found),
        )


def _asked(services: Services, organization: str) -> tuple[Installation, PageQuery]:
    account = require_member(services, organization)
    found = readable(services, account.id)
    return account, asked_for(tuple(sorted(found)), services.clock().date())
