"""The pages of changes: the selected period beside the one before it."""

from flask import render_template

from ghapp.attribution.model import Struct
from ghapp.reports.figures import difference_words, figure_words, floor_words
from ghapp.summaries.changes import ChangeMeasure, MeasuredChange, PartChange, PeriodChanges
from ghapp.summaries.counts import PullCounts
from ghapp.web.access import require_reader
from ghapp.web.current import services
from ghapp.web.pages.blueprint import pages
from ghapp.web.pages.drawings import share
from ghapp.web.pages.filters import FILTERS, PageQuery, asked_for, takes
from ghapp.web.pages.organization import asked_of

MOST_ROWS = 50
"""Repositories that the page lists, those with the most pull requests."""
TITLES = {
    ChangeMeasure.SHARE: ("metric-share", "Share of lines, at least"),
    ChangeMeasure.KNOWN_SHARE: ("metric-known_share", "Share where evidence is known"),
    ChangeMeasure.PULLS_SHARE: ("metric-pulls_share", "PRs with an agent"),
    ChangeMeasure.NO_EVIDENCE: ("no_evidence", "PRs without evidence"),
}
"""Measure → its anchor on the page of the method, and its name."""


class ChangeRow(Struct, frozen=True):
    """One measure as a page shows it."""

    anchor: str
    title: str
    now: str
    before: str
    difference: str


class PartRow(Struct, frozen=True):
    """One team or repository as a page shows it."""

    name: str
    pulls: str
    pulls_before: str
    share: str
    share_before: str
    no_evidence: str
    no_evidence_before: str
    difference: str


@pages.get("/organizations/<organization>/changes")
@takes(FILTERS)
def organization_changes(organization: str) -> str:
    """Show what changed in an organization since the period before."""
    account, wanted = asked_of(organization)
    shown = _shown(wanted)
    return render_template(
        "organization_changes.html", account=account.account, asked=wanted, **shown
    )


@pages.get("/repositories/<owner>/<name>/changes")
@takes(FILTERS)
def repository_changes(owner: str, name: str) -> str:
    """Show what changed in a repository since the period before."""
    known = require_reader(owner, name)
    wanted = asked_for((known.id,), services.clock().date())
    return render_template(
        "repository_changes.html", repository=known, asked=wanted, **_shown(wanted)
    )


def _shown(wanted: PageQuery) -> dict[str, object]:
    found = services.summaries.changes(wanted.selection, wanted.period)
    return {
        "changes": found,
        "measures": [_measure(one) for one in found.measures],
        "no_evidence": found.measure(ChangeMeasure.NO_EVIDENCE).difference,
        "by_team": [part_row(one) for one in found.teams],
        "by_repository": [part_row(one) for one in found.repositories[:MOST_ROWS]],
        "is_empty": _is_empty(found),
    }


def _is_empty(found: PeriodChanges) -> bool:
    return not found.totals.pulls and not (found.totals_before and found.totals_before.pulls)


def _measure(one: MeasuredChange) -> ChangeRow:
    is_floor = one.measured in {ChangeMeasure.SHARE, ChangeMeasure.KNOWN_SHARE}
    write = floor_words if is_floor or one.measured is ChangeMeasure.PULLS_SHARE else figure_words
    anchor, title = TITLES[one.measured]
    return ChangeRow(
        anchor=anchor,
        title=title,
        now=write(one.now),
        before=write(one.before),
        difference=difference_words(one.difference),
    )


def part_row(one: PartChange) -> PartRow:
    """Return a team or repository as pages show it; a dash: nothing is known, or shown."""
    return PartRow(
        name=one.name,
        pulls=_pulls(one.now),
        pulls_before=_pulls(one.before),
        share=floor_words(one.share.now),
        share_before="-" if one.before is None else share(one.before),
        no_evidence=_no_evidence(one.now),
        no_evidence_before=_no_evidence(one.before),
        difference=difference_words(one.share.difference),
    )


def _pulls(counts: PullCounts | None) -> str:
    return "-" if counts is None else f"{counts.pulls:,}"


def _no_evidence(counts: PullCounts | None) -> str:
    return "-" if counts is None else f"{counts.no_evidence:,}"
