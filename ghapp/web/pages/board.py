"""The page for a board: one sheet of A4 about an organization's quarter."""

from collections.abc import Callable
from datetime import date
from itertools import dropwhile

from flask import abort, render_template, request, url_for

from ghapp.reports.board import sentences
from ghapp.store import Installation
from ghapp.summaries.periods import (
    ONE_DAY,
    DayPeriod,
    months_before,
    period_before,
    quarter_before,
    quarter_name,
    quarter_of,
)
from ghapp.summaries.selection import PullSelection, TimeGrain
from ghapp.web.access import owns, readable_ids, require_member
from ghapp.web.current import services
from ghapp.web.pages import drawings
from ghapp.web.pages.blueprint import pages
from ghapp.web.pages.changes import part_row
from ghapp.web.pages.filters import takes
from ghapp.web.pages.spend import BASES
from ghapp.web.pages.usage import selected

MOST_TEAMS = 10
"""Teams that have room on the sheet, those with the most pull requests."""


@pages.get("/organizations/<organization>/board")
@takes(())
def organization_board(organization: str) -> str:
    """Show an organization's quarter on one sheet; without a quarter, the last one."""
    account = require_member(organization)
    quarter = _quarter()
    ids = readable_ids(account.id)
    asked = PullSelection(ids, since=quarter.since, until=quarter.until)
    changes = services.summaries.changes(asked, quarter)
    usage = selected(account.id, asked, has_unplaced=owns(organization))
    year = _year(asked, quarter)
    months = services.summaries.series(year, TimeGrain.MONTH)
    # The app may be younger than a year: the chart begins with the first month that it knows.
    series = tuple(dropwhile(lambda month: not month.counts.pulls, months))
    return render_template(
        "organization_board.html",
        account=account.account,
        quarter=quarter,
        name=quarter_name(quarter.since),
        near=_near(account, quarter),
        today=services.clock().date(),
        changes=changes,
        sentences=list(sentences(changes, services.summaries.outcomes(asked))),
        teams=[(one, part_row(one)) for one in changes.teams if one.now],
        most_teams=MOST_TEAMS,
        people=services.usage.totals(usage).people,
        spent=services.spend.total(usage, services.settings.estimate).cost,
        meaning=BASES[services.settings.estimate],
        chart=drawings.shares(series, TimeGrain.MONTH, _behind(account)),
    )


def _quarter() -> DayPeriod:
    """Return the quarter that the address names, or else the last one that is over."""
    given = request.args.getlist("quarter")
    unknown = sorted(request.args.keys() - {"quarter"})
    if unknown:
        abort(400, f"{unknown[0]} in the address means nothing here; leave it out")
    if len(given) > 1:
        abort(400, f"quarter is in the address {len(given)} times; give it once")
    try:
        return quarter_of(given[0]) if given else quarter_before(services.clock().date())
    except ValueError as error:
        abort(400, str(error))


def _year(asked: PullSelection, quarter: DayPeriod) -> PullSelection:
    """Return the same repositories over the twelve months that end with the quarter."""
    first = months_before(quarter.until.replace(day=1), 11)
    return PullSelection(asked.repository_ids, since=first, until=quarter.until)


def _near(account: Installation, quarter: DayPeriod) -> list[tuple[str, str]]:
    """Return name and address of the quarters before and after, as far as there are any."""
    before, today = period_before(quarter), services.clock().date()
    firsts = [] if before is None else [before.since]
    if quarter.until < today:
        firsts.append(TimeGrain.DAY.next(quarter.until))
    names = [quarter_name(first) for first in firsts]
    return [(name, board_address(account.account, name)) for name in names]


def board_address(organization: str, quarter: str) -> str:
    """Return the address that shows an organization's quarter for good."""
    return url_for("pages.organization_board", organization=organization, quarter=quarter)


def _behind(account: Installation) -> Callable[[date], str]:
    def address(start: date) -> str:
        until = TimeGrain.MONTH.next(start) - ONE_DAY
        return url_for(
            "pages.organization_pulls",
            organization=account.account,
            since=str(start),
            until=str(until),
        )

    return address
