"""Who looked at which audits and exports, when, and through which door. It permits nothing.

The log stores the door, not the address of the request: an address would be one more thing to
protect.
"""

from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import delete, select

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import clean, struct_of
from ghapp.store.schema import access_log


class AccessDoor(StrEnum):
    """How somebody reached the app."""

    PAGE = "page"
    API = "api"
    COMMAND_LINE = "command_line"


class AccessEntry(Struct, frozen=True):
    """One look at audits, or one export of them."""

    who: str
    """``login:ann`` on GitHub, ``token:NAME`` of an API token, ``system:ann`` at a terminal."""
    door: AccessDoor
    what: str
    """A word, such as ``audit``, ``document``, ``explanation``, ``export``, ``bundle``."""
    repository_id: int | None = None
    """``None``: several repositories."""
    pull_request: int | None = None
    """``None``: not one pull request."""
    detail: str | None = None
    """What was requested, such as ``src/app.py:12`` or a time span; ``None``: everything."""


class LoggedAccess(AccessEntry, frozen=True, kw_only=True):
    """An access as it is in the log."""

    id: int
    at: datetime


class AccessLog:
    """The log. Entries are only added, and deleted when they expire."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, access: AccessEntry, *, now: datetime) -> None:
        """Log one access. Call it before anything is shown, so that nothing goes unlogged."""
        row = msgspec.structs.asdict(access) | {
            "at": now,
            "who": clean(access.who),
            "door": access.door.value,
            "what": clean(access.what),
            "detail": clean(access.detail),
        }
        self._database.execute(self._database.insert(access_log).values(row))

    def of(
        self,
        repository_id: int | None = None,
        *,
        who: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[LoggedAccess, ...]:
        """Return accesses, latest first: of one repository or all, of one person or all.

        ``before`` is the id of the last entry of the page before.
        """
        query = select(access_log).order_by(access_log.c.id.desc()).limit(limit)
        if repository_id is not None:
            query = query.where(access_log.c.repository_id == repository_id)
        if who is not None:
            query = query.where(access_log.c.who == clean(who))
        if before is not None:
            query = query.where(access_log.c.id < before)
        return tuple(struct_of(LoggedAccess, row) for row in self._database.rows(query))

    def expire(self, before: datetime) -> int:
        """Delete accesses before that instant; return how many."""
        return self._database.execute(delete(access_log).where(access_log.c.at < before))
