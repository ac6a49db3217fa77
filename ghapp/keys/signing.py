"""The app's signature of each saved audit, made in the transaction that saves the audit.

An audit saved without a signature never gets one by itself: otherwise anybody who can write to
the database could have the app sign a record that it never made. The signing key is in the
database, encrypted with the settings' key. So all machines of an app sign with one key, a backup
of the database alone cannot sign, and it still has the public keys that check old signatures.
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
    """Signs audits and chain heads with the key in use. Many processes may sign at once."""

    def __init__(self, store: Store, encryption_key: bytes) -> None:
        """Take the settings' 32 bytes; read nothing before the first signature."""
        self._store = store
        self._box = Fernet(base64.urlsafe_b64encode(encryption_key))
        self._known: dict[str, SigningKey] = {}

    def witness(self, connection: Connection, saved: SavedAudit, document: bytes) -> None:
        """Sign a new audit and its chain head, in the transaction that saves the audit.

        Raises `KeyLost`.
        """
        self.sign(connection, saved, document, now=saved.created_at)

    def sign(
        self, connection: Connection, saved: SavedAudit, document: bytes, *, now: datetime
    ) -> None:
        """Sign an audit and the chain head at it. Raises `KeyLost`."""
        key, records = self.key(connection, now=now), self._store.records
        statement = of_record(saved.link, from_document(document), now)
        envelope = sealed(statement.encoded(), key)
        records.keep_within(connection, saved, key.public.id, envelope.encoded())
        head = sealed(of_head(saved.link, now).encoded(), key)
        records.move_head_within(connection, saved.repository_id, saved.position, head.encoded())

    def key(self, connection: Connection, *, now: datetime) -> SigningKey:
        """Return the key in use; the very first call makes it. Raises `KeyLost`."""
        kept = self._store.records.current_within(connection) or self._first(connection, now)
        known = self._known.get(kept.id)
        if known is None:
            known = self._known[kept.id] = SigningKey(self._opened(kept))
        return known

    def rotate(self, connection: Connection, *, now: datetime) -> RecordKey:
        """Put a new key in use; the public part of the old one stays, to check signatures."""
        secret = secrets.token_bytes(SECRET_BYTES)
        public = SigningKey(secret).public
        new = RecordKey(
            id=public.id, public=public.raw, made_at=now, secret=self._box.encrypt(secret)
        )
        self._store.records.take_over_within(connection, new)
        return new

    def _first(self, connection: Connection, now: datetime) -> RecordKey:
        """Make the first key; if two processes try at once, only one makes it."""
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
