"""The keys of installations' fingerprints, as given: whoever calls encrypts them.

An installation has one key that fingerprints are made with. A key that was replaced stays for
as long as evidence that was made with it, because only with it can that be compared.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.schema import fingerprint_key, installation


class KeptKey(Struct, frozen=True):
    """One key."""

    id: str
    """Installation and number, such as ``42-1``; an edit names the key of its fingerprints."""
    installation_id: int
    secret: bytes
    created_at: datetime
    retired_at: datetime | None
    """When another one took its place; ``None``: it is in use."""


class FingerprintKeys:
    """The keys of all installations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def present(self, installation_id: int, fresh: bytes, *, now: datetime) -> KeptKey | None:
        """Return the key in use; ``fresh`` becomes it where an installation has none.

        Two callers at once get the same one. ``None``: no such installation is known.
        """
        found = self._present(installation_id)
        if found is not None:
            return found
        with self._database.write() as connection:
            self._database.lock(connection, f"keys:{installation_id}")
            known = select(installation.c.id).where(installation.c.id == installation_id)
            if connection.execute(known).first() is None:
                return None
            row = connection.execute(_in_use(installation_id)).first()
            return _from_row(row) if row else self._add(connection, installation_id, fresh, now)

    def rotate(self, installation_id: int, fresh: bytes, *, now: datetime) -> KeptKey | None:
        """Put ``fresh`` in the place of the key in use, which is retired.

        ``None``: no such installation is known.
        """
        with self._database.write() as connection:
            self._database.lock(connection, f"keys:{installation_id}")
            known = select(installation.c.id).where(installation.c.id == installation_id)
            if connection.execute(known).first() is None:
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
        """Return a key by its id, retired ones too; ``None``: there is none, or none any more."""
        query = select(fingerprint_key).where(fingerprint_key.c.id == key_id)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _from_row(row)

    def of(self, installation_id: int) -> tuple[KeptKey, ...]:
        """Return an installation's keys, the oldest first."""
        query = (
            select(fingerprint_key)
            .where(fingerprint_key.c.installation_id == installation_id)
            .order_by(fingerprint_key.c.number)
        )
        with self._database.read() as connection:
            return tuple(_from_row(row) for row in connection.execute(query))

    def expire(self, before: datetime) -> int:
        """Delete the keys that were retired before that instant; return how many."""
        query = delete(fingerprint_key).where(fingerprint_key.c.retired_at < before)
        with self._database.write() as connection:
            return connection.execute(query).rowcount

    def _present(self, installation_id: int) -> KeptKey | None:
        with self._database.read() as connection:
            row = connection.execute(_in_use(installation_id)).first()
        return None if row is None else _from_row(row)

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
        return _from_row(connection.execute(insert.returning(fingerprint_key)).one())


def key_id(installation_id: int, number: int) -> str:
    """Return the id of an installation's key of that number, counted from 1."""
    return f"{installation_id}-{number}"


def _in_use(installation_id: int) -> Any:
    return select(fingerprint_key).where(
        fingerprint_key.c.installation_id == installation_id,
        fingerprint_key.c.retired_at.is_(None),
    )


def _from_row(row: Row[Any]) -> KeptKey:
    return KeptKey(
        id=row.id,
        installation_id=row.installation_id,
        secret=bytes(row.secret),
        created_at=row.created_at,
        retired_at=row.retired_at,
    )
