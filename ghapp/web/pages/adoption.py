"""The page of adoption: weeks of groups, where it stalled and why, cohorts, numbers by group."""

from collections.abc import Callable

from flask import render_template

from ghapp.attribution.model import Struct
from ghapp.summaries.segments import SegmentKind
from ghapp.summaries.selection import NotShown
from ghapp.usage.adoption import AdoptionState, GroupAdoption, StallReason, WeekShare
from ghapp.usage.counts import OTHERS
from ghapp.usage.segments import SegmentTable
from ghapp.web.api.segments import asked_in
from ghapp.web.current import services
from ghapp.web.pages.blueprint import pages
from ghapp.web.pages.filters import SEGMENTS, asked_for, here, takes

WEEKS_SHOWN = 26
"""Latest weeks that the map draws; the download has all."""
STATES = {
    AdoptionState.NOT_STARTED: "not started",
    AdoptionState.IN_USE: "in use",
    AdoptionState.ADOPTED: "adopted",
    AdoptionState.STALLED: "stalled",
}
REASONS = {
    StallReason.NOT_ROLLED_OUT: "not rolled out: most who use none never had a machine that sends",
    StallReason.MACHINES_SILENT: "machines silent: those of most who use none send nothing",
    StallReason.PEOPLE_STOPPED: "people stopped: machines send, and most who used agents use none",
}


class MapRow(Struct, frozen=True):
    """One group of the map."""

    group: GroupAdoption
    weeks: tuple[WeekShare, ...]


@pages.get("/organizations/<organization>/adoption")
@takes({"since", "until", "team"})
def organization_adoption(organization: str) -> str:
    """Show how an organization's adoption went."""
    account, selection = asked_in(organization)
    ids = selection.usage.repository_ids
    wanted = asked_for(ids, services.clock().date(), more=SEGMENTS)
    study = services.segments.adoption(selection)
    lacking = {AdoptionState.STALLED, AdoptionState.NOT_STARTED}
    try:
        table: SegmentTable | None = services.segments.table(selection)
    except NotShown:
        table = None
    return render_template(
        "organization_adoption.html",
        account=account,
        asked=wanted,
        study=study,
        rows=[MapRow(one, one.weeks[-WEEKS_SHOWN:]) for one in study.groups],
        lacking=[one for one in study.groups if one.state in lacking and one.name != OTHERS],
        table=table,
        states=STATES,
        reasons=REASONS,
        kinds=[(words_of(kind), here(by=kind.value), kind is selection.by) for kind in SegmentKind],
        by_words=words_of(selection.by),
        within=selection.within,
        within_words=words_of(selection.within.kind) if selection.within else "",
        without_filter=here(**dict.fromkeys(kind.value for kind in SegmentKind)),
        address_of=_narrowed(selection.by),
    )


def _narrowed(by: SegmentKind) -> Callable[[str], str]:
    """Return for the name of a group the address of its people alone, by another kind."""
    other = SegmentKind.ROLE if by is SegmentKind.TEAM else SegmentKind.TEAM
    every = dict.fromkeys(kind.value for kind in SegmentKind)
    return lambda name: here(**{**every, by.value: name, "by": other.value})


def words_of(kind: SegmentKind) -> str:
    """Return a kind in words.

    >>> words_of(SegmentKind.COST_CENTER)
    'cost center'
    """
    return kind.value.replace("_", " ")
