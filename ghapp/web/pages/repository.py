"""One repository: how much an agent had a part in, over time, by agent and by place."""

from flask import Blueprint, render_template

from ghapp.bootstrap import Services
from ghapp.reports import words
from ghapp.store import Repository
from ghapp.web.access import require_reader
from ghapp.web.pages import drawings
from ghapp.web.pages.beside import beside_pulls
from ghapp.web.pages.filters import PageQuery, asked_for
from ghapp.web.pages.outcomes import compared


def add(blueprint: Blueprint, services: Services) -> None:
    """Add the routes of a repository: its overview, its pull requests, its outcomes."""

    @blueprint.get("/repositories/<owner>/<name>")
    def repository(owner: str, name: str) -> str:
        known, wanted = _asked(services, owner, name)
        summary = services.summaries.repository(wanted.selection, wanted.grain)
        return render_template(
            "repository.html",
            repository=known,
            asked=wanted,
            summary=summary,
            beside=beside_pulls(services, wanted.selection),
            agents=[(one.agent, words.agent_name(one.agent)) for one in summary.agents],
            pulls_chart=drawings.pulls(summary.series, wanted.grain),
            share_chart=drawings.shares(summary.series, wanted.grain),
            on_github=f"{services.settings.web_url}/{known.full_name}",
        )

    @blueprint.get("/repositories/<owner>/<name>/pulls")
    def repository_pulls(owner: str, name: str) -> str:
        known, wanted = _asked(services, owner, name)
        page = services.summaries.pulls(wanted.selection, wanted.listing)
        return render_template("repository_pulls.html", repository=known, asked=wanted, page=page)

    @blueprint.get("/repositories/<owner>/<name>/outcomes")
    def repository_outcomes(owner: str, name: str) -> str:
        known, wanted = _asked(services, owner, name)
        found = services.summaries.outcomes(wanted.selection)
        return render_template(
            "repository_outcomes.html",
            repository=known,
            asked=wanted,
            outcomes=found,
            compared=compared(found),
        )


def _asked(services: Services, owner: str, name: str) -> tuple[Repository, PageQuery]:
    known = require_reader(services, owner, name)
    return known, asked_for((known.id,), services.clock().date())
