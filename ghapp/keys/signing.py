"""The app's signature under each saved audit: made in the transaction that keeps the audit.

An audit that is saved without it never gets one by itself: whoever can write into the database
could otherwise have a record signed that the app never made. The signing key is kept in the
database, encrypted with the settings' key, so that all machines of an app sign alike and a
backup of the database alone can neither sign nor lose what checks old signatures.
"""

import base64
import secrets
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Connection

from ghapp.attribution.document import from_document
from ghapp.keys.evidence import KeyLost
from ghapp.records.envelope import sealed
from ghapp.records.keys import SigningKey
from ghapp.records.statement import of_head, of_record
from ghapp.store import RecordKey, SavedAudit, Store

SECRET_BYTES = 32


class RecordSigner:
    """Signs audits and heads of chains with the key that is in force; safe among processes."""

    def __init__(self, store: Store, encryption_key: bytes) -> None:
        """Take the settings' 32 bytes; nothing is read before the first signature."""
        self._store = store
        self._box = Fernet(base64.urlsafe_b64encode(encryption_key))
        self._known: dict[str, SigningKey] = {}

    def witness(self, connection: Connection, saved: SavedAudit, document: bytes) -> None:
        """Sign a new audit and the head of its chain, as part of the transaction that keeps it.

        Raises `KeyLost`.
        """
        self.sign(connection, saved, document, now=saved.created_at)

    def sign(
        self, connection: Connection, saved: SavedAudit, document: bytes, *, now: datetime
    ) -> None:
        """Sign an audit, and the chain up to it. Raises `KeyLost`."""
        key, records = self.key(connection, now=now), self._store.records
        statement = of_record(saved.link, from_document(document), now)
        envelope = sealed(statement.encoded(), key)
        records.keep_within(connection, saved, key.public.id, envelope.encoded())
        head = sealed(of_head(saved.link, now).encoded(), key)
        records.move_head_within(connection, saved.repository_id, saved.position, head.encoded())

    def key(self, connection: Connection, *, now: datetime) -> SigningKey:
        """Return the key that signs now; the first call of all makes it. Raises `KeyLost`."""
        kept = self._store.records.current_within(connection) or self._first(connection, now)
        known = self._known.get(kept.id)
        if known is None:
            known = self._known[kept.id] = SigningKey(self._opened(kept))
        return known

    def rotate(self, connection: Connection, *, now: datetime) -> RecordKey:
        """Let a new key sign from now on; the old one's public part stays to check with."""
        secret = secrets.token_bytes(SECRET_BYTES)
        public = SigningKey(secret).public
        new = RecordKey(
            id=public.id, public=public.raw, made_at=now, secret=self._box.encrypt(secret)
        )
        self._store.records.take_over_within(connection, new)
        return new

    def _first(self, connection: Connection, now: datetime) -> RecordKey:
        """Return the first key of all; of two processes that make it at once one does."""
        self._store.records.lock_keys(connection)
        kept = self._store.records.current_within(connection)
        return kept or self.rotate(connection, now=now)

    def _opened(self, kept: RecordKey) -> bytes:
        try:
            return self._box.decrypt(kept.secret or b"")
        except InvalidToken as error:
            raise KeyLost(
                "the key that signs records was encrypted with another GHAPP_ENCRYPTION_KEY: "
                "set that one again, or let a new key sign: ghapp admin rotate-record-key"
            ) from error
