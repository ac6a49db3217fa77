"""Access tokens: who may upload evidence or read the API, and for how long. It holds no secret.

Of a token only the SHA-256 digest is kept: its secret is long and random, so nothing slower is
needed, and whoever reads the table can use none of them.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Row, select, update

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import access_token

COARSE = timedelta(hours=1)
"""How exactly the last use is kept: enough to find forgotten tokens, too little to follow people,
and one write an hour instead of one for each request."""

SECRET_BYTES = 32


class TokenKind(StrEnum):
    """What a token is for; one kind never stands in for the other."""

    UPLOAD = "upload"
    """Sends evidence of its person, and removes it again; reads nothing of anybody's."""
    READ = "read"
    """Reads the API."""


class NewToken(Struct, frozen=True):
    """A token that is to be made."""

    kind: TokenKind
    login: str
    """Login of its person on GitHub, at that time."""
    user_id: int
    """GitHub's number of that person, which never changes."""
    label: str = ""
    """What the person calls it, such as a machine's name; empty: nothing was said."""
    installations: tuple[int, ...] | None = None
    """Installations that it is for; ``None``: all that its person reaches."""
    repositories: tuple[int, ...] = ()
    """Some repositories that its person could write to when it was made: to ask of them later
    whether the person still belongs there."""
    expires_at: datetime | None = None
    """``None``: it lasts until it is revoked."""


class AccessToken(NewToken, frozen=True, kw_only=True):
    """A token as it is kept."""

    id: int
    created_at: datetime
    used_at: datetime | None = None
    """Last use, to the hour; ``None``: it was never used."""
    revoked_at: datetime | None = None
    """``None``: it was not revoked."""

    def is_valid(self, now: datetime) -> bool:
        """Say whether it opens anything at that time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def reaches(self, installation_id: int) -> bool:
        """Say whether it is for that installation."""
        return self.installations is None or installation_id in self.installations


def new_secret(kind: TokenKind) -> str:
    """Return a new random secret; its beginning tells scanners of leaks whose it is."""
    return f"ghapp_{kind}_{secrets.token_urlsafe(SECRET_BYTES)}"


class TokenTable:
    """The access tokens of all people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, new: NewToken, secret: str, *, now: datetime) -> AccessToken:
        """Keep a token whose secret is ``secret`` (see `new_secret`), shown to its person once."""
        values = {
            "kind": new.kind.value,
            "digest": _digest(secret),
            "login": clean(new.login),
            "login_lower": clean(new.login).lower(),
            "user_id": new.user_id,
            "label": clean(new.label),
            "installations": _encoded(new.installations),
            "repositories": _encoded(new.repositories),
            "expires_at": new.expires_at,
            "created_at": now,
        }
        insert = self._database.insert(access_token).values(values).returning(access_token)
        with self._database.write() as connection:
            return _from_row(connection.execute(insert).one())

    def check(self, secret: str, kind: TokenKind, *, now: datetime) -> AccessToken | None:
        """Return the token of that secret, expired and revoked ones too: see its ``is_valid``.

        ``None``: there is none of that kind. Notes the use of a valid one.
        """
        query = select(access_token).where(
            access_token.c.digest == _digest(secret), access_token.c.kind == kind.value
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        token = _from_row(row)
        if token.is_valid(now) and (token.used_at is None or now - token.used_at >= COARSE):
            return self._used(token, now)
        return token

    def revoke(self, token_id: int, *, now: datetime, user_id: int | None = None) -> bool:
        """Let a token open nothing any more; ``False``: no such token was valid.

        ``user_id`` limits it to that person's own tokens; ``None``: anybody's.
        """
        return self._revoke(access_token.c.id == token_id, user_id, now) == 1

    def revoke_all(self, user_id: int, *, now: datetime) -> int:
        """Revoke all tokens of a person; return how many were valid until now."""
        return self._revoke(access_token.c.user_id == user_id, None, now)

    def of_user(self, user_id: int) -> tuple[AccessToken, ...]:
        """Return a person's tokens by GitHub's number, the newest first, revoked ones too."""
        return self._found(access_token.c.user_id == user_id)

    def of_login(self, login: str) -> tuple[AccessToken, ...]:
        """Return the tokens that were made under a login, in any case; see also `of_user`."""
        return self._found(access_token.c.login_lower == clean(login).lower())

    def _used(self, token: AccessToken, now: datetime) -> AccessToken:
        hour = now.replace(minute=0, second=0, microsecond=0)
        change = update(access_token).where(access_token.c.id == token.id).values(used_at=hour)
        with self._database.write() as connection:
            connection.execute(change)
        return msgspec.structs.replace(token, used_at=hour)

    def _revoke(self, which: Any, user_id: int | None, now: datetime) -> int:
        change = update(access_token).where(which, access_token.c.revoked_at.is_(None))
        if user_id is not None:
            change = change.where(access_token.c.user_id == user_id)
        with self._database.write() as connection:
            return connection.execute(change.values(revoked_at=now)).rowcount

    def _found(self, which: Any) -> tuple[AccessToken, ...]:
        query = select(access_token).where(which).order_by(access_token.c.id.desc())
        with self._database.read() as connection:
            return tuple(_from_row(row) for row in connection.execute(query))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _encoded(numbers: tuple[int, ...] | None) -> str | None:
    return None if numbers is None else msgspec.json.encode(numbers).decode()


def _decoded(numbers: str) -> tuple[int, ...]:
    return msgspec.json.decode(numbers, type=tuple[int, ...])


def _from_row(row: Row[Any]) -> AccessToken:
    return AccessToken(
        id=row.id,
        kind=TokenKind(row.kind),
        login=row.login,
        user_id=row.user_id,
        label=row.label,
        installations=None if row.installations is None else _decoded(row.installations),
        repositories=_decoded(row.repositories or "[]"),
        expires_at=row.expires_at,
        created_at=row.created_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )
