"""Where the app is installed, and which repositories it may see. Keys are GitHub's numbers."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    update,
)

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.repository_names import NameReason
from ghapp.store.rows import chunks, clean, struct_of
from ghapp.store.schema import InstantColumn, installation, repository, repository_alias


class Installation(Struct, frozen=True):
    """The app on one account, as GitHub last described it."""

    id: int
    account: str
    """Login of the user or organization; it can change."""
    account_id: int | None = None
    account_type: str | None = None
    """``User`` or ``Organization``; ``None``: not known yet."""
    permissions: dict[str, str] = msgspec.field(default_factory=dict)
    """Granted permissions by name, ``read`` or ``write``; empty: not known yet."""
    suspended_at: datetime | None = None
    """``None``: not suspended."""
    removed_at: datetime | None = None
    """``None``: still installed."""
    parked_until: datetime | None = None
    """Until when GitHub limits our requests; ``None``: no limit is known."""
    parked_why: str | None = None
    seen_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether the app may act there at all."""
        return self.suspended_at is None and self.removed_at is None


class Repository(Struct, frozen=True):
    """A repository, as GitHub last described it."""

    id: int
    owner: str
    name: str
    installation_id: int | None = None
    """``None``: known from evidence or from a document, not from an installation."""
    private: bool = True
    """A repository that GitHub has not described counts as private."""
    archived: bool = False
    removed_at: datetime | None = None
    """When it was deleted or removed from the installation; ``None``: still there."""
    seen_at: datetime | None = None

    @property
    def full_name(self) -> str:
        """``owner/name``."""
        return f"{self.owner}/{self.name}"


