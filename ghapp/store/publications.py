"""What was asked of GitHub for an audit, what it answered, and what was read back."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, select

from ghapp.attribution.model import Struct
from ghapp.store.audits import SavedAudit
from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import publication, repository

NOTED = "noted"
"""Outcome of a row that is no doing yet: something new was about to be made.

It is written before GitHub is asked, so that whoever dies in between leaves word of it.
"""


class Publication(Struct, frozen=True):
    """One publisher's doing for one audit."""

    publisher: str
    """``check_run``, ``comment`` or ``label``."""
    outcome: str
    """``written``, ``unchanged`` or ``not_written``."""
    asked_at: datetime
    detail: str | None = None
    external_id: str | None = None
    """GitHub's id of what was written; ``None``: nothing was, or it has none."""
    url: str | None = None
    read_back_at: datetime | None = None
    """``None``: it was not read back."""
    read_back_ok: bool | None = None
    """Whether what was read back is what was asked for; ``None``: it was not read back."""


class NotConfirmed(Publication, frozen=True, kw_only=True):
    """A doing that did not come to what was asked for, and where."""

    repository_id: int
    pull_request: int
    repository: str | None
    """``owner/name`` at present; ``None``: nothing was heard of it."""


class PublicationLedger:
    """The ledger of writes. It is only ever added to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, audit: SavedAudit, published: Publication) -> None:
        """Add what one publisher did for this audit."""
        row = {
            "audit_id": audit.id,
            "repository_id": audit.repository_id,
            "pull_request": audit.pull_request,
            "publisher": clean(published.publisher),
            "outcome": clean(published.outcome),
            "detail": clean(published.detail),
            "external_id": clean(published.external_id),
            "url": clean(published.url),
            "asked_at": published.asked_at,
            "read_back_at": published.read_back_at,
            "read_back_ok": published.read_back_ok,
        }
        with self._database.write() as connection:
            connection.execute(self._database.insert(publication).values(row))

    def note(self, audit: SavedAudit, publisher: str, *, at: datetime) -> None:
        """Write down that a publisher is about to make something new."""
        self.record(audit, Publication(publisher=publisher, outcome=NOTED, asked_at=at))

    def noted_at(self, repository_id: int, pull_request: int, publisher: str) -> datetime | None:
        """Return when that was noted last for a pull request; ``None``: never."""
        noted = self._last(repository_id, pull_request, publisher, publication.c.outcome == NOTED)
        return None if noted is None else noted.asked_at

    def of(self, audit: SavedAudit) -> tuple[Publication, ...]:
        """Return what was done for this audit, in order."""
        query = (
            select(publication)
            .where(publication.c.audit_id == audit.id, publication.c.outcome != NOTED)
            .order_by(publication.c.id)
        )
        with self._database.read() as connection:
            return tuple(_from_row(row) for row in connection.execute(query))

    def of_pull_request(
        self, repository_id: int, pull_request: int
    ) -> dict[int, tuple[Publication, ...]]:
        """Return what was done for each audit of a pull request, by the audit's id, in order."""
        query = select(publication).where(
            publication.c.repository_id == repository_id,
            publication.c.pull_request == pull_request,
            publication.c.outcome != NOTED,
        )
        found: dict[int, tuple[Publication, ...]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query.order_by(publication.c.id)):
                found[row.audit_id] = (*found.get(row.audit_id, ()), _from_row(row))
        return found

    def last(
        self, repository_id: int, pull_request: int, publisher: str, outcome: str | None = None
    ) -> Publication | None:
        """Return the last doing of a publisher for a pull request, of one outcome or any.

        With ``outcome="written"`` it answers whether we ever wrote there: a label is taken
        away only if we had put it, and a comment that is gone now was deleted by a person.
        """
        column = publication.c.outcome
        wanted = column != NOTED if outcome is None else column == outcome
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
        with self._database.read() as connection:
            row = connection.execute(query.order_by(publication.c.id.desc()).limit(1)).first()
        return None if row is None else _from_row(row)

    def not_confirmed(self, since: datetime, limit: int = 1000) -> tuple[NotConfirmed, ...]:
        """Return what was not written or not read back as asked, newest first."""
        wrong = (publication.c.outcome == "not_written") | publication.c.read_back_ok.is_(False)
        query = (
            select(publication, repository.c.owner, repository.c.name)
            .outerjoin(repository, repository.c.id == publication.c.repository_id)
            .where(wrong, publication.c.asked_at >= since)
            .order_by(publication.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple(_not_confirmed(row) for row in connection.execute(query))


def _not_confirmed(row: Row[Any]) -> NotConfirmed:
    return NotConfirmed(
        **msgspec.structs.asdict(_from_row(row)),
        repository_id=row.repository_id,
        pull_request=row.pull_request,
        repository=None if row.owner is None else f"{row.owner}/{row.name}",
    )


def _from_row(row: Row[Any]) -> Publication:
    return Publication(
        publisher=row.publisher,
        outcome=row.outcome,
        asked_at=row.asked_at,
        detail=row.detail,
        external_id=row.external_id,
        url=row.url,
        read_back_at=row.read_back_at,
        read_back_ok=row.read_back_ok,
    )
