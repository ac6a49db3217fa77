"""Other names by which a repository is meant: its former ones, and those of its forks.

The present names are in ``installations``; this module holds what GitHub said beyond them.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import chunks, clean
from ghapp.store.schema import repository_alias


class NameReason(StrEnum):
    """Why a name means a repository."""

    FORMER = "former"
    """It had that name, and GitHub redirects it."""
    FORK = "fork"
    """The repository of that name is a fork of it."""
    UNKNOWN = "unknown"
    """GitHub knows no such repository, or shows it to none of our installations."""


class RepositoryAlias(Struct, frozen=True):
    """What a name means."""

    full_name: str
    """In lower case."""
    repository_id: int | None
    """``None``: nothing that we know."""
    why: NameReason
    seen_at: datetime


class RepositoryNames:
    """Names beside the present ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(
        self, full_name: str, why: NameReason, *, now: datetime, repository_id: int | None = None
    ) -> None:
        """Note what GitHub says that a name means; what was known of it is replaced."""
        values = {"repository_id": repository_id, "why": why.value, "seen_at": now}
        insert = self._database.insert(repository_alias).values(
            full_name_lower=clean(full_name).lower(), **values
        )
        with self._database.write() as connection:
            connection.execute(
                insert.on_conflict_do_update(index_elements=["full_name_lower"], set_=values)
            )

    def of(self, full_names: Iterable[str]) -> dict[str, RepositoryAlias]:
        """Return what is known of some names, in lower case; unknown ones are left out."""
        found: dict[str, RepositoryAlias] = {}
        with self._database.read() as connection:
            for chunk in chunks(clean(name).lower() for name in full_names):
                query = select(repository_alias).where(
                    repository_alias.c.full_name_lower.in_(chunk)
                )
                found.update(
                    (row.full_name_lower, _alias(row)) for row in connection.execute(query)
                )
        return found


def _alias(row: Row[Any]) -> RepositoryAlias:
    return RepositoryAlias(
        full_name=row.full_name_lower,
        repository_id=row.repository_id,
        why=NameReason(row.why),
        seen_at=row.seen_at,
    )
