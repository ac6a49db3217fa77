"""Saved audits: numbered, chained, never altered. It judges nothing.

Every audit of a repository names the one before it by digest, so a record that was removed or
changed later is noticed (`AuditTable.first_break`).
"""

import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Row,
    RowMapping,
    Select,
    and_,
    exists,
    func,
    or_,
    select,
)

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit, AuditState, Measure, Struct, Verdict
from ghapp.records.chain import ChainLink, digest_of
from ghapp.store.database import Database
from ghapp.store.rows import struct_of
from ghapp.store.schema import (
    audit,
    installation,
    pull_summary,
    repository,
    to_microseconds,
    work_item,
)
from ghapp.store.summaries import tally
from ghapp.store.work_items import AUDITING
from ghapp.summaries.counts import PullFacts

LOOKED_AT_AGAIN = timedelta(days=30)
"""How long after its merge a change that could not be read whole is tried again."""
MOST_OVERDUE = 500
"""Pull requests of each kind that one look returns; the next look returns the rest."""


class SavedAudit(Struct, frozen=True):
    """An audit's record without its document, which `AuditTable.document` returns."""

    id: int
    repository_id: int
    pull_request: int
    number: int
    """Among the audits of this pull request, from 1."""
    position: int
    """Among the audits of this repository, from 1."""
    state: AuditState
    verdict: Verdict
    merged_at: datetime
    merge_commit: str | None
    window_from: datetime
    window_to: datetime
    added: int
    effective: int
    attributed: int
    share: float | None
    change_complete: bool
    evidence_complete: bool
    policy_id: str
    policy_digest: str
    engine: str
    measure: Measure
    diff_digest: str
    evidence_digest: str
    edits_considered: int
    digest: str
    """``sha256:`` and the digest of the document's bytes."""
    chain: str
    """Digest over this record and ``previous``; see `ChainLink`."""
    previous: str | None
    """``chain`` of the repository's audit before this one; ``None``: the first."""
    created_at: datetime

    @property
    def link(self) -> ChainLink:
        """Return the record as a link of the chain."""
        return _link(msgspec.structs.asdict(self))


SignRecord = Callable[[Connection, SavedAudit, bytes], None]
"""Signs a new audit and its document, in the transaction that saves it."""


