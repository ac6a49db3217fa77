"""That evidence was erased: where, how much, of which time, and by whose wish; never whose.

Audits are never altered, so this is what lets them say that the evidence they rest on is gone.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select

from ghapp.attribution.model import Struct
from ghapp.store.audits import SavedAudit
from ghapp.store.database import Database
from ghapp.store.schema import erasure


class ErasedBy(StrEnum):
    """Whose wish it was."""

    DEVELOPER = "developer"
    """Who had sent it, by the collector's ``forget``."""
    ADMINISTRATOR = "administrator"
    """Whoever runs the app, as when a person asks for erasure."""


class Erasure(Struct, frozen=True):
    """One repository's part of one erasure."""

    repository_id: int
    edits: int
    first_at: datetime
    """Time of the earliest edit that was erased."""
    last_at: datetime
    erased_by: ErasedBy
    erased_at: datetime


class ErasedSince(Struct, frozen=True):
    """What of an audit's window was erased after the audit was made."""

    edits: int
    last_at: datetime
    """When the last of it was."""


class ErasureTable:
    """All erasures; written by `EvidenceTable.erase` with what it erases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, audit: SavedAudit) -> ErasedSince | None:
        """Return what was erased that an audit may rest on; ``None``: nothing was."""
        span = (audit.window_from, audit.window_to)
        found = self.of(audit.repository_id, *span, after=audit.created_at)
        if not found:
            return None
        return ErasedSince(edits=sum(one.edits for one in found), last_at=found[0].erased_at)

    def of(
        self, repository_id: int, since: datetime, until: datetime, *, after: datetime | None = None
    ) -> tuple[Erasure, ...]:
        """Return the erasures of edits that were made between two instants, the latest first.

        ``after`` keeps those erased later than that, such as since an audit was made: only
        these took away what it rests on. ``None``: all of them.
        """
        query = select(erasure).where(
            erasure.c.repository_id == repository_id,
            erasure.c.first_at <= until,
            erasure.c.last_at >= since,
        )
        if after is not None:
            query = query.where(erasure.c.erased_at > after)
        query = query.order_by(erasure.c.erased_at.desc(), erasure.c.id.desc())
        with self._database.read() as connection:
            return tuple(_from_row(row) for row in connection.execute(query))


def _from_row(row: Row[Any]) -> Erasure:
    return Erasure(
        repository_id=row.repository_id,
        edits=row.edits,
        first_at=row.first_at,
        last_at=row.last_at,
        erased_by=ErasedBy(row.erased_by),
        erased_at=row.erased_at,
    )
