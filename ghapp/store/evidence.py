"""Edits as packed rows, stored once each, found by time and file name, deleted.

An edit is stored once for each repository it belongs to, and for each sender: nobody can change
what somebody else sent, and what a repository carries changes nothing that was sent (rules.md
2.8). It belongs to a repository, not to an installation: a fork and its origin under one
installation may both need the same edit, and a repository that moves to another installation
keeps its evidence.
"""

import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    delete,
    func,
    or_,
    select,
    update,
)

from ghapp.attribution.identity import EditName, is_drawn, own_digest
from ghapp.attribution.model import Edit, EditHunk, EditLines, EditResult, LineFingerprint, Struct
from ghapp.attribution.paths import folded, is_absolute
from ghapp.store.audits import AuditTable, SavedAudit
from ghapp.store.database import Database
from ghapp.store.erasures import ErasedBy
from ghapp.store.rows import chunks, clean
from ghapp.store.schema import edit_batch, erasure, to_microseconds
from ghapp.store.summaries import activity, tally
from ghapp.store.work_items import WorkRequest, WorkTable

BATCH = 2000
"""Edits in one transaction of `EvidenceTable.add`. It limits the memory, and how long other
writers wait for SQLite: about 0.1 s for 2,000 edits of 50 lines."""

EXPIRE_BATCH = 10_000
"""Rows deleted in one transaction, for the same reason."""


class EvidenceAdded(Struct, frozen=True):
    """What `EvidenceTable.add` did; the three counts add up to the edits it got."""

    added: int = 0
    already_known: int = 0
    replaced: int = 0
    """Known before as a copy of lower rank; see `EvidenceTable.add`."""
    due_again: frozenset[int] = frozenset()
    """Pull requests whose audit was enqueued again."""


Again = Callable[[SavedAudit], WorkRequest]
"""Takes an audit whose window holds new evidence; returns the work to enqueue for it."""


class EditSender(Struct, frozen=True):
    """Who sent edits, and which key made their fingerprints."""

    key_id: str | None = None
    """``None``: the edits are text, or the key is the installation's first one."""
    actor_id: int | None = None
    """GitHub's number of the developer; ``None``: not known."""
    carried: bool = False
    """The repository itself carries the edits: whose they are, nobody has proved."""


class EvidenceHeld(Struct, frozen=True):
    """The amount of evidence of a repository."""

    edits: int
    first: datetime | None
    """``None``: no evidence."""
    last: datetime | None
    actors: int
    """Developers with a known login."""


