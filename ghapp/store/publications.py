"""What the app wrote to GitHub for each audit, GitHub's answer, and the read-back."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, exists, func, select

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
LEFT_OUT = "left_out"
"""``outcome`` of a row that says: the hour had no room for this write."""
LEFT_OUT_FOR = timedelta(days=30)
"""How long what was left out is brought up again where there is room; then it stays out."""
NOTES = (NOTED, WITHDRAWN)
"""Rows that tell what may have been done; all others tell what was."""


class Publication(Struct, frozen=True):
    """One publisher's write for one audit."""

    publisher: str
    """``check_run``, ``comment`` or ``label``."""
    outcome: str
    """``written``, ``unchanged``, ``not_written`` or `LEFT_OUT`."""
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


class LeftOut(Struct, frozen=True):
    """What one publisher of an installation left out and has not written since."""

    installation_id: int | None
    """``None``: the repository is not known any more."""
    publisher: str
    pulls: int
    since: datetime
    """When the first of them was left out."""


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

    def left_out(self, since: datetime) -> tuple[LeftOut, ...]:
        """Return what was left out since then and is not written yet, the oldest first."""
        query = (
            select(
                repository.c.installation_id,
                publication.c.publisher,
                func.count(),
                func.min(publication.c.asked_at),
            )
            .outerjoin(repository, repository.c.id == publication.c.repository_id)
            .where(*_still_left_out(since))
            .group_by(repository.c.installation_id, publication.c.publisher)
            .order_by(func.min(publication.c.asked_at), publication.c.publisher)
        )
        return tuple(LeftOut(*row) for row in self._database.rows(query))

    def pulls_left_out(
        self, installation_id: int, since: datetime, limit: int
    ) -> tuple[tuple[int, int], ...]:
        """Return the pull requests that something was left out of, by repository id and number.

        The newest come first: what was merged lately is looked at most.
        """
        query = (
            select(publication.c.repository_id, publication.c.pull_request)
            .join(repository, repository.c.id == publication.c.repository_id)
            .where(repository.c.installation_id == installation_id, *_still_left_out(since))
            .group_by(publication.c.repository_id, publication.c.pull_request)
            .order_by(func.max(publication.c.id).desc())
            .limit(limit)
        )
        return tuple((row[0], row[1]) for row in self._database.rows(query))


def _still_left_out(since: datetime) -> tuple[ColumnElement[bool], ...]:
    later = publication.alias()
    is_over = exists().where(
        later.c.repository_id == publication.c.repository_id,
        later.c.pull_request == publication.c.pull_request,
        later.c.publisher == publication.c.publisher,
        later.c.id > publication.c.id,
        later.c.outcome.not_in(NOTES),
    )
    return (publication.c.outcome == LEFT_OUT, publication.c.asked_at >= since, ~is_over)


def _not_confirmed(row: Row[Any]) -> NotConfirmed:
    repository = None if row.owner is None else f"{row.owner}/{row.name}"
    return struct_of(NotConfirmed, row, repository=repository)
