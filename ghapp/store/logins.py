"""Who is signed in: browsers by the digest of their cookie, and each person's sealed tokens.

What is kept of GitHub's tokens was encrypted by the caller, and a cookie cannot be made of its
digest: whoever reads these tables can sign in as nobody.
"""

import hashlib
import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, update

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import login, person

SECRET_BYTES = 32


class SignedIn(Struct, frozen=True, kw_only=True):
    """A person who signed in, here or in another browser."""

    id: int
    """GitHub's number of the person, which never changes."""
    login: str
    """As GitHub told it at the last sign-in."""
    sealed: bytes | None
    """GitHub's tokens, encrypted; ``None``: GitHub took them back, so signing in is needed."""

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
        """Keep a sign-in whose browser holds ``cookie``; the newest tokens serve all browsers."""
        told = {"login": clean(signed_in.login), "sealed": signed_in.sealed, "signed_in_at": now}
        insert = self._database.insert(person).values(id=signed_in.id, **told)
        row = {
            "digest": _digest(cookie),
            "person_id": signed_in.id,
            "created_at": now,
            "expires_at": until,
        }
        with self._database.write() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=told))
            connection.execute(self._database.insert(login).values(row))

    def of_cookie(self, cookie: str, *, now: datetime) -> SignedIn | None:
        """Return who a browser is; ``None``: nobody, or no longer."""
        query = (
            select(person)
            .join(login, login.c.person_id == person.c.id)
            .where(login.c.digest == _digest(cookie), login.c.expires_at > now)
        )
        return self._found(query)

    def person(self, person_id: int) -> SignedIn | None:
        """Return a person by GitHub's number; ``None``: never signed in, or signed out wholly."""
        return self._found(select(person).where(person.c.id == person_id))

    def named(self, name: str) -> SignedIn | None:
        """Return the person who last signed in under a login, in any case; ``None``: nobody."""
        query = (
            select(person)
            .where(func.lower(person.c.login) == clean(name).lower())
            .order_by(person.c.signed_in_at.desc())
            .limit(1)
        )
        return self._found(query)

    def reseal(self, person_id: int, before: bytes | None, sealed: bytes | None) -> bool:
        """Keep renewed tokens, or that there are none; ``False``: others have since been kept."""
        change = update(person).where(person.c.id == person_id, person.c.sealed == before)
        with self._database.write() as connection:
            return connection.execute(change.values(sealed=sealed)).rowcount == 1

    def end(self, cookie: str) -> bool:
        """Forget a browser; ``False``: it was not signed in."""
        with self._database.write() as connection:
            gone = connection.execute(delete(login).where(login.c.digest == _digest(cookie)))
            return gone.rowcount == 1

    def end_all(self, person_id: int) -> int:
        """Forget all browsers of a person, and the tokens; return how many browsers."""
        with self._database.write() as connection:
            gone = connection.execute(delete(login).where(login.c.person_id == person_id))
            connection.execute(update(person).where(person.c.id == person_id).values(sealed=None))
            return gone.rowcount

    def expire(self, now: datetime) -> int:
        """Forget browsers whose time is over; return how many."""
        with self._database.write() as connection:
            return connection.execute(delete(login).where(login.c.expires_at <= now)).rowcount

    def _found(self, query: Any) -> SignedIn | None:
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _from_row(row)


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).digest()


def _from_row(row: Row[Any]) -> SignedIn:
    return SignedIn(id=row.id, login=row.login, sealed=row.sealed)
