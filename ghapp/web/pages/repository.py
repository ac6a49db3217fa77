"""The pages of one repository: how much involved an agent, over time, by agent and directory."""

from flask import render_template, request

from ghapp.reports import words
from ghapp.spend.cost import TokenCost
from ghapp.store import Repository
from ghapp.web.access import require_reader, viewer
from ghapp.web.current import services
from ghapp.web.pages import drawings
from ghapp.web.pages.beside import beside_pulls
from ghapp.web.pages.blueprint import pages
from ghapp.web.pages.filters import FILTERS, PageQuery, asked_for, takes
from ghapp.web.pages.outcomes import compared, delivery, told_finer
from ghapp.web.pages.spend import BASES
from ghapp.web.pages.usage import of_repository

DAYS = frozenset({"since", "until"})


@pages.get("/repositories/<owner>/<name>")
@takes(FILTERS)
def repository(owner: str, name: str) -> str:
    """Show a repository's overview."""
    known, wanted = _asked(owner, name)
    summary = services.summaries.repository(wanted.selection, wanted.grain)
    pulls = wanted.behind("pages.repository_pulls", wanted.grain)
    return render_template(
        "repository.html",
        repository=known,
        asked=wanted,
        summary=summary,
        beside=beside_pulls(wanted.selection),
        agents=[(one.agent, words.agent_name(one.agent)) for one in summary.agents],
        pulls_chart=drawings.pulls(summary.series, wanted.grain, pulls),
        share_chart=drawings.shares(summary.series, wanted.grain, pulls),
        spent=_spent(known, wanted),
        meaning=BASES[services.settings.estimate],
    )


def _spent(known: Repository, wanted: PageQuery) -> TokenCost | None:
    """Return what agents cost on these days; ``None``: unknown, or not for this reader.

    It is of days, not of the pull requests that a filter chooses, and it is about people: a public
    page shows it to nobody anonymous.
    """
    if viewer() is None or (FILTERS & request.args.keys()) - DAYS:
        return None
    selection = of_repository(known, wanted.selection)
    return services.spend.total(selection, services.settings.estimate).cost


@pages.get("/repositories/<owner>/<name>/pulls")
@takes(FILTERS)
def repository_pulls(owner: str, name: str) -> str:
    """List a repository's pull requests."""
    known, wanted = _asked(owner, name)
    page = services.summaries.pulls(wanted.selection, wanted.listing)
    return render_template("repository_pulls.html", repository=known, asked=wanted, page=page)


@pages.get("/repositories/<owner>/<name>/outcomes")
@takes(FILTERS)
def repository_outcomes(owner: str, name: str) -> str:
    """Show a repository's outcomes."""
    known, wanted = _asked(owner, name)
    found = services.summaries.outcomes(wanted.selection)
    dora = services.summaries.dora(wanted.selection, today=wanted.today)
    return render_template(
        "repository_outcomes.html",
        repository=known,
        asked=wanted,
        outcomes=found,
        compared=compared(found),
        finer=told_finer(found),
        dora=dora,
        delivered=delivery(dora),
    )


def _asked(owner: str, name: str) -> tuple[Repository, PageQuery]:
    known = require_reader(owner, name)
    return known, asked_for((known.id,), services.clock().date())
