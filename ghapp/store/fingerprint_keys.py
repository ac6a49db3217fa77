"""The fingerprint keys of installations, stored as given: the caller encrypts them.

Each installation has one key in use. A retired key is kept while evidence made with it exists,
because that evidence can only be compared with its own key.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import struct_of
from ghapp.store.schema import fingerprint_key, installation


class KeptKey(Struct, frozen=True):
    """One key."""

    id: str
    """Installation and number, such as ``42-1``; an edit names the key of its fingerprints."""
    installation_id: int
    secret: bytes
    created_at: datetime
    retired_at: datetime | None
    """When another key replaced it; ``None``: in use."""


class FingerprintKeys:
    """The keys of all installations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def present(self, installation_id: int, fresh: bytes, *, now: datetime) -> KeptKey | None:
        """Return the key in use; store ``fresh`` as the first one if there is none.

        Concurrent callers get the same key. ``None``: the installation is not known.
        """
        row = self._database.first(_in_use(installation_id))
        if row is not None:
            return struct_of(KeptKey, row)
        with self._database.write() as connection:
            if not self._lock_known(connection, installation_id):
                return None
            row = connection.execute(_in_use(installation_id)).first()
            if row is not None:
                return struct_of(KeptKey, row)
            return self._add(connection, installation_id, fresh, now)

    def rotate(self, installation_id: int, fresh: bytes, *, now: datetime) -> KeptKey | None:
        """Retire the key in use and put ``fresh`` in its place.

        ``None``: the installation is not known.
        """
        with self._database.write() as connection:
            if not self._lock_known(connection, installation_id):
                return None
            connection.execute(
                update(fingerprint_key)
                .where(
                    fingerprint_key.c.installation_id == installation_id,
                    fingerprint_key.c.retired_at.is_(None),
                )
                .values(retired_at=now)
            )
            return self._add(connection, installation_id, fresh, now)

    def one(self, key_id: str) -> KeptKey | None:
        """Return a key by id, retired or not; ``None``: it never existed or was deleted."""
        row = self._database.first(select(fingerprint_key).where(fingerprint_key.c.id == key_id))
        return None if row is None else struct_of(KeptKey, row)

    def of(self, installation_id: int) -> tuple[KeptKey, ...]:
        """Return an installation's keys, oldest first."""
        query = (
            select(fingerprint_key)
            .where(fingerprint_key.c.installation_id == installation_id)
            .order_by(fingerprint_key.c.number)
        )
        return tuple(struct_of(KeptKey, row) for row in self._database.rows(query))

    def expire(self, before: datetime) -> int:
        """Delete the keys that were retired before that instant; return how many."""
        return self._database.execute(
            delete(fingerprint_key).where(fingerprint_key.c.retired_at < before)
        )

    def _lock_known(self, connection: Connection, installation_id: int) -> bool:
        """Wait for other changes of an installation's keys; ``False``: it is not known."""
        self._database.lock(connection, f"keys:{installation_id}")
        known = select(installation.c.id).where(installation.c.id == installation_id)
        return connection.execute(known).first() is not None

    def _add(
        self, connection: Connection, installation_id: int, fresh: bytes, now: datetime
    ) -> KeptKey:
        last = select(func.coalesce(func.max(fingerprint_key.c.number), 0)).where(
            fingerprint_key.c.installation_id == installation_id
        )
        number = connection.execute(last).scalar_one() + 1
        values = {
            "id": key_id(installation_id, number),
            "installation_id": installation_id,
            "number": number,
            "secret": fresh,
            "created_at": now,
        }
        insert = self._database.insert(fingerprint_key).values(values)
        row = connection.execute(insert.returning(fingerprint_key)).one()
        return struct_of(KeptKey, row)


def key_id(installation_id: int, number: int) -> str:
    """Return the id of an installation's key of that number, counted from 1."""
    return f"{installation_id}-{number}"


def _in_use(installation_id: int) -> Any:
    return select(fingerprint_key).where(
        fingerprint_key.c.installation_id == installation_id,
        fingerprint_key.c.retired_at.is_(None),
    )
