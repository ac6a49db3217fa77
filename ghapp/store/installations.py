"""Where the app is installed, and the repositories it may see. Numeric ids are the keys."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select, update

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.repository_names import NameReason
from ghapp.store.rows import chunks, clean
from ghapp.store.schema import installation, repository, repository_alias


class Installation(Struct, frozen=True):
    """The app on one account, as last heard from GitHub."""

    id: int
    account: str
    """Login of the user or organization; it can change."""
    account_id: int | None = None
    account_type: str | None = None
    """``User`` or ``Organization``; ``None``: not heard yet."""
    permissions: dict[str, str] = msgspec.field(default_factory=dict)
    """Granted permissions by name, ``read`` or ``write``; empty: not heard yet."""
    suspended_at: datetime | None = None
    """``None``: not suspended."""
    removed_at: datetime | None = None
    """``None``: still installed."""
    parked_until: datetime | None = None
    """Until when GitHub wants to be left alone; ``None``: no limit is known."""
    parked_why: str | None = None
    seen_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether the app may act there at all."""
        return self.suspended_at is None and self.removed_at is None


class Repository(Struct, frozen=True):
    """A repository, as last heard from GitHub."""

    id: int
    owner: str
    name: str
    installation_id: int | None = None
    """``None``: known from evidence or from a document, not through an installation."""
    private: bool = True
    """Where GitHub did not say, it is treated as private."""
    archived: bool = False
    removed_at: datetime | None = None
    """When it was deleted or taken from the installation; ``None``: still there."""
    seen_at: datetime | None = None

    @property
    def full_name(self) -> str:
        """``owner/name``."""
        return f"{self.owner}/{self.name}"


