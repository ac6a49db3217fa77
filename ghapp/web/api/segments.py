"""Routes about groups of people: what they merged and used, and how adoption went."""

from collections.abc import Iterator

from flask import Response
from msgspec.structs import astuple

from ghapp.reports.tables import to_csv
from ghapp.store.summaries.segments import SegmentSelection
from ghapp.summaries.segments import PeopleSegment, SegmentKind
from ghapp.summaries.selection import year_before
from ghapp.usage.adoption import AdoptionStudy
from ghapp.usage.answers import TOKEN_KINDS
from ghapp.usage.counts import UsageSelection
from ghapp.usage.segments import SegmentRow, SegmentTable
from ghapp.web.access import note_access, owns, readable_ids, require_member
from ghapp.web.api.answers import answer
from ghapp.web.api.blueprint import api
from ghapp.web.api.exports import CSV, download
from ghapp.web.api.operation import reads
from ghapp.web.api.questions import SpanParameters, Text, read
from ghapp.web.api.summaries import shown
from ghapp.web.current import services

PULLS = ("pulls", "assisted", "no_evidence", "effective", "attributed", "share")
EDITS = ("lines_suggested", "lines_accepted")
COLUMNS = (
    *("segment", "people", "authors", *PULLS),
    *("outcomes_known", "reverted", "fixed_up", "users", *TOKEN_KINDS, *EDITS),
)
EVERYBODY = "(everybody)"


class SegmentParameters(SpanParameters, frozen=True, forbid_unknown_fields=True):
    """Which groups, and of whom: at most two kinds at a time, ``by`` and one filter."""

    by: SegmentKind = SegmentKind.TEAM
    team: Text | None = None
    role: Text | None = None
    tenure: Text | None = None
    location: Text | None = None
    cost_center: Text | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.filters) > 1:
            raise ValueError("at most two kinds at a time: by, and one filter")

    @property
    def filters(self) -> tuple[PeopleSegment, ...]:
        """The groups that people have to be in."""
        found = ((kind, getattr(self, kind.value)) for kind in SegmentKind)
        return tuple(PeopleSegment(kind, name) for kind, name in found if name is not None)


def asked_in(organization: str) -> tuple[str, SegmentSelection]:
    """Return the account, and what this request asks of it, by default of twelve months."""
    installation = require_member(organization)
    asked = read(SegmentParameters)
    until = asked.until or services.clock().date()
    usage = UsageSelection(
        installation_id=installation.id,
        repository_ids=readable_ids(installation.id),
        since=asked.since or year_before(until),
        until=until,
        has_unplaced=owns(organization),
    )
    within = next(iter(asked.filters), None)
    return installation.account, SegmentSelection(usage, asked.by, within)


@api.get("/organizations/<organization>/segments")
@reads(
    "readSegments",
    "Read pull requests, outcomes and usage by team, role, tenure, location or cost center.",
    SegmentTable,
    question=SegmentParameters,
)
def segments(organization: str) -> Response:
    """Answer with an organization's numbers by segments."""
    return answer(_table(organization))


@api.get("/organizations/<organization>/segments.csv")
@reads(
    "exportSegments",
    "Download the same as CSV, a row for each group.",
    question=SegmentParameters,
    media=CSV,
)
def segments_csv(organization: str) -> Response:
    """Download an organization's numbers by segments as CSV."""
    table = _table(organization)
    rows = (tuple(_cells(one)) for one in (*table.rows, table.total))
    return download(to_csv(COLUMNS, rows), f"segments-by-{table.by}.csv", CSV)


@api.get("/organizations/<organization>/adoption")
@reads(
    "readAdoption",
    "Read how adoption went: weeks of groups, where it stalled and why, cohorts.",
    AdoptionStudy,
    question=SegmentParameters,
)
def adoption(organization: str) -> Response:
    """Answer with how an organization's adoption went."""
    return answer(_study(organization))


@api.get("/organizations/<organization>/adoption.csv")
@reads(
    "exportAdoption",
    "Download the weeks of groups as CSV, a row for each group and week.",
    question=SegmentParameters,
    media=CSV,
)
def adoption_csv(organization: str) -> Response:
    """Download the weeks of an organization's groups as CSV."""
    study = _study(organization)
    rows = (
        (one.name, one.people, one.state.value, one.since, one.reason, week.week, week.share)
        for one in study.groups
        for week in one.weeks
    )
    columns = ("segment", "people", "state", "since", "reason", "week", "share")
    return download(to_csv(columns, rows), f"adoption-by-{study.by}.csv", CSV)


def _table(organization: str) -> SegmentTable:
    account, selection = asked_in(organization)
    note_access("segments", detail=account)
    return shown(lambda: services.segments.table(selection))


def _study(organization: str) -> AdoptionStudy:
    account, selection = asked_in(organization)
    note_access("adoption", detail=account)
    return shown(lambda: services.segments.adoption(selection))


def _cells(row: SegmentRow) -> Iterator[object]:
    """Yield the cells of a row; ``None``: unknown, or of fewer than five people."""
    yield from (row.name or EVERYBODY, row.people, row.authors)
    pulls = row.pulls.shown() if row.pulls else {}
    yield from (pulls.get(name) for name in PULLS)
    yield from astuple(row.outcomes) if row.outcomes else (None, None, None)
    yield row.users
    yield from (getattr(row.tokens, kind, None) for kind in TOKEN_KINDS)
    yield from (getattr(row.edits, name, None) for name in EDITS)
