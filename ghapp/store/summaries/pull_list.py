"""Lists of pull requests: sorted, one page at a time, each page after the last row before.

A page begins at a row's place, not at a number of rows, so a list can grow while somebody reads
it.
"""

import base64
import binascii
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, func, literal, or_, select, tuple_

from ghapp.attribution.model import AuditState, Verdict
from ghapp.store.rows import chunks
from ghapp.store.schema import (
    from_microseconds,
    pull_agent,
    pull_summary,
    repository,
    to_microseconds,
)
from ghapp.store.summaries.conditions import TeamMembers
from ghapp.summaries.counts import PullPage, PullRow
from ghapp.summaries.selection import ListSlice, NamesShown, PersonNaming, PullOrder, WrongPlace

MOST_ROWS = 1000
"""Most rows of one page."""
NO_SHARE = -1.0
"""Sorts pull requests without a share below all others."""

Place = tuple[str, bool, float | int, int, int]
"""Order, direction, value, repository, pull request: what `PullPage.after` holds."""


def pull_page(
    connection: Connection,
    asked: Sequence[ColumnElement[bool]],
    listing: ListSlice,
    naming: PersonNaming,
    teams: TeamMembers,
) -> PullPage:
    """Return one page. Raises `WrongPlace` if ``listing.after`` is from another list."""
    key = _KEYS[listing.order]
    row_place = (key, pull_summary.c.repository_id, pull_summary.c.pull_request)
    limit = min(max(listing.limit, 1), MOST_ROWS)
    places = select(
        pull_summary.c.repository_id, pull_summary.c.pull_request, key.label("place")
    ).where(*asked)
    if listing.after is not None:
        last = _last(listing, key)
        behind = tuple_(*row_place) > last if listing.ascending else tuple_(*row_place) < last
        places = places.where(behind)
    # Only places are sorted: whole rows of a large repository cost twice as much.
    first = places.order_by(*_ordered(row_place, listing)).limit(limit + 1).subquery()
    columns = first.c
    query = (
        select(pull_summary, columns.place, repository.c.owner, repository.c.name)
        .join_from(
            first,
            pull_summary,
            and_(
                pull_summary.c.repository_id == columns.repository_id,
                pull_summary.c.pull_request == columns.pull_request,
            ),
        )
        .outerjoin(repository, repository.c.id == columns.repository_id)
        .order_by(*_ordered((columns.place, columns.repository_id, columns.pull_request), listing))
    )
    rows = connection.execute(query).all()
    shown = rows[:limit]
    agents = _agents(connection, shown)
    return PullPage(
        rows=tuple(_to_row(row, agents, naming, teams) for row in shown),
        after=_after(listing, shown[-1]) if len(rows) > limit else None,
    )


def _ordered(
    columns: Iterable[ColumnElement[Any]], listing: ListSlice
) -> Iterator[ColumnElement[Any]]:
    return (one if listing.ascending else one.desc() for one in columns)


_KEYS: dict[PullOrder, ColumnElement[Any]] = {
    PullOrder.MERGED: pull_summary.c.merged_at,
    PullOrder.EFFECTIVE: pull_summary.c.effective,
    PullOrder.ATTRIBUTED: pull_summary.c.attributed,
    PullOrder.SHARE: func.coalesce(pull_summary.c.share, NO_SHARE),
}


def _after(listing: ListSlice, row: Row[Any]) -> str:
    value = to_microseconds(row.place) if listing.order is PullOrder.MERGED else row.place
    place = (
        listing.order.value,
        listing.ascending,
        value,
        row.repository_id,
        row.pull_request,
    )
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _last(listing: ListSlice, key: ColumnElement[Any]) -> ColumnElement[Any]:
    text = listing.after or ""
    try:
        place = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        order, ascending, value, repository_id, number = msgspec.json.decode(place, type=Place)
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise WrongPlace(f"{text!r} is not a place in this list: begin again without it") from None
    if (order, ascending) != (listing.order.value, listing.ascending):
        raise WrongPlace(f"{text!r} is a place in a list of another order: begin again without it")
    at: Any = from_microseconds(int(value)) if listing.order is PullOrder.MERGED else value
    return tuple_(
        literal(at, key.type),
        literal(repository_id, pull_summary.c.repository_id.type),
        literal(number, pull_summary.c.pull_request.type),
    )


def _agents(
    connection: Connection, rows: Iterable[Row[Any]]
) -> dict[tuple[int, int], dict[str, int]]:
    found: defaultdict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    columns = pull_agent.c
    for chunk in chunks(rows):
        numbers: defaultdict[int, list[int]] = defaultdict(list)
        for row in chunk:
            numbers[row.repository_id].append(row.pull_request)
        # By repository: to find pairs, SQLite would read the whole table.
        pulls = (
            and_(columns.repository_id == repository_id, columns.pull_request.in_(of_one))
            for repository_id, of_one in numbers.items()
        )
        query = (
            select(columns.repository_id, columns.pull_request, columns.agent, columns.attributed)
            .where(or_(*pulls))
            .order_by(columns.attributed.desc(), columns.agent)
        )
        for repository_id, number, agent, attributed in connection.execute(query):
            found[repository_id, number][agent] = attributed
    return found


def _to_row(
    row: Row[Any],
    agents: dict[tuple[int, int], dict[str, int]],
    naming: PersonNaming,
    teams: TeamMembers,
) -> PullRow:
    named = row.owner is not None
    return PullRow(
        repository_id=row.repository_id,
        repository=f"{row.owner}/{row.name}" if named else f"repository {row.repository_id}",
        pull_request=row.pull_request,
        audit_number=row.audit_number,
        title=row.title,
        author=row.author if naming.names is NamesShown.PEOPLE else None,
        team=teams.shown(row.author),
        base_ref=row.base_ref,
        merged_at=row.merged_at,
        verdict=Verdict(row.verdict),
        state=AuditState(row.state),
        added=row.added,
        effective=row.effective,
        attributed=row.attributed if row.verdict != Verdict.NO_EVIDENCE else None,
        share=row.share,
        change_complete=row.change_complete,
        evidence_complete=row.evidence_complete,
        agents=agents.get((row.repository_id, row.pull_request), {}),
    )
