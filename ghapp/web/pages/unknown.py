"""The pages of what is not known, and why: pull requests without evidence by cause, team, place."""

from flask import render_template

from ghapp.attribution.model import NoEvidence
from ghapp.reports.no_evidence import ADVICE, SENTENCES
from ghapp.web.access import require_reader
from ghapp.web.current import services
from ghapp.web.pages.beside import beside_pulls
from ghapp.web.pages.blueprint import pages
from ghapp.web.pages.filters import FILTERS, PageQuery, asked_for, takes
from ghapp.web.pages.organization import asked_of

MOST_ROWS = 50
"""Repositories that the page lists, those with the most pull requests."""
UNTOLD = "The audit was made before audits said why"


@pages.get("/organizations/<organization>/unknown")
@takes(FILTERS)
def organization_unknown(organization: str) -> str:
    """Show what is not known of an organization's pull requests."""
    account, wanted = asked_of(organization)
    return render_template(
        "organization_unknown.html", account=account.account, asked=wanted, **_shown(wanted)
    )


@pages.get("/repositories/<owner>/<name>/unknown")
@takes(FILTERS)
def repository_unknown(owner: str, name: str) -> str:
    """Show what is not known of a repository's pull requests."""
    known = require_reader(owner, name)
    wanted = asked_for((known.id,), services.clock().date())
    return render_template(
        "repository_unknown.html", repository=known, asked=wanted, **_shown(wanted)
    )


def _shown(wanted: PageQuery) -> dict[str, object]:
    found = services.summaries.unknown(wanted.selection)
    return {
        "found": found,
        "causes": [(*_why(one.cause), one.pulls) for one in found.causes],
        "beside": beside_pulls(wanted.selection),
        "most_rows": MOST_ROWS,
    }


def _why(cause: NoEvidence | None) -> tuple[str, str | None]:
    """Return why there is no evidence, and what to do."""
    return (UNTOLD, None) if cause is None else (SENTENCES[cause], ADVICE[cause])