class AuditTable:
    """The audits. Nothing can change or delete one: the database refuses both."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(  # noqa: PLR0913 - everything that one transaction stores
        self,
        repository_id: int,
        pull_request: int,
        document: bytes,
        *,
        now: datetime,
        witness: SignRecord | None = None,
        about: PullFacts | None = None,
    ) -> SavedAudit:
        """Save a document as the pull request's next audit, and update the summaries.

        ``document`` is what `document.to_document` returns; its bytes are stored unchanged. If
        the pull request's latest audit has the same bytes, return that audit and add nothing.
        ``about`` is what else GitHub says of the pull request; ``None``: keep what is known.
        ``witness`` signs a new audit; if it raises, nothing is saved. Raises `ValueError` if
        the bytes are not an audit document.
        """
        read = from_document(document)
        digest = digest_of(document)
        packed = zlib.compress(document)
        with self._database.write() as connection:
            self._database.lock(connection, f"audit:{repository_id}")
            latest = _latest(connection, repository_id, pull_request)
            if latest is not None and latest.digest == digest:
                if about is not None:
                    tally.note_about(connection, self._database, repository_id, pull_request, about)
                return latest
            row = {
                **_columns(read),
                "repository_id": repository_id,
                "pull_request": pull_request,
                "number": 1 if latest is None else latest.number + 1,
                "digest": digest,
                "document": packed,
                "created_at": now,
            }
            row |= _place(connection, row)
            saved = saved_audit(
                connection.execute(
                    self._database.insert(audit).values(row).returning(*_RECORD)
                ).one()
            )
            if witness is not None:
                witness(connection, saved, document)
            pull = tally.summarize(
                repository_id, pull_request, row["number"], read, about or PullFacts()
            )
            tally.keep(connection, self._database, pull)
        return saved

    def latest(self, repository_id: int, pull_request: int) -> SavedAudit | None:
        """Return the audit in force for a pull request; ``None``: it has none."""
        with self._database.read() as connection:
            return _latest(connection, repository_id, pull_request)

    def numbered(self, repository_id: int, pull_request: int, number: int) -> SavedAudit | None:
        """Return one audit of a pull request; ``None``: none has this number."""
        query = _of(repository_id).where(
            audit.c.pull_request == pull_request, audit.c.number == number
        )
        found = self._saved(query)
        return found[0] if found else None

    def all_of(self, repository_id: int, pull_request: int | None = None) -> tuple[SavedAudit, ...]:
        """Return all audits of a repository or a pull request, in the order they were made."""
        query = _of(repository_id).order_by(audit.c.position)
        if pull_request is not None:
            query = query.where(audit.c.pull_request == pull_request)
        return self._saved(query)

    def in_force(
        self, repository_id: int, since: datetime, until: datetime
    ) -> tuple[SavedAudit, ...]:
        """Return the latest audit of each pull request merged from ``since`` to ``until``."""
        query = _latest_only(repository_id).where(audit.c.merged_at.between(since, until))
        return self._saved(query.order_by(audit.c.merged_at, audit.c.pull_request))

    def reached_within(
        self, connection: Connection, repository_id: int, times: Iterable[datetime]
    ) -> tuple[SavedAudit, ...]:
        """Return the audits in force whose window holds one of these instants, by position.

        It runs in the caller's transaction.
        """
        instants = sorted(times)
        if not instants:
            return ()
        query = _latest_only(repository_id).where(
            audit.c.window_from <= instants[-1], audit.c.window_to >= instants[0]
        )
        found = map(saved_audit, connection.execute(query.order_by(audit.c.position)))
        return tuple(one for one in found if _holds_one(one, instants))

    def overdue(self, now: datetime, *, seen_before: datetime) -> tuple[tuple[int, int], ...]:
        """Return pull requests whose audit in force should be a better one by now.

        It is provisional although its window is over, or could not read the whole change of a
        recent merge. As repository id and number, without those that have an open audit, that were
        tried since ``seen_before``, or that no installation reaches.
        """
        columns, items = pull_summary.c, work_item.c
        tried = exists().where(
            items.repository_id == columns.repository_id,
            items.pull_request == columns.pull_request,
            items.kind.in_(AUDITING),
            or_(items.state != "done", items.finished_at > seen_before),
        )
        reached = and_(
            repository.c.id == columns.repository_id,
            repository.c.removed_at.is_(None),
            installation.c.id == repository.c.installation_id,
            installation.c.removed_at.is_(None),
            installation.c.suspended_at.is_(None),
        )
        asked = (exists().where(reached), ~tried)
        pulls = select(columns.repository_id, columns.pull_request).order_by(columns.merged_at)
        in_force = (
            audit.c.repository_id == columns.repository_id,
            audit.c.pull_request == columns.pull_request,
            audit.c.number == columns.audit_number,
        )
        late = pulls.join(audit, and_(*in_force)).where(
            columns.state == "provisional", audit.c.window_to < now, *asked
        )
        cut = pulls.where(
            ~columns.change_complete, columns.merged_at > now - LOOKED_AT_AGAIN, *asked
        )
        with self._database.read() as connection:
            found = [connection.execute(query.limit(MOST_OVERDUE)).all() for query in (late, cut)]
        return tuple(dict.fromkeys((one[0], one[1]) for one in chain.from_iterable(found)))

    def document(self, audit_id: int) -> bytes | None:
        """Return an audit's document, byte for byte as saved; ``None``: no such audit."""
        query = select(audit.c.document).where(audit.c.id == audit_id)
        packed = self._database.value(query)
        return None if packed is None else zlib.decompress(packed)

    def first_break(self, repository_id: int) -> int | None:
        """Return the position at which a repository's chain is broken; ``None``: it is intact.

        It checks every document against its digest, every record against its chain digest, and
        that no position is missing. It cannot notice records removed from the end.
        """
        query = select(audit).where(audit.c.repository_id == repository_id)
        expected, previous = 1, None
        with self._database.read() as connection:
            for row in connection.execute(query.order_by(audit.c.position)).mappings():
                if row["position"] != expected or row["previous"] != previous:
                    return expected
                if not _is_intact(row):
                    return expected
                expected, previous = expected + 1, row["chain"]
        return None

    def _saved(self, query: Select[Any]) -> tuple[SavedAudit, ...]:
        return tuple(saved_audit(row) for row in self._database.rows(query))


