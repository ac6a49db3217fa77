"""Other names of repositories: former names, names of forks, and names that were asked for.

`ghapp.store.installations` has the current names; this module stores what else GitHub said.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import case, delete, func, select

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import chunks, clean, struct_of
from ghapp.store.schema import asked_name, repository, repository_alias

_SEEN_LAST = (repository.c.seen_at, repository.c.id)


class NameReason(StrEnum):
    """Why a name stands for a repository."""

    FORMER = "former"
    """It had that name before, and GitHub redirects the name:
    https://docs.github.com/en/repositories/creating-and-managing-repositories/renaming-a-repository."""
    FORK = "fork"
    """The name is the name of a fork of it."""


class RepositoryAlias(Struct, frozen=True):
    """What a name stands for."""

    full_name: str
    """In lower case."""
    repository_id: int
    why: NameReason
    seen_at: datetime


class AskedName(Struct, frozen=True):
    """What GitHub said when an installation asked it for a name."""

    installation_id: int
    full_name: str
    repository_id: int | None
    """``None``: it knows no such repository, or does not show it to this installation."""
    user_id: int
    """GitHub id of the person whose token named it."""
    asked_at: datetime


class AskedCount(Struct, frozen=True):
    """How many names were asked for since some time."""

    by_person: int
    by_installation: int


class RepositoryNames:
    """All names besides the current ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, full_name: str, why: NameReason, *, now: datetime, repository_id: int) -> None:
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

    def meant(self, installation_id: int, full_names: Iterable[str]) -> dict[str, int]:
        """Return the ids of an installation's repositories that have these names, by lower case.

        A current name counts before a former one or a fork's. Names of other installations are
        left out like unknown ones, and cost the same two queries.
        """
        names = [clean(name).lower() for name in full_names]
        known: dict[str, int] = {}
        alias = repository_alias.c.full_name_lower
        known_by_alias = (
            select(alias, repository)
            .join(repository, repository.c.id == repository_alias.c.repository_id)
            .where(repository.c.removed_at.is_(None))
        )
        current = select(repository).where(repository.c.removed_at.is_(None))
        with self._database.read() as connection:
            for chunk in chunks(names):
                for row in connection.execute(known_by_alias.where(alias.in_(chunk))):
                    if row.installation_id == installation_id:
                        known[row[0]] = row.id
                # If a name passed from one repository to another, the one seen last counts.
                of_name = current.where(repository.c.full_name_lower.in_(chunk))
                latest = {
                    row.full_name_lower: row
                    for row in connection.execute(of_name.order_by(*_SEEN_LAST))
                }
                for name, row in latest.items():
                    if row.installation_id == installation_id:
                        known[name] = row.id
        return known

    # --- names that were asked for ----------------------------------------------------------------

    def asked(self, asked: AskedName) -> None:
        """Store what GitHub said when it was asked; replace what it said before."""
        values = {
            "repository_id": asked.repository_id,
            "user_id": asked.user_id,
            "asked_at": asked.asked_at,
        }
        insert = self._database.insert(asked_name).values(
            installation_id=asked.installation_id,
            full_name_lower=clean(asked.full_name).lower(),
            **values,
        )
        keys = ["installation_id", "full_name_lower"]
        self._database.execute(insert.on_conflict_do_update(index_elements=keys, set_=values))

    def answer(self, installation_id: int, full_name: str, since: datetime) -> AskedName | None:
        """Return what GitHub said to an installation; ``None``: it was not asked since then."""
        query = select(asked_name).where(
            asked_name.c.installation_id == installation_id,
            asked_name.c.full_name_lower == clean(full_name).lower(),
            asked_name.c.asked_at > since,
        )
        row = self._database.first(query)
        return None if row is None else struct_of(AskedName, row, full_name=row.full_name_lower)

    def count_asked(self, installation_id: int, user_id: int, since: datetime) -> AskedCount:
        """Count the names that an installation, and a person in it, asked for since then."""
        theirs = case((asked_name.c.user_id == user_id, 1))
        query = select(func.count(theirs).label("by_person"), func.count().label("by_installation"))
        row = self._database.first(
            query.where(
                asked_name.c.installation_id == installation_id, asked_name.c.asked_at > since
            )
        )
        return AskedCount(0, 0) if row is None else struct_of(AskedCount, row)

    def expire(self, before: datetime) -> int:
        """Delete what was asked before then; return how many names that were."""
        return self._database.execute(delete(asked_name).where(asked_name.c.asked_at < before))
