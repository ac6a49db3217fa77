"""Who looked at which audits and exports, when and through which door. It permits nothing.

Kept is the door, not the address a request came from: that would be one more thing to protect.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, delete, select

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import access_log


class AccessDoor(StrEnum):
    """Through which door somebody came."""

    PAGE = "page"
    API = "api"
    COMMAND_LINE = "command_line"


class AccessEntry(Struct, frozen=True):
    """One look at audits or an export of them."""

    who: str
    """``login:ann`` on GitHub, ``token:NAME`` of an API token, ``system:ann`` at a terminal."""
    door: AccessDoor
    what: str
    """A word, such as ``audit``, ``document``, ``explanation``, ``export``, ``bundle``."""
    repository_id: int | None = None
    """``None``: it is about several repositories."""
    pull_request: int | None = None
    """``None``: it is about no single pull request."""
    detail: str | None = None
    """What was asked for, such as ``src/app.py:12`` or a span; ``None``: all of it."""


class LoggedAccess(AccessEntry, frozen=True, kw_only=True):
    """An access as it stands in the log."""

    id: int
    at: datetime


class AccessLog:
    """The log. It is only ever added to, until its time is over."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, access: AccessEntry, *, now: datetime) -> None:
        """Keep one access. To be called before anything is shown, so that nothing goes unlogged."""
        row = {
            "at": now,
            "who": clean(access.who),
            "door": access.door.value,
            "what": clean(access.what),
            "repository_id": access.repository_id,
            "pull_request": access.pull_request,
            "detail": clean(access.detail),
        }
        with self._database.write() as connection:
            connection.execute(self._database.insert(access_log).values(row))

    def of(
        self,
        repository_id: int | None = None,
        *,
        who: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[LoggedAccess, ...]:
        """Return accesses, the latest first: of one repository or all, of one person or all.

        ``before`` is the id of the last one that was shown, for the next page.
        """
        query = select(access_log).order_by(access_log.c.id.desc()).limit(limit)
        if repository_id is not None:
            query = query.where(access_log.c.repository_id == repository_id)
        if who is not None:
            query = query.where(access_log.c.who == clean(who))
        if before is not None:
            query = query.where(access_log.c.id < before)
        return self._found(query)

    def expire(self, before: datetime) -> int:
        """Forget accesses before that instant; return how many."""
        with self._database.write() as connection:
            return connection.execute(delete(access_log).where(access_log.c.at < before)).rowcount

    def _found(self, query: Select[Any]) -> tuple[LoggedAccess, ...]:
        with self._database.read() as connection:
            return tuple(_from_row(row) for row in connection.execute(query))


def _from_row(row: Row[Any]) -> LoggedAccess:
    return LoggedAccess(
        id=row.id,
        at=row.at,
        who=row.who,
        door=AccessDoor(row.door),
        what=row.what,
        repository_id=row.repository_id,
        pull_request=row.pull_request,
        detail=row.detail,
    )
