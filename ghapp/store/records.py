"""Signatures of audits, their keys, and the policies that audits name. It signs nothing."""

import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, select, update

from ghapp.attribution.model import Struct
from ghapp.attribution.policy import Policy
from ghapp.store.audits import SavedAudit, saved_audit, saved_columns
from ghapp.store.database import Database
from ghapp.store.rows import chunks, struct_of
from ghapp.store.schema import audit, policy, record, record_head, record_key

AT_ONCE = 200
"""Documents read at once: limits the memory of an export."""


class RecordKey(Struct, frozen=True):
    """A key that signs records."""

    id: str
    public: bytes
    made_at: datetime
    retired_at: datetime | None = None
    """``None``: it is in use."""
    secret: bytes | None = None
    """As given: the caller encrypts it. ``None``: deleted when the next key took over."""


class SignedAudit(Struct, frozen=True):
    """An audit with its document and its signed envelope."""

    audit: SavedAudit
    document: bytes
    envelope: bytes | None
    """``None``: saved before the app signed records."""


class RecordTable:
    """Envelopes by audit, heads by repository, keys, and policies."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known_policies: set[str] = set()

    # --- keys ---------------------------------------------------------------------------------

    def all_keys(self) -> tuple[RecordKey, ...]:
        """Return all keys that ever signed, oldest first."""
        query = select(record_key).order_by(record_key.c.made_at, record_key.c.id)
        return tuple(struct_of(RecordKey, row) for row in self._database.rows(query))

    def current_within(self, connection: Connection) -> RecordKey | None:
        """Return the key in use, in the caller's transaction; ``None``: none."""
        query = select(record_key).where(record_key.c.retired_at.is_(None))
        row = connection.execute(query).first()
        return None if row is None else struct_of(RecordKey, row)

    def lock_keys(self, connection: Connection) -> None:
        """Wait until no other process changes the key in use."""
        self._database.lock(connection, "record_key")

    def take_over_within(self, connection: Connection, new: RecordKey) -> None:
        """Put a new key in use; keep only the public part of the one before."""
        retired = {"retired_at": new.made_at, "secret": None}
        connection.execute(
            update(record_key).where(record_key.c.retired_at.is_(None)).values(retired)
        )
        connection.execute(self._database.insert(record_key).values(msgspec.structs.asdict(new)))

    # --- envelopes ----------------------------------------------------------------------------

    def keep_within(
        self, connection: Connection, saved: SavedAudit, key_id: str, envelope: bytes
    ) -> None:
        """Store the envelope that signs an audit."""
        values = {"audit_id": saved.id, "key_id": key_id, "envelope": zlib.compress(envelope)}
        connection.execute(self._database.insert(record).values(values))

    def move_head_within(
        self, connection: Connection, repository_id: int, position: int, envelope: bytes
    ) -> None:
        """Store the signed head of a repository's chain, unless a longer chain is stored."""
        values = {"position": position, "envelope": envelope}
        insert = self._database.insert(record_head).values(repository_id=repository_id, **values)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["repository_id"],
                set_=values,
                where=record_head.c.position < position,
            )
        )

    def head_within(self, connection: Connection, repository_id: int) -> bytes | None:
        """Return the signed head of a repository's chain; ``None``: nothing is signed."""
        query = select(record_head.c.envelope).where(record_head.c.repository_id == repository_id)
        return connection.execute(query).scalar()

    def of_within(self, connection: Connection, repository_id: int) -> Iterator[SignedAudit]:
        """Yield a repository's audits in the order of its chain, in the caller's transaction."""
        query: Select[Any] = (
            select(*saved_columns(), audit.c.document, record.c.envelope)
            .join(record, record.c.audit_id == audit.c.id, isouter=True)
            .where(audit.c.repository_id == repository_id)
            .order_by(audit.c.position)
            .limit(AT_ONCE)
        )
        last = 0
        while rows := connection.execute(query.where(audit.c.position > last)).all():
            yield from map(_signed, rows)
            last = rows[-1].position

    def unsigned(self, repository_id: int) -> tuple[SavedAudit, ...]:
        """Return a repository's unsigned audits, in the order of its chain."""
        query: Select[Any] = (
            select(*saved_columns())
            .join(record, record.c.audit_id == audit.c.id, isouter=True)
            .where(audit.c.repository_id == repository_id, record.c.audit_id.is_(None))
            .order_by(audit.c.position)
        )
        return tuple(saved_audit(row) for row in self._database.rows(query))

    # --- policies -----------------------------------------------------------------------------

    def keep_policy(self, used: Policy, *, now: datetime) -> None:
        """Store a policy's members, so that a digest in a document can be looked up."""
        if used.digest in self._known_policies:
            return
        members = msgspec.json.encode(used, order="sorted")
        values = {"digest": used.digest, "id": used.id, "members": members, "used_since": now}
        insert = self._database.insert(policy).values(values)
        self._database.execute(insert.on_conflict_do_nothing(index_elements=["digest"]))
        self._known_policies.add(used.digest)

    def policies(self, digests: Iterable[str]) -> dict[str, bytes]:
        """Return the canonical JSON of policies by digest, without those never stored."""
        found: dict[str, bytes] = {}
        with self._database.read() as connection:
            for chunk in chunks(sorted(set(digests))):
                query = select(policy.c.digest, policy.c.members).where(policy.c.digest.in_(chunk))
                found.update({row.digest: bytes(row.members) for row in connection.execute(query)})
        return found


def _signed(row: Row[Any]) -> SignedAudit:
    return SignedAudit(
        audit=saved_audit(row),
        document=_unpacked(row.document),
        envelope=None if row.envelope is None else zlib.decompress(row.envelope),
    )


def _unpacked(document: bytes) -> bytes:
    """Return a document; if it is damaged, empty bytes, which no digest matches."""
    try:
        return zlib.decompress(document)
    except zlib.error:
        return b""