class InstallationTable:
    """Installations and repositories, kept up to date from GitHub's events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- installations ------------------------------------------------------------------------

    def seen(self, heard: Installation, *, now: datetime) -> Installation:
        """Store that GitHub calls the app installed there; keep what ``heard`` does not know.

        Undoes `removed`, unless that happened after ``now``, when GitHub was asked. Leaves
        `suspended` and `park` as they are.
        """
        values = {
            "account": clean(heard.account),
            "seen_at": now,
            **_given(
                account_id=heard.account_id,
                account_type=clean(heard.account_type),
                permissions=_encoded(heard.permissions) if heard.permissions else None,
            ),
        }
        insert = self._database.insert(installation).values(
            {"id": heard.id, "permissions": "{}", **values}
        )
        since = installation.c.removed_at > literal(now, InstantColumn)
        values["removed_at"] = case((since, installation.c.removed_at), else_=None)
        with self._database.write() as connection:
            row = connection.execute(
                insert.on_conflict_do_update(index_elements=["id"], set_=values).returning(
                    installation
                )
            ).one()
        return _to_installation(row)

    def suspended(self, installation_id: int, *, now: datetime) -> bool:
        """Store that the account suspended the app; ``False``: unknown installation."""
        return self._change(installation_id, {"suspended_at": now})

    def unsuspended(self, installation_id: int, *, now: datetime) -> bool:
        """Store that GitHub calls the installation active; a suspension after ``now`` stays."""
        change = update(installation).where(
            installation.c.id == installation_id, installation.c.suspended_at <= now
        )
        return self._database.execute(change.values(suspended_at=None)) == 1

    def removed(self, installation_id: int, *, now: datetime) -> bool:
        """Store that the app was uninstalled; this removes its repositories, too."""
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
        """Lease no work of this installation before that instant: GitHub's limit is reached.

        A longer limit that is already stored stays.
        """
        later = (installation.c.parked_until.is_(None)) | (installation.c.parked_until < until)
        change = update(installation).where(installation.c.id == installation_id, later)
        return self._database.execute(change.values(parked_until=until, parked_why=clean(why))) == 1

    def installation(self, installation_id: int) -> Installation | None:
        """Return an installation; ``None``: unknown."""
        query = select(installation).where(installation.c.id == installation_id)
        row = self._database.first(query)
        return None if row is None else _to_installation(row)

    def of_account(self, login: str) -> Installation | None:
        """Return the installation on an account, in any case of letters; ``None``: none.

        If a login passed from one account to another, the account seen last counts.
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
        row = self._database.first(query)
        return None if row is None else _to_installation(row)

    def all(self) -> tuple[Installation, ...]:
        """Return all installations that were not removed, by id."""
        query = (
            select(installation)
            .where(installation.c.removed_at.is_(None))
            .order_by(installation.c.id)
        )
        return tuple(_to_installation(row) for row in self._database.rows(query))

    # --- repositories -------------------------------------------------------------------------

    def repository_seen(self, seen: Repository, *, now: datetime) -> Repository:
        """Store a repository's current name, installation and state."""
        self.repositories_seen((seen,), now=now)
        return msgspec.structs.replace(seen, seen_at=now)

    def repositories_seen(self, seen: Iterable[Repository], *, now: datetime) -> int:
        """Store many repositories, all or none; return how many.

        What was closed after ``now``, when GitHub was asked, stays closed.
        """
        rows = [_repository_row(one, now) for one in seen]
        if not rows:
            return 0
        insert = self._database.insert(repository)
        new = insert.excluded
        changed: dict[str, Any] = {
            column.name: new[column.name] for column in repository.c if column.name != "id"
        }
        # Evidence and documents name no installation: keep the one that we know.
        changed["installation_id"] = func.coalesce(
            new.installation_id, repository.c.installation_id
        )
        asked, known = literal(now, InstantColumn), repository.c
        changed["private"] = or_(new.private, and_(known.private, known.seen_at > asked))
        changed["removed_at"] = case(
            (known.removed_at > asked, known.removed_at), else_=new.removed_at
        )
        changed["seen_at"] = case((known.seen_at > asked, known.seen_at), else_=new.seen_at)
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

    def made_private(self, repository_id: int, *, now: datetime) -> bool:
        """Store that a repository is private; ``False``: it is not known."""
        change = update(repository).where(repository.c.id == repository_id)
        return self._database.execute(change.values(private=True, seen_at=now)) == 1

    def repositories_removed(
        self, repository_ids: Iterable[int], *, now: datetime, of: int | None = None
    ) -> int:
        """Store that repositories were deleted or removed; return how many.

        ``of``: only from this installation, and not those that another one reaches now.
        """
        count = 0
        with self._database.write() as connection:
            for chunk in chunks(repository_ids):
                change = update(repository).where(repository.c.id.in_(chunk))
                if of is not None:
                    change = change.where(repository.c.installation_id == of)
                count += connection.execute(change.values(removed_at=now)).rowcount
        return count

    def repository(self, repository_id: int) -> Repository | None:
        """Return a repository, removed or not; ``None``: unknown."""
        query = select(repository).where(repository.c.id == repository_id)
        row = self._database.first(query)
        return None if row is None else struct_of(Repository, row)

    def find(self, full_name: str) -> Repository | None:
        """Return the repository that has this ``owner/name`` now, in any case of letters.

        If a name passed from one repository to another, the repository seen last counts.
        ``None``: no repository has it, removed ones left out.
        """
        with self._database.read() as connection:
            row = row_of_name(connection, self._database, full_name)
        return None if row is None else struct_of(Repository, row)

    def repositories(self, installation_id: int | None = None) -> tuple[Repository, ...]:
        """Return the repositories of one installation or all, by name, without removed ones."""
        query = select(repository).where(repository.c.removed_at.is_(None))
        if installation_id is not None:
            query = query.where(repository.c.installation_id == installation_id)
        query = query.order_by(repository.c.full_name_lower, repository.c.id)
        return tuple(struct_of(Repository, row) for row in self._database.rows(query))

    def _change(self, installation_id: int, values: dict[str, Any]) -> bool:
        change = update(installation).where(installation.c.id == installation_id).values(values)
        return self._database.execute(change) == 1


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _encoded(permissions: dict[str, str]) -> str:
    return msgspec.json.encode(permissions, order="sorted").decode()


def _former_names(connection: Connection, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the names that repositories lose when these rows are written."""
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
    return msgspec.structs.asdict(seen) | {
        "owner": clean(seen.owner),
        "name": clean(seen.name),
        "full_name_lower": clean(seen.full_name).lower(),
        "seen_at": now,
    }


def _to_installation(row: Row[Any]) -> Installation:
    return struct_of(Installation, row, permissions=msgspec.json.decode(row.permissions))


def row_of_name(connection: Connection, database: Database, full_name: str) -> Row[Any] | None:
    """Return the row of `InstallationTable.find`, in the caller's transaction."""
    query = database.once("repository of a name", _of_name)
    return connection.execute(query, {"name": clean(full_name).lower()}).first()


def _of_name() -> Select[Any]:
    columns = repository.c
    return (
        select(repository)
        .where(
            columns.full_name_lower == bindparam("name", type_=Text), columns.removed_at.is_(None)
        )
        .order_by(columns.seen_at.desc(), columns.id.desc())
        .limit(1)
    )