class EvidenceTable:
    """The edits of all repositories."""

    def __init__(self, database: Database, audits: AuditTable, work: WorkTable) -> None:
        self._database = database
        self._audits = audits
        self._work = work

    def add(
        self,
        repository_id: int,
        edits: Iterable[Edit],
        *,
        now: datetime,
        again: Again | None = None,
        sender: EditSender | None = None,
    ) -> EvidenceAdded:
        """Store edits of a repository, each once for each sender, however often it is sent.

        Copies of an edit have its agent, id, time, path and own lines in common. The same one
        stays in whatever order they arrive (`preference`). The repository's own copy of an edit
        that somebody sent is not stored, and gives way if it came first.
        The same transaction enqueues what ``again`` returns for each audit whose window holds a
        new edit; ``None``: nothing.

        Edits are stored in batches, each completely or not at all; after a failure all of them
        can be sent again. Raises `DatabaseUnavailable`.
        """
        total = EvidenceAdded()
        for batch in chunks(edits, BATCH):
            done = self.add_batch((repository_id,), batch, now=now, again=again, sender=sender)
            total = EvidenceAdded(
                added=total.added + done.added,
                already_known=total.already_known + done.already_known,
                replaced=total.replaced + done.replaced,
                due_again=total.due_again | done.due_again,
            )
        return total

    def add_batch(
        self,
        repository_ids: Sequence[int],
        batch: Collection[Edit],
        *,
        now: datetime,
        again: Again | None = None,
        sender: EditSender | None = None,
    ) -> EvidenceAdded:
        """Store edits in each of these repositories, all or none, as `add` does.

        An edit counts as added if it is new to one of the repositories.
        """
        # Packing takes longer than writing, so do it before the transaction begins.
        rows = _pack_once(batch, sender or EditSender())
        added: set[_Key] = set()
        replaced: set[_Key] = set()
        reached: list[SavedAudit] = []
        with self._database.write() as connection:
            # Always in one order: two callers with the same repositories cannot deadlock.
            for repository_id in sorted(repository_ids):
                self._database.lock(connection, f"evidence:{repository_id}")
                new, better = _sift(connection, repository_id, rows)
                days = activity.days_of_copies(connection, repository_id, better)
                self._insert(connection, new)
                _replace(connection, better)
                activity.note(connection, self._database, new)
                activity.note_again(connection, self._database, days)
                added.update(map(_key, new))
                replaced.update(map(_key, better))
                if again is not None:
                    times = [row["at"] for row in (*new, *better)]
                    reached += self._audits.reached_within(connection, repository_id, times)
            if again is not None:
                self._work.enqueue_all_within(connection, [again(one) for one in reached], now)
        replaced -= added
        return EvidenceAdded(
            added=len(added),
            already_known=len(batch) - len(added) - len(replaced),
            replaced=len(replaced),
            due_again=frozenset(one.pull_request for one in reached),
        )

    def of(
        self,
        repository_id: int,
        since: datetime,
        until: datetime,
        *,
        paths: Iterable[str] | None = None,
    ) -> tuple[Edit, ...]:
        """Return a repository's edits from ``since`` to ``until``, inclusive, by time, then id.

        ``paths``: only edits of files with the same name as one of these; directories are
        ignored, because an edit's path may be absolute. ``None``: all files. Edits with any
        result are returned, applied or not.
        """
        query = (
            select(edit_batch)
            .where(edit_batch.c.repository_id == repository_id)
            .where(edit_batch.c.at.between(since, until))
        )
        with self._database.read() as connection:
            found = [
                row for chosen in _by_basename(query, paths) for row in connection.execute(chosen)
            ]
        found.sort(key=lambda row: (row.at, row.edit_id, row.path, row.own_digest, row.actor or ""))
        return tuple(map(_from_row, found))

    def state(self, repository_id: int, since: datetime, until: datetime) -> tuple[int, ...]:
        """Return numbers that change when evidence of that time is added or replaced.

        It waits until no other process adds evidence of the repository. So evidence that these
        numbers do not include will find every audit that was saved before this call.
        """
        columns = edit_batch.c
        query = select(
            func.count(),
            func.coalesce(func.max(columns.id), 0),
            func.coalesce(func.sum(columns.own_lines), 0),
            func.coalesce(func.sum(func.length(columns.lines)), 0),
            func.coalesce(func.sum(func.length(columns.outcome)), 0),
        ).where(columns.repository_id == repository_id, columns.at.between(since, until))
        with self._database.write() as connection:
            self._database.lock(connection, f"evidence:{repository_id}")
            return tuple(int(value) for value in connection.execute(query).one())

    def held(self, repository_id: int) -> EvidenceHeld:
        """Return how much evidence a repository has."""
        query = select(
            func.count(),
            func.min(edit_batch.c.at),
            func.max(edit_batch.c.at),
            func.count(edit_batch.c.actor.distinct()),
        ).where(edit_batch.c.repository_id == repository_id)
        ((edits, first, last, actors),) = self._database.rows(query)
        return EvidenceHeld(edits=edits, first=first, last=last, actors=actors)

    def held_of(self, scope: "ErasureScope") -> tuple[int, datetime | None]:
        """Return how many edits of a developer are kept, and the time of the last; ``None``: none.

        ``scope`` names whose, and where.
        """
        query = select(func.count(), func.max(edit_batch.c.at)).where(*scope.conditions())
        ((edits, last),) = self._database.rows(query)
        return edits, last

    def other_keys(
        self, repository_id: int, since: datetime, until: datetime, present: str | None
    ) -> dict[EditName, str | None]:
        """Return the edits whose fingerprints were made with another key than ``present``.

        Maps the edit's name to its key; `EditSender.key_id` says what ``None`` means.
        """
        columns = edit_batch.c
        is_other = (
            columns.key_id.is_not(None)
            if present is None
            else or_(columns.key_id.is_(None), columns.key_id != present)
        )
        query = select(columns.edit_id, columns.at, columns.path, columns.key_id).where(
            columns.repository_id == repository_id,
            columns.at.between(since, until),
            columns.encoding == "fingerprint",
            is_other,
        )
        return {(row.edit_id, row.at, row.path): row.key_id for row in self._database.rows(query)}

    def erase(self, scope: "ErasureScope", by: ErasedBy, *, now: datetime) -> int:
        """Delete a developer's edits, record the erasure, and return how many.

        The summaries follow: erased edits no longer count as activity. If an administrator
        erases a whole person, the person's pull requests lose their author, too.
        """
        chosen = list(scope.conditions())
        found = (
            select(
                *(edit_batch.c.repository_id, func.count().label("edits")),
                *(
                    func.min(edit_batch.c.at).label("first"),
                    func.max(edit_batch.c.at).label("last"),
                ),
            )
            .where(*chosen)
            .group_by(edit_batch.c.repository_id)
        )
        with self._database.write() as connection:
            rows = [
                {
                    "repository_id": row.repository_id,
                    "edits": row.edits,
                    "first_at": row.first,
                    "last_at": row.last,
                    "erased_by": by.value,
                    "erased_at": now,
                }
                for row in connection.execute(found)
            ]
            if rows:
                days = activity.days(connection, chosen)
                connection.execute(delete(edit_batch).where(*chosen))
                connection.execute(self._database.insert(erasure), rows)
                activity.note_again(connection, self._database, days)
            if scope.is_everything:
                activity.forget(connection, clean(scope.login).lower())
                if by is ErasedBy.ADMINISTRATOR:
                    tally.forget_author(connection, self._database, scope.login)
        return sum(row["edits"] for row in rows)

    def expire(self, before: datetime) -> int:
        """Delete all edits made before that instant; return how many."""
        old = select(edit_batch.c.id).where(edit_batch.c.at < before).limit(EXPIRE_BATCH)
        query = delete(edit_batch).where(edit_batch.c.id.in_(old.correlate(None).scalar_subquery()))
        total = 0
        while True:
            count = self._database.execute(query)
            total += count
            if count < EXPIRE_BATCH:
                return total

    def _insert(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        if self._database.is_sqlite:
            connection.execute(self._database.insert(edit_batch), rows)
        else:
            _copy(connection, rows)


class ErasureScope(Struct, frozen=True):
    """Which edits of a developer to erase: all, or some."""

    login: str
    """In any case of letters."""
    user_id: int | None = None
    """GitHub's number, which also finds edits sent under a former login; ``None``: not known."""
    repository_ids: tuple[int, ...] | None = None
    """``None``: all repositories."""
    paths: tuple[str, ...] = ()
    """Files, or directories with everything below; empty: all."""
    edit_ids: tuple[str, ...] = ()
    """Empty: all."""

    @property
    def is_everything(self) -> bool:
        """Return whether the scope is all edits of the developer."""
        return self.repository_ids is None and not self.paths and not self.edit_ids

    def conditions(self) -> Iterator[Any]:
        """Yield the conditions that an edit has to meet."""
        columns = edit_batch.c
        # A login can pass to another person: if the number is known, only the number counts.
        named = func.lower(columns.actor) == clean(self.login).lower()
        if self.user_id is None:
            yield named
        else:
            yield or_(columns.actor_id == self.user_id, and_(columns.actor_id.is_(None), named))
        if self.repository_ids is not None:
            yield columns.repository_id.in_(self.repository_ids)
        if self.paths:
            yield _at_or_below(self.paths)
        if self.edit_ids:
            yield columns.edit_id.in_([clean(one) for one in self.edit_ids])


def _at_or_below(paths: Iterable[str]) -> Any:
    """Return the condition that an edit is of one of these files, or below one of these folders.

    One term for each path: SQLite takes at most 1,000 in a row.
    https://sqlite.org/limits.html#max_expr_depth
    """
    column = edit_batch.c.path
    wholes = sorted({clean(path).rstrip("/") for path in paths})
    below = (column.startswith(f"{whole}/", autoescape=True) for whole in wholes)
    return or_(column.in_(wholes), *below)


# --- packing ----------------------------------------------------------------------------------

_ENCODER = msgspec.msgpack.Encoder()
_DECODERS: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "text": msgspec.msgpack.Decoder(EditLines[str]),
    "fingerprint": msgspec.msgpack.Decoder(EditLines[LineFingerprint]),
}