class InstallationTable:
    """Installations and repositories, kept up to date by what GitHub's events say."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- installations ------------------------------------------------------------------------

    def seen(self, heard: Installation, *, now: datetime) -> Installation:
        """Note that the app is installed there; what ``heard`` does not know stays as it was.

        Takes back `removed`, for events can only come from an app that is installed, and
        leaves `suspended` and `park` as they are.
        """
        values = {
            "account": clean(heard.account),
            "seen_at": now,
            "removed_at": None,
            **_given(
                account_id=heard.account_id,
                account_type=clean(heard.account_type),
                permissions=_encoded(heard.permissions) if heard.permissions else None,
            ),
        }
        insert = self._database.insert(installation).values(
            {"id": heard.id, "permissions": "{}", **values}
        )
        with self._database.write() as connection:
            row = connection.execute(
                insert.on_conflict_do_update(index_elements=["id"], set_=values).returning(
                    installation
                )
            ).one()
        return _to_installation(row)

    def suspended(self, installation_id: int, *, now: datetime) -> bool:
        """Note that the account suspended the app; ``False``: no such installation is known."""
        return self._change(installation_id, {"suspended_at": now})

    def unsuspended(self, installation_id: int) -> bool:
        """Note that the account allows the app again."""
        return self._change(installation_id, {"suspended_at": None})

    def removed(self, installation_id: int, *, now: datetime) -> bool:
        """Note that the app was uninstalled; its repositories are out of reach with it."""
        with self._database.write() as connection:
            connection.execute(
                update(repository)
                .where(
                    repository.c.installation_id == installation_id,
                    repository.c.removed_at.is_(None),
                )
                .values(removed_at=now)
            )
            change = update(installation).where(installation.c.id == installation_id)
            return connection.execute(change.values(removed_at=now)).rowcount == 1

    def park(self, installation_id: int, until: datetime, why: str) -> bool:
        """Take nothing of this installation before that instant: GitHub's limit is reached.

        A limit that is already known to last longer stays.
        """
        later = (installation.c.parked_until.is_(None)) | (installation.c.parked_until < until)
        change = update(installation).where(installation.c.id == installation_id, later)
        with self._database.write() as connection:
            done = connection.execute(change.values(parked_until=until, parked_why=clean(why)))
            return done.rowcount == 1

    def installation(self, installation_id: int) -> Installation | None:
        """Return an installation; ``None``: never heard of."""
        query = select(installation).where(installation.c.id == installation_id)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _to_installation(row)

    def of_account(self, login: str) -> Installation | None:
        """Return the installation on an account, in any case of letters; ``None``: there is none.

        A login that passed from one account to another means the one heard from last.
        """
        query = (
            select(installation)
            .where(
                func.lower(installation.c.account) == clean(login).lower(),
                installation.c.removed_at.is_(None),
            )
            .order_by(installation.c.seen_at.desc(), installation.c.id.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _to_installation(row)

    def all(self) -> tuple[Installation, ...]:
        """Return all installations that were not removed, by id."""
        query = (
            select(installation)
            .where(installation.c.removed_at.is_(None))
            .order_by(installation.c.id)
        )
        with self._database.read() as connection:
            return tuple(_to_installation(row) for row in connection.execute(query))

    # --- repositories -------------------------------------------------------------------------

    def repository_seen(self, seen: Repository, *, now: datetime) -> Repository:
        """Note a repository's present name, home and state; renames and transfers end here."""
        self.repositories_seen((seen,), now=now)
        return msgspec.structs.replace(seen, seen_at=now)

    def repositories_seen(self, seen: Iterable[Repository], *, now: datetime) -> int:
        """Note many repositories, all or none; return how many."""
        rows = [_repository_row(one, now) for one in seen]
        if not rows:
            return 0
        insert = self._database.insert(repository)
        new = insert.excluded
        changed: dict[str, Any] = {
            column.name: new[column.name] for column in repository.c if column.name != "id"
        }
        # Evidence and documents know no installation; they must not forget the one we know.
        changed["installation_id"] = func.coalesce(
            new.installation_id, repository.c.installation_id
        )
        statement = insert.on_conflict_do_update(index_elements=["id"], set_=changed)
        with self._database.write() as connection:
            former = list(_former_names(connection, rows))
            connection.execute(statement, rows)
            for values in former:
                alias = self._database.insert(repository_alias).values(values)
                connection.execute(
                    alias.on_conflict_do_update(index_elements=["full_name_lower"], set_=values)
                )
        return len(rows)

    def repositories_removed(self, repository_ids: Iterable[int], *, now: datetime) -> int:
        """Note repositories as deleted or taken from their installation; return how many."""
        count = 0
        with self._database.write() as connection:
            for chunk in chunks(repository_ids):
                change = update(repository).where(repository.c.id.in_(chunk))
                count += connection.execute(change.values(removed_at=now)).rowcount
        return count

    def repository(self, repository_id: int) -> Repository | None:
        """Return a repository, removed ones too; ``None``: never heard of."""
        query = select(repository).where(repository.c.id == repository_id)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _to_repository(row)

    def find(self, full_name: str) -> Repository | None:
        """Return the repository that has this ``owner/name`` now, in any case of letters.

        A name that passed from one repository to another means the one seen last. ``None``:
        no repository that is still there has it.
        """
        query = (
            select(repository)
            .where(
                repository.c.full_name_lower == clean(full_name).lower(),
                repository.c.removed_at.is_(None),
            )
            .order_by(repository.c.seen_at.desc(), repository.c.id.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _to_repository(row)

    def repositories(self, installation_id: int | None = None) -> tuple[Repository, ...]:
        """Return the repositories that are still there, of one installation or all, by name."""
        query = select(repository).where(repository.c.removed_at.is_(None))
        if installation_id is not None:
            query = query.where(repository.c.installation_id == installation_id)
        query = query.order_by(repository.c.full_name_lower, repository.c.id)
        with self._database.read() as connection:
            return tuple(_to_repository(row) for row in connection.execute(query))

    def _change(self, installation_id: int, values: dict[str, Any]) -> bool:
        change = update(installation).where(installation.c.id == installation_id).values(values)
        with self._database.write() as connection:
            return connection.execute(change).rowcount == 1


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _encoded(permissions: dict[str, str]) -> str:
    return msgspec.json.encode(permissions, order="sorted").decode()


def _former_names(connection: Connection, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the names that repositories lose by what is written now."""
    new = {row["id"]: row for row in rows}
    for chunk in chunks(new):
        query = select(repository.c.id, repository.c.full_name_lower)
        for number, name in connection.execute(query.where(repository.c.id.in_(chunk))):
            if name != new[number]["full_name_lower"]:
                yield {
                    "full_name_lower": name,
                    "repository_id": number,
                    "why": NameReason.FORMER.value,
                    "seen_at": new[number]["seen_at"],
                }


def _repository_row(seen: Repository, now: datetime) -> dict[str, Any]:
    return {
        "id": seen.id,
        "installation_id": seen.installation_id,
        "owner": clean(seen.owner),
        "name": clean(seen.name),
        "full_name_lower": clean(seen.full_name).lower(),
        "private": seen.private,
        "archived": seen.archived,
        "removed_at": seen.removed_at,
        "seen_at": now,
    }


def _to_installation(row: Row[Any]) -> Installation:
    return Installation(
        id=row.id,
        account=row.account,
        account_id=row.account_id,
        account_type=row.account_type,
        permissions=msgspec.json.decode(row.permissions, type=dict[str, str]),
        suspended_at=row.suspended_at,
        removed_at=row.removed_at,
        parked_until=row.parked_until,
        parked_why=row.parked_why,
        seen_at=row.seen_at,
    )


def _to_repository(row: Row[Any]) -> Repository:
    return Repository(
        id=row.id,
        owner=row.owner,
        name=row.name,
        installation_id=row.installation_id,
        private=row.private,
        archived=row.archived,
        removed_at=row.removed_at,
        seen_at=row.seen_at,
    )
