"""Who is signed in: browsers by the digest of their cookie, and each person's sealed tokens.

The caller encrypts GitHub's tokens, and a digest does not reveal its cookie: whoever reads these
tables cannot sign in as anybody.
"""

import hashlib
import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Update, delete, func, or_, select, update

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import clean, struct_of
from ghapp.store.schema import login, person

SECRET_BYTES = 32


class SignedIn(Struct, frozen=True, kw_only=True):
    """A person who signed in, in this browser or another."""

    id: int
    """GitHub's number of the person, which never changes."""
    login: str
    """As GitHub gave it at the last sign-in."""
    sealed: bytes | None
    """GitHub's tokens, encrypted; ``None``: GitHub revoked them, so the person must sign in."""

    def __repr__(self) -> str:
        """Leave the tokens out, even sealed ones."""
        return f"SignedIn(id={self.id}, login={self.login!r})"


def new_cookie() -> str:
    """Return a new random secret for a browser to keep."""
    return secrets.token_urlsafe(SECRET_BYTES)


class LoginTable:
    """The browsers that are signed in, and the people behind them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, signed_in: SignedIn, cookie: str, until: datetime, *, now: datetime) -> None:
        """Store a sign-in whose browser holds ``cookie``. All browsers use the newest tokens."""
        values = {
            "login": clean(signed_in.login),
            "sealed": signed_in.sealed,
            "signed_in_at": now,
            "renewing_until": None,
        }
        insert = self._database.insert(person).values(id=signed_in.id, **values)
        row = {
            "digest": _digest(cookie),
            "person_id": signed_in.id,
            "created_at": now,
            "expires_at": until,
        }
        with self._database.write() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))
            connection.execute(self._database.insert(login).values(row))

    def of_cookie(self, cookie: str, *, now: datetime) -> SignedIn | None:
        """Return whose browser it is; ``None``: nobody is signed in, or not any more."""
        query = (
            select(person)
            .join(login, login.c.person_id == person.c.id)
            .where(login.c.digest == _digest(cookie), login.c.expires_at > now)
        )
        return self._person(query)

    def person(self, person_id: int) -> SignedIn | None:
        """Return a person by GitHub's number; ``None``: the person never signed in."""
        return self._person(select(person).where(person.c.id == person_id))

    def named(self, name: str) -> SignedIn | None:
        """Return the person who last signed in under a login, in any case; ``None``: nobody."""
        query = (
            select(person)
            .where(func.lower(person.c.login) == clean(name).lower())
            .order_by(person.c.signed_in_at.desc())
            .limit(1)
        )
        return self._person(query)

    def begin_renewal(self, signed_in: SignedIn, until: datetime, *, now: datetime) -> bool:
        """Take the lease on renewing exactly these tokens, until an instant.

        ``False``: another process holds it, or has stored other tokens. GitHub's refresh token
        works once, so only the holder may show it to GitHub.
        """
        is_free = or_(person.c.renewing_until.is_(None), person.c.renewing_until <= now)
        free = _holding(signed_in.id, signed_in.sealed).where(is_free)
        return self._database.execute(free.values(renewing_until=until)) == 1

    def give_up_renewal(self, signed_in: SignedIn, until: datetime) -> bool:
        """Give the lease back that ends at that instant; ``False``: it is another process's."""
        mine = _holding(signed_in.id, signed_in.sealed).where(person.c.renewing_until == until)
        return self._database.execute(mine.values(renewing_until=None)) == 1

    def reseal(self, person_id: int, before: bytes | None, sealed: bytes | None) -> bool:
        """Store other tokens in the place of ``before``, or none, and end the lease.

        ``False``: the person has other tokens by now, and they stay.
        """
        change = _holding(person_id, before).values(sealed=sealed, renewing_until=None)
        return self._database.execute(change) == 1

    def end(self, cookie: str) -> bool:
        """Sign a browser out; ``False``: it was not signed in."""
        return self._database.execute(delete(login).where(login.c.digest == _digest(cookie))) == 1

    def end_all(self, person_id: int) -> int:
        """Sign a person out everywhere and delete the tokens; return how many browsers."""
        with self._database.write() as connection:
            gone = connection.execute(delete(login).where(login.c.person_id == person_id))
            connection.execute(update(person).where(person.c.id == person_id).values(sealed=None))
            return gone.rowcount

    def expire(self, now: datetime) -> int:
        """Delete sign-ins that have expired; return how many."""
        return self._database.execute(delete(login).where(login.c.expires_at <= now))

    def _person(self, query: Any) -> SignedIn | None:
        row = self._database.first(query)
        return None if row is None else struct_of(SignedIn, row)


def _holding(person_id: int, sealed: bytes | None) -> Update:
    """Return a change of a person, as long as they have these tokens."""
    return update(person).where(person.c.id == person_id, person.c.sealed == sealed)


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).digest()
