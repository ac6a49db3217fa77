"""What the app wrote to GitHub for each audit, GitHub's answer, and the read-back."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, select

from ghapp.attribution.model import Struct
from ghapp.store.audits import SavedAudit
from ghapp.store.database import Database
from ghapp.store.rows import clean, struct_of
from ghapp.store.schema import publication, repository

NOTED = "noted"
"""``outcome`` of a row that announces a write: something new is about to be made.

The row is written before the request to GitHub, so that it is there if the process dies in
between.
"""
WITHDRAWN = "withdrawn"
"""``outcome`` of a row that takes a note back: GitHub refused for certain, so nothing was made."""
NOTES = (NOTED, WITHDRAWN)
"""Rows that tell what may have been done; all others tell what was."""


class Publication(Struct, frozen=True):
    """One publisher's write for one audit."""

    publisher: str
    """``check_run``, ``comment`` or ``label``."""
    outcome: str
    """``written``, ``unchanged`` or ``not_written``."""
    asked_at: datetime
    detail: str | None = None
    external_id: str | None = None
    """GitHub's id of what was written; ``None``: nothing was written, or it has no id."""
    url: str | None = None
    read_back_at: datetime | None = None
    """``None``: not read back."""
    read_back_ok: bool | None = None
    """Whether the read-back equals what was requested; ``None``: not read back."""


class NotConfirmed(Publication, frozen=True, kw_only=True):
    """A write that failed or that the read-back did not confirm, and where."""

    repository_id: int
    pull_request: int
    repository: str | None
    """Current ``owner/name``; ``None``: the repository is not known."""


class PublicationLedger:
    """The ledger of writes. Rows are only added."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, audit: SavedAudit, published: Publication) -> None:
        """Add what one publisher did for this audit."""
        row = msgspec.structs.asdict(published) | {
            "audit_id": audit.id,
            "repository_id": audit.repository_id,
            "pull_request": audit.pull_request,
            "publisher": clean(published.publisher),
            "outcome": clean(published.outcome),
            "detail": clean(published.detail),
            "external_id": clean(published.external_id),
            "url": clean(published.url),
        }
        self._database.execute(self._database.insert(publication).values(row))

    def note(self, audit: SavedAudit, publisher: str, *, at: datetime) -> None:
        """Announce that a publisher is about to make something new."""
        self.record(audit, Publication(publisher=publisher, outcome=NOTED, asked_at=at))

    def withdraw(self, audit: SavedAudit, publisher: str, *, at: datetime) -> None:
        """Take the last note back: what it announced was certainly not made."""
        self.record(audit, Publication(publisher=publisher, outcome=WITHDRAWN, asked_at=at))

    def noted_at(self, repository_id: int, pull_request: int, publisher: str) -> datetime | None:
        """Return when `note` was last called for a pull request; ``None``: never, or taken back."""
        notes = publication.c.outcome.in_(NOTES)
        last = self._last(repository_id, pull_request, publisher, notes)
        return None if last is None or last.outcome == WITHDRAWN else last.asked_at

    def of(self, audit: SavedAudit) -> tuple[Publication, ...]:
        """Return the writes for this audit, in order."""
        query = (
            select(publication)
            .where(publication.c.audit_id == audit.id, publication.c.outcome.not_in(NOTES))
            .order_by(publication.c.id)
        )
        return tuple(struct_of(Publication, row) for row in self._database.rows(query))

    def of_pull_request(
        self, repository_id: int, pull_request: int
    ) -> dict[int, tuple[Publication, ...]]:
        """Return the writes for each audit of a pull request, by the audit's id, in order."""
        query = select(publication).where(
            publication.c.repository_id == repository_id,
            publication.c.pull_request == pull_request,
            publication.c.outcome.not_in(NOTES),
        )
        found: dict[int, tuple[Publication, ...]] = {}
        for row in self._database.rows(query.order_by(publication.c.id)):
            written = struct_of(Publication, row)
            found[row.audit_id] = (*found.get(row.audit_id, ()), written)
        return found

    def last(
        self, repository_id: int, pull_request: int, publisher: str, outcome: str | None = None
    ) -> Publication | None:
        """Return a publisher's last write for a pull request, with one ``outcome`` or any.

        ``outcome="written"`` tells whether we ever wrote there: we remove a label only if we
        added it, and if our comment is gone, a person deleted it.
        """
        column = publication.c.outcome
        wanted = column.not_in(NOTES) if outcome is None else column == outcome
        return self._last(repository_id, pull_request, publisher, wanted)

    def _last(
        self, repository_id: int, pull_request: int, publisher: str, wanted: ColumnElement[bool]
    ) -> Publication | None:
        query = select(publication).where(
            publication.c.repository_id == repository_id,
            publication.c.pull_request == pull_request,
            publication.c.publisher == publisher,
            wanted,
        )
        row = self._database.first(query.order_by(publication.c.id.desc()).limit(1))
        return None if row is None else struct_of(Publication, row)

    def not_confirmed(self, since: datetime, limit: int = 1000) -> tuple[NotConfirmed, ...]:
        """Return writes that failed or were not confirmed, newest first."""
        wrong = (publication.c.outcome == "not_written") | publication.c.read_back_ok.is_(False)
        query = (
            select(publication, repository.c.owner, repository.c.name)
            .outerjoin(repository, repository.c.id == publication.c.repository_id)
            .where(wrong, publication.c.asked_at >= since)
            .order_by(publication.c.id.desc())
            .limit(limit)
        )
        return tuple(_not_confirmed(row) for row in self._database.rows(query))


def _not_confirmed(row: Row[Any]) -> NotConfirmed:
    repository = None if row.owner is None else f"{row.owner}/{row.name}"
    return struct_of(NotConfirmed, row, repository=repository)
