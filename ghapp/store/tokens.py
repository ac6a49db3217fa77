"""Access tokens: who may upload, send telemetry or read, and for how long. It stores no secret.

It stores only the SHA-256 digest of a token, so whoever reads the table cannot use any. A token
is long and random, so a slower hash is not needed.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, select, update

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import clean, struct_of
from ghapp.store.schema import access_token

COARSE = timedelta(hours=1)
"""Precision of the last use: enough to find forgotten tokens, too little to track people, and one
write an hour instead of one for each request."""

SECRET_BYTES = 32

MOST_REMEMBERED = 4_096
"""Ingest tokens that a process remembers."""


class TokenKind(StrEnum):
    """What a token is for; one kind never works as the other."""

    UPLOAD = "upload"
    """Sends evidence of its person, and removes it again; reads nothing of anybody's."""
    READ = "read"
    """Reads the API."""
    INGEST = "ingest"
    """Sends telemetry of one organization; of one person of it, if it is bound to one."""


NOBODY = 0
"""Stands for the person of an ingest token that is the organization's own."""


class NewToken(Struct, frozen=True):
    """A token to be made."""

    kind: TokenKind
    login: str
    """The person's login on GitHub when the token was made. Of an ingest token without a person:
    who made it."""
    user_id: int
    """GitHub's number of that person, which never changes; `NOBODY`: an organization's own."""
    label: str = ""
    """The person's name for it, such as a machine's name; empty: none given."""
    installations: tuple[int, ...] | None = None
    """Installations it is for; ``None``: all that the person can reach."""
    repositories: tuple[int, ...] = ()
    """Some repositories that the person could write to when it was made. They are checked again
    later: does the person still belong there?"""
    expires_at: datetime | None = None
    """``None``: it does not expire."""


class AccessToken(NewToken, frozen=True, kw_only=True):
    """A token as it is stored."""

    id: int
    created_at: datetime
    used_at: datetime | None = None
    """Last use, to the hour; ``None``: never used."""
    revoked_at: datetime | None = None
    """``None``: not revoked."""

    def is_valid(self, now: datetime) -> bool:
        """Return whether it is neither revoked nor expired at that time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def reaches(self, installation_id: int) -> bool:
        """Return whether it is for that installation."""
        return self.installations is None or installation_id in self.installations


def new_secret(kind: TokenKind) -> str:
    """Return a new random secret; its prefix tells secret scanners that it is ours."""
    return f"ghapp_{kind}_{secrets.token_urlsafe(SECRET_BYTES)}"


class TokenTable:
    """The access tokens of all people."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: dict[bytes, AccessToken] = {}

    def issue(self, new: NewToken, secret: str, *, now: datetime) -> AccessToken:
        """Store a token. The person sees its ``secret`` (from `new_secret`) only once."""
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
        """Return the token of that secret, even if expired or revoked: see its ``is_valid``.

        ``None``: there is no such token of that kind. Stores when a valid token was used.
        """
        token = self.known(secret, now=now)
        return token if token is not None and token.kind is kind else None

    def known(self, secret: str, *, now: datetime) -> AccessToken | None:
        """Return the token of that secret, of any kind, as `check` does."""
        query = self._database.once("token of a digest", _of_digest)
        with self._database.read() as connection:
            row = connection.execute(query, {"sought": _digest(secret)}).first()
        if row is None:
            return None
        token = _from_row(row)
        if token.is_valid(now) and (token.used_at is None or now - token.used_at >= COARSE):
            return self._used(token, now)
        return token

    def remembered(self, secret: str, *, now: datetime) -> AccessToken | None:
        """Return the token of that secret as `known` does; an ingest token maybe from memory.

        It may have been revoked meanwhile: `TelemetryTable` asks when it stores what came with it.
        """
        digest = _digest(secret)
        token = self._remembered.get(digest)
        if token is None or token.used_at is None or now - token.used_at >= COARSE:
            self._remembered.pop(digest, None)
            token = self.known(secret, now=now)
            if token is not None and token.kind is TokenKind.INGEST and token.is_valid(now):
                if len(self._remembered) >= MOST_REMEMBERED:
                    self._remembered.clear()
                self._remembered[digest] = token
        return token

    def revoke(
        self,
        token_id: int,
        *,
        now: datetime,
        user_id: int | None = None,
        ingest_of: int | None = None,
    ) -> bool:
        """Revoke a token; ``False``: there is no such token, or it was revoked before.

        ``user_id`` allows only that person's own tokens, ``ingest_of`` only those for telemetry of
        that installation; ``None``: anybody's.
        """
        change = update(access_token).where(
            access_token.c.id == token_id, access_token.c.revoked_at.is_(None)
        )
        if user_id is not None:
            change = change.where(access_token.c.user_id == user_id)
        if ingest_of is not None:
            change = change.where(*_is_ingest_of(ingest_of))
        return self._database.execute(change.values(revoked_at=now)) == 1

    def of_user(self, user_id: int) -> tuple[AccessToken, ...]:
        """Return a person's tokens by GitHub's number, newest first, revoked ones too."""
        return self._found(access_token.c.user_id == user_id)

    def of_login(self, login: str) -> tuple[AccessToken, ...]:
        """Return the tokens made under a login, in any case; see also `of_user`."""
        return self._found(access_token.c.login_lower == clean(login).lower())

    def ingest_of(self, installation_id: int) -> tuple[AccessToken, ...]:
        """Return the tokens for telemetry of an installation, newest first, revoked ones too."""
        return self._found(and_(*_is_ingest_of(installation_id)))

    def _used(self, token: AccessToken, now: datetime) -> AccessToken:
        hour = now.replace(minute=0, second=0, microsecond=0)
        change = update(access_token).where(access_token.c.id == token.id).values(used_at=hour)
        self._database.execute(change)
        return msgspec.structs.replace(token, used_at=hour)

    def _found(self, which: Any) -> tuple[AccessToken, ...]:
        query = select(access_token).where(which).order_by(access_token.c.id.desc())
        return tuple(_from_row(row) for row in self._database.rows(query))


def _of_digest() -> Select[Any]:
    return select(access_token).where(access_token.c.digest == bindparam("sought"))


def _is_ingest_of(installation_id: int) -> tuple[ColumnElement[bool], ...]:
    columns = access_token.c
    mine = columns.installations == _encoded((installation_id,))
    return columns.kind == TokenKind.INGEST.value, mine


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _encoded(numbers: tuple[int, ...] | None) -> str | None:
    return None if numbers is None else msgspec.json.encode(numbers).decode()


def _decoded(numbers: str) -> tuple[int, ...]:
    return msgspec.json.decode(numbers, type=tuple[int, ...])


def _from_row(row: Row[Any]) -> AccessToken:
    return struct_of(
        AccessToken,
        row,
        installations=None if row.installations is None else _decoded(row.installations),
        repositories=_decoded(row.repositories or "[]"),
    )
