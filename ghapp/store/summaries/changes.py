"""A period beside the one before it, answered in one transaction.

Each period is asked by itself and folds its own groups, so the answer has no cell that a page of
that period does not show.
"""

from collections.abc import Mapping

import msgspec

from ghapp.attribution.model import Struct
from ghapp.store.summaries.query import ReadTransaction, SelectionQuery
from ghapp.summaries.changes import (
    ChangeMeasure,
    Maker,
    MeasuredCounts,
    PeriodChanges,
    changed,
    maker_changes,
    part_changes,
)
from ghapp.summaries.periods import DayPeriod, period_before
from ghapp.summaries.selection import NotShown, PullSelection


class _Measured(Struct, frozen=True):
    """What is compared of one period; without counts: of no pull request, or too few people's."""

    totals: MeasuredCounts | None = None
    teams: Mapping[str, MeasuredCounts] = {}
    repositories: Mapping[str, MeasuredCounts] = {}
    agents: tuple[tuple[Maker, int, int], ...] = ()
    models: tuple[tuple[Maker, int, int], ...] = ()


def period_changes(
    transaction: ReadTransaction, selection: PullSelection, period: DayPeriod
) -> PeriodChanges:
    """Compare a period with the one before it.

    Raises `NotShown` if the selection has too few people now; what had too few before is unknown.
    """
    now = _measured(transaction, selection, period)
    earlier = period_before(period)
    before = _Measured()
    if earlier is not None:
        try:
            before = _measured(transaction, selection, earlier)
        except NotShown:
            before = _Measured()
    return PeriodChanges(
        period=period,
        before=earlier,
        totals=(now.totals or MeasuredCounts()).counts,
        totals_before=None if before.totals is None else before.totals.counts,
        measures=tuple(changed(one, now.totals, before.totals) for one in ChangeMeasure),
        teams=part_changes(now.teams, before.teams),
        repositories=part_changes(now.repositories, before.repositories),
        agents=maker_changes(now.agents, before.agents),
        models=maker_changes(now.models, before.models),
    )


def _measured(
    transaction: ReadTransaction, selection: PullSelection, period: DayPeriod
) -> _Measured:
    asked = msgspec.structs.replace(selection, since=period.since, until=period.until)
    query = SelectionQuery(transaction, asked)
    authors = query.measured_authors()
    several = len(asked.repository_ids) > 1
    return _Measured(
        totals=sum(authors.values(), MeasuredCounts()) if authors else None,
        teams=query.measured_teams(authors),
        repositories=query.measured_repositories() if several else {},
        agents=tuple(((one.agent, None), one.pulls, one.attributed) for one in query.agents()),
        models=tuple(((one.agent, one.model), one.pulls, one.attributed) for one in query.models()),
    )
