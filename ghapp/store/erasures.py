"""Which evidence was erased: where, how much, from which time, at whose request; never whose.

Audits are never altered. This table lets them say that some of their evidence is gone.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from ghapp.attribution.model import Struct
from ghapp.store.audits import SavedAudit
from ghapp.store.database import Database
from ghapp.store.rows import struct_of
from ghapp.store.schema import erasure


class ErasedBy(StrEnum):
    """Who requested the erasure."""

    DEVELOPER = "developer"
    """The developer who had sent the evidence, with the collector's ``forget``."""
    ADMINISTRATOR = "administrator"
    """Whoever runs the app, for example when a person asks for erasure."""


class Erasure(Struct, frozen=True):
    """One repository's part of one erasure."""

    repository_id: int
    edits: int
    first_at: datetime
    """Time of the earliest erased edit."""
    last_at: datetime
    erased_by: ErasedBy
    erased_at: datetime


class ErasedSince(Struct, frozen=True):
    """What was erased from an audit's window after the audit was made."""

    edits: int
    last_at: datetime
    """Time of the latest erasure."""


class ErasureTable:
    """All erasures. `EvidenceTable.erase` writes them together with the deletion."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, audit: SavedAudit) -> ErasedSince | None:
        """Return what was erased that an audit may rest on; ``None``: nothing."""
        span = (audit.window_from, audit.window_to)
        found = self.of(audit.repository_id, *span, after=audit.created_at)
        if not found:
            return None
        return ErasedSince(edits=sum(one.edits for one in found), last_at=found[0].erased_at)

    def of(
        self, repository_id: int, since: datetime, until: datetime, *, after: datetime | None = None
    ) -> tuple[Erasure, ...]:
        """Return the erasures of edits made from ``since`` to ``until``, latest erasure first.

        ``after``: only erasures after that instant. Since an audit was made, only those removed
        evidence that it rests on. ``None``: all of them.
        """
        query = select(erasure).where(
            erasure.c.repository_id == repository_id,
            erasure.c.first_at <= until,
            erasure.c.last_at >= since,
        )
        if after is not None:
            query = query.where(erasure.c.erased_at > after)
        query = query.order_by(erasure.c.erased_at.desc(), erasure.c.id.desc())
        return tuple(struct_of(Erasure, row) for row in self._database.rows(query))
