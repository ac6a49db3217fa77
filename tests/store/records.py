"""Records to keep in tests of the store: the plainest ones that are whole."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from ghapp.attribution.document import SCHEMA, to_document
from ghapp.attribution.model import (
    Audit,
    AuditInputs,
    AuditState,
    AuditTotals,
    Edit,
    EditHunk,
    EditLines,
    Measure,
    Verdict,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.store import Delivery, Lane, Store, WorkItem, WorkKind, WorkRequest
from ghapp.store.schema import delivery as delivery_table

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LEASE = timedelta(seconds=45)


def delivery(guid: str = "guid-1", **changed: Any) -> Delivery:
    """Return a delivery of a merged pull request."""
    values = {"event": "pull_request", "action": "closed", "received_at": NOW} | changed
    return Delivery(guid=guid, **values)


def request(pull_request: int | None = 17, **changed: Any) -> WorkRequest:
    """Return a request to audit pull request 17 of repository 42 now."""
    values = {"kind": WorkKind.AUDIT, "due_at": NOW, "repository_id": 42} | changed
    return WorkRequest(pull_request=pull_request, **values)


def deliveries(store: Store) -> list[Delivery]:
    """Return all deliveries that were accepted, oldest first."""
    guids = store.database.rows(select(delivery_table.c.guid).order_by("received_at", "guid"))
    return [one for (guid,) in guids if (one := store.deliveries.one(guid)) is not None]


def lease(
    store: Store, lane: Lane = Lane.LIVE, *, now: datetime = NOW, worker: str = "worker"
) -> WorkItem | None:
    """Lease the longest due item of a lane, as the queue and a worker together do."""
    for item in store.work.overdue(now):
        leased = store.work.lease(item.id, now, worker, LEASE) if item.lane is lane else None
        if leased is not None:
            return leased
    return None


def edit(edit_id: str = "toolu_1", *own: str, **changed: Any) -> Edit:
    """Return an applied edit of src/app.py with these own lines."""
    lines = EditLines(hunks=(EditHunk(before=("before",), own=own or ("one = 1",), after=()),))
    values = {
        "agent": "claude-code",
        "agent_session": "s1",
        "at": NOW,
        "path": "src/app.py",
        "lines": lines,
    } | changed
    return Edit(id=edit_id, **values)


def document(merged_at: datetime = NOW, **changed: Any) -> bytes:
    """Return an audit's document."""
    values = {
        "schema": SCHEMA,
        "repository": "acme/shop",
        "pull_request": 17,
        "merge_commit": "0" * 40,
        "merged_at": merged_at,
        "state": AuditState.PROVISIONAL,
        "verdict": Verdict.ASSISTED,
        "policy": CLAUDE_CODE_V1.used(),
        "engine": "1.0.0",
        "measure": Measure.CHARACTERS,
        "inputs": AuditInputs(
            diff="sha256:d", evidence="sha256:e", edits_considered=2, change_complete=True
        ),
        "totals": AuditTotals(
            added=4, effective=3, attributed=2, share=0.6667, by_reason={}, by_agent={}
        ),
        "files": (),
    } | changed
    return to_document(Audit(**values))