def pack(lines: EditLines[str] | EditLines[LineFingerprint]) -> tuple[str, bytes]:
    """Return the encoding, ``text`` or ``fingerprint``, and the lines as MessagePack in zlib."""
    try:
        raw = _ENCODER.encode(lines)
    except UnicodeEncodeError:
        # Half a surrogate pair: a transcript can contain one, UTF-8 cannot.
        raw = _ENCODER.encode(_clean_lines(lines))
    return _encoding(lines), zlib.compress(raw, 1)


def unpack(encoding: str, packed: bytes) -> EditLines[str] | EditLines[LineFingerprint]:
    """Return the lines that `pack` packed."""
    lines: EditLines[str] | EditLines[LineFingerprint] = _DECODERS[encoding].decode(
        zlib.decompress(packed)
    )
    return lines


def _encoding(lines: EditLines[str] | EditLines[LineFingerprint]) -> str:
    for line in _each_line(lines):
        return "text" if isinstance(line, str) else "fingerprint"
    return "text"


def _each_line(lines: EditLines[Any]) -> Iterator[Any]:
    for hunk in lines.hunks:
        yield from hunk.own
        yield from hunk.before
        yield from hunk.after
    yield from lines.removed


def _clean_lines(lines: EditLines[Any]) -> EditLines[str]:
    def cleaned(some: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(clean, some))

    return EditLines(
        hunks=tuple(
            EditHunk(before=cleaned(hunk.before), own=cleaned(hunk.own), after=cleaned(hunk.after))
            for hunk in lines.hunks
        ),
        removed=cleaned(lines.removed),
    )


