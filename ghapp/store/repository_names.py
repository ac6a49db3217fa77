"""Other names of repositories: former names, and the names of forks.

`ghapp.store.installations` has the current names; this module stores what else GitHub said.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import chunks, clean, struct_of
from ghapp.store.schema import repository_alias


class NameReason(StrEnum):
    """Why a name stands for a repository."""

    FORMER = "former"
    """It had that name before, and GitHub redirects the name:
    https://docs.github.com/en/repositories/creating-and-managing-repositories/renaming-a-repository."""
    FORK = "fork"
    """The name is the name of a fork of it."""
    UNKNOWN = "unknown"
    """GitHub knows no such repository, or none of our installations may see it."""


class RepositoryAlias(Struct, frozen=True):
    """What a name stands for."""

    full_name: str
    """In lower case."""
    repository_id: int | None
    """``None``: no repository that we know."""
    why: NameReason
    seen_at: datetime


class RepositoryNames:
    """All names besides the current ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(
        self, full_name: str, why: NameReason, *, now: datetime, repository_id: int | None = None
    ) -> None:
        """Store what GitHub says a name stands for; replace what was known."""
        values = {"repository_id": repository_id, "why": why.value, "seen_at": now}
        insert = self._database.insert(repository_alias).values(
            full_name_lower=clean(full_name).lower(), **values
        )
        self._database.execute(
            insert.on_conflict_do_update(index_elements=["full_name_lower"], set_=values)
        )

    def of(self, full_names: Iterable[str]) -> dict[str, RepositoryAlias]:
        """Return what is known of these names, by name in lower case, without unknown ones."""
        found: dict[str, RepositoryAlias] = {}
        with self._database.read() as connection:
            for chunk in chunks(clean(name).lower() for name in full_names):
                query = select(repository_alias).where(
                    repository_alias.c.full_name_lower.in_(chunk)
                )
                for row in connection.execute(query):
                    name = row.full_name_lower
                    found[name] = struct_of(RepositoryAlias, row, full_name=name)
        return found