def _link(record: Mapping[str, Any]) -> ChainLink:
    """Return a record's columns as a link of the chain."""
    named = {name: record[name] for name in ChainLink.__struct_fields__ if name != "created_at"}
    return ChainLink(created_at=to_microseconds(record["created_at"]), **named)


_RECORD = tuple(column for column in audit.c if column.name != "document")


def _of(repository_id: int) -> Select[Any]:
    return select(*_RECORD).where(audit.c.repository_id == repository_id)


def _latest_only(repository_id: int) -> Select[Any]:
    newer = audit.alias("newer")
    highest = (
        select(func.max(newer.c.number))
        .where(
            newer.c.repository_id == audit.c.repository_id,
            newer.c.pull_request == audit.c.pull_request,
        )
        .scalar_subquery()
    )
    return _of(repository_id).where(audit.c.number == highest)


def _latest(connection: Connection, repository_id: int, pull_request: int) -> SavedAudit | None:
    query = _of(repository_id).where(audit.c.pull_request == pull_request)
    row = connection.execute(query.order_by(audit.c.number.desc()).limit(1)).first()
    return None if row is None else saved_audit(row)


def _place(connection: Connection, row: dict[str, Any]) -> dict[str, Any]:
    """Return the record's place in its repository's chain."""
    last = connection.execute(
        select(audit.c.position, audit.c.chain)
        .where(audit.c.repository_id == row["repository_id"])
        .order_by(audit.c.position.desc())
        .limit(1)
    ).first()
    place = {
        "position": 1 if last is None else last.position + 1,
        "previous": None if last is None else last.chain,
    }
    return {**place, "chain": _link({**row, **place}).chain}


def _columns(read: Audit) -> dict[str, Any]:
    """Return the columns that reports read without opening the document."""
    policy, totals = read.policy, read.totals
    return {
        "state": read.state.value,
        "verdict": read.verdict.value,
        "merged_at": read.merged_at,
        "merge_commit": read.merge_commit,
        "window_from": read.merged_at - timedelta(days=policy.window_before_days),
        "window_to": read.merged_at + timedelta(days=policy.window_after_days),
        "added": totals.added,
        "effective": totals.effective,
        "attributed": totals.attributed,
        "share": totals.share,
        "change_complete": read.inputs.change_complete,
        "evidence_complete": read.inputs.evidence_complete,
        "policy_id": policy.id,
        "policy_digest": policy.digest,
        "engine": read.engine,
        "measure": read.measure.value,
        "diff_digest": read.inputs.diff,
        "evidence_digest": read.inputs.evidence,
        "edits_considered": read.inputs.edits_considered,
    }


def _holds_one(saved: SavedAudit, instants: list[datetime]) -> bool:
    at = bisect_left(instants, saved.window_from)
    return at < len(instants) and instants[at] <= saved.window_to


def _is_intact(row: RowMapping) -> bool:
    try:
        document = zlib.decompress(row["document"])
    except zlib.error:
        return False
    return bool(row["digest"] == digest_of(document) and row["chain"] == _link(dict(row)).chain)


def saved_columns() -> tuple[Column[Any], ...]:
    """Return the columns that `saved_audit` reads."""
    return _RECORD


def saved_audit(row: Row[Any]) -> SavedAudit:
    """Return the record from a row that has at least `saved_columns`."""
    return struct_of(SavedAudit, row)