# --- rows -------------------------------------------------------------------------------------


_Key = tuple[Any, ...]


def _pack_once(edits: Iterable[Edit], sender: EditSender) -> list[dict[str, Any]]:
    """Return a row for each edit, the copies of the best rank first."""
    return sorted((_to_row(edit, sender) for edit in edits), key=_rank)


def _key(row: Mapping[str, Any]) -> _Key:
    """Return what tells the rows of one batch apart."""
    return row["agent"], row["edit_id"], row["at"], row["path"], row["own_digest"], row["actor"]


def _rank(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the sort key of copies of an edit: the smallest one stays.

    A path inside the repository says more than an absolute path on a developer's disk.
    """
    return (
        row["carried"],
        row["outcome"] != EditResult.APPLIED,
        row["outcome"] == EditResult.UNANSWERED,
        row["path"].startswith(("/", "~")),
        row["at"],
        row["agent_session"],
        row["model"] is None,
        row["agent_version"] is None,
        row["path"],
        row["outcome"],
        row["tool"],
    )


_KNOWN = (
    *("id", "edit_id", "agent", "agent_session", "at", "path", "outcome", "tool", "carried"),
    *("own_lines", "own_digest", "encoding", "key_id", "actor", "actor_id"),
    *("agent_version", "model"),
)


def _is_copy(row: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Return whether two rows with one id are one edit of one sender."""
    return (
        row["agent"] == known["agent"]
        and (row["at"] == known["at"] or is_drawn(row["edit_id"]))
        and _is_same_file(row["path"], known["path"])
        and _has_same_lines(row, known)
        and _has_same_sender(row, known)
    )


def _is_same_file(path: str, known: str) -> bool:
    """Return whether two paths name one file; one may be absolute, on a developer's disk."""
    longer, shorter = sorted((path, known), key=len, reverse=True)
    if path == known:
        return True
    return is_absolute(longer) and not is_absolute(shorter) and longer.endswith(f"/{shorter}")


def _has_same_lines(row: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Return whether own lines are equal; of two keys or encodings only their number tells."""
    if (row["encoding"], row["key_id"]) == (known["encoding"], known["key_id"]):
        return bool(row["own_digest"] == known["own_digest"])
    return bool(row["own_lines"] == known["own_lines"])


def _has_same_sender(row: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Return whether one person sent both; an unknown sender, or the repository, may be anyone."""
    if row["carried"] or known["carried"]:
        return True
    if row["actor_id"] is not None and known["actor_id"] is not None:
        return bool(row["actor_id"] == known["actor_id"])
    if row["actor"] is None or known["actor"] is None:
        return True
    return bool(row["actor"].lower() == known["actor"].lower())


def _to_row(edit: Edit, sender: EditSender) -> dict[str, Any]:
    encoding, packed = pack(edit.lines)
    path = clean(edit.path)
    return {
        "edit_id": clean(edit.id),
        "agent": clean(edit.agent),
        "agent_session": clean(edit.agent_session),
        "actor": clean(edit.actor),
        "path": path,
        "basename": _basename(path),
        "cwd": clean(edit.cwd),
        "at": edit.at,
        "tool": clean(edit.tool),
        "outcome": edit.outcome.value,
        "own_lines": sum(len(hunk.own) for hunk in edit.lines.hunks),
        "own_digest": own_digest(edit.lines),
        "encoding": encoding,
        "lines": packed,
        "key_id": sender.key_id if encoding == "fingerprint" else None,
        "actor_id": sender.actor_id,
        "agent_version": clean(edit.agent_version),
        "model": clean(edit.model),
        "carried": sender.carried,
    }


def _from_row(row: Row[Any]) -> Edit:
    return Edit(
        id=row.edit_id,
        agent=row.agent,
        agent_session=row.agent_session,
        at=row.at,
        path=row.path,
        outcome=EditResult(row.outcome),
        tool=row.tool,
        cwd=row.cwd,
        actor=row.actor,
        agent_version=row.agent_version,
        model=row.model,
        lines=unpack(row.encoding, row.lines),
    )


def _basename(path: str) -> str:
    """Return a file's name as every file system has it; it only finds edits."""
    return folded(path.rpartition("/")[2])


def _by_basename(query: Select[Any], paths: Iterable[str] | None) -> Iterator[Select[Any]]:
    if paths is None:
        yield query
        return
    for chunk in chunks(sorted({_basename(clean(path)) for path in paths})):
        yield query.where(edit_batch.c.basename.in_(chunk))


def _sift(
    connection: Connection, repository_id: int, rows: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the new rows, and the known ones as a better copy makes them."""
    known: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for chunk in chunks({row["edit_id"] for row in rows}):
        query = select(*(edit_batch.c[name] for name in _KNOWN)).where(
            edit_batch.c.repository_id == repository_id, edit_batch.c.edit_id.in_(chunk)
        )
        for stored in connection.execute(query).mappings():
            known[stored["edit_id"]].append(dict(stored))
    new: list[dict[str, Any]] = []
    better: dict[int, dict[str, Any]] = {}
    for row in rows:
        copies = [one for one in known[row["edit_id"]] if _is_copy(row, one)]
        if not copies:
            new.append({"repository_id": repository_id, **row})
            known[row["edit_id"]].append(new[-1])
            continue
        # Somebody's own copy before one whose sender is not known.
        one = min(copies, key=lambda copy: (copy["actor"] != row["actor"], _rank(copy)))
        merged = _merged(row, one)
        if merged is not None:
            one.update(merged)
            if "id" in one:
                better[one["id"]] = {"repository_id": repository_id, **one}
    return new, list(better.values())


def _merged(row: dict[str, Any], known: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a copy changes of a known row; ``None``: nothing.

    A copy without the developer's name does not remove the name that we know, and one that the
    repository carries changes nothing of what was sent.
    """
    if row["carried"] and not known["carried"]:
        return None
    named = {name: row[name] for name in ("actor", "actor_id")}
    if row["carried"]:
        # A commit's author proves nobody's name, so any name does; it must be the same one always.
        named["actor"] = min(filter(None, (row["actor"], known["actor"])), default=None)
    elif not known["carried"]:
        named = {name: known[name] if value is None else value for name, value in named.items()}
    if _rank(row) < _rank(known):
        return {**row, **named}
    return named if any(known[name] != value for name, value in named.items()) else None


def _replace(connection: Connection, better: list[dict[str, Any]]) -> None:
    for row in better:
        changed = {name: value for name, value in row.items() if name in _COPIED}
        connection.execute(update(edit_batch).where(edit_batch.c.id == row["id"]).values(**changed))


_COPIED = {
    "repository_id": "int8",
    "edit_id": "text",
    "agent": "text",
    "agent_session": "text",
    "actor": "text",
    "path": "text",
    "basename": "text",
    "cwd": "text",
    "at": "int8",
    "tool": "text",
    "outcome": "text",
    "own_lines": "int4",
    "own_digest": "bytea",
    "encoding": "text",
    "lines": "bytea",
    "key_id": "text",
    "actor_id": "int8",
    "agent_version": "text",
    "model": "text",
    "carried": "bool",
}


def _copy(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Write rows with PostgreSQL's COPY, which is several times as fast as INSERT.

    https://www.psycopg.org/psycopg3/docs/basic/copy.html#binary-copy
    """
    driver: Any = connection.connection.driver_connection
    names = ", ".join(f'"{name}"' for name in _COPIED)
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY edit_batch ({names}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(list(_COPIED.values()))
        for row in rows:
            copy.write_row([*({**row, "at": to_microseconds(row["at"])}[name] for name in _COPIED)])
