"""Edits as packed rows, one a tool call: kept, found by time and file name, forgotten.

An edit is kept once for each repository it belongs to. Its key is repository and tool call,
not installation and tool call: a fork and its origin under one installation may both need
the same edit, and a repository that moves to another installation keeps its evidence.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, Text, bindparam, delete, func, select, update

from ghapp.attribution.model import Edit, EditHunk, LineFingerprint, Lines, Outcome, Struct
from ghapp.store.audits import Audits, SavedAudit
from ghapp.store.database import Database
from ghapp.store.due import Due, DueTable
from ghapp.store.rows import chunks, clean
from ghapp.store.schema import edit_batch, to_microseconds

BATCH = 2000
"""Edits in one transaction of `EvidenceTable.add`: bounds the memory, and how long other writers
wait for SQLite (about a tenth of a second for 2,000 edits of 50 lines)."""

EXPIRE_BATCH = 10_000
"""Rows that are deleted in one transaction, for the same reason."""


class EvidenceAdded(Struct, frozen=True):
    """What `EvidenceTable.add` did with the edits; the three counts are all of them."""

    added: int = 0
    already_known: int = 0
    replaced: int = 0
    """Known before in a copy of lower rank; see `EvidenceTable.add`."""
    due_again: frozenset[int] = frozenset()
    """Pull requests whose audit was made due again."""


Again = Callable[[SavedAudit], Due]
"""Asked with an audit that new evidence reaches; says what becomes due for it."""


class EvidenceHeld(Struct, frozen=True):
    """How much evidence a repository has."""

    edits: int
    first: datetime | None
    """``None``: there is none."""
    last: datetime | None
    actors: int
    """Developers known by login."""


class EvidenceTable:
    """The edits of all repositories."""

    def __init__(self, database: Database, audits: Audits, due: DueTable) -> None:
        self._database = database
        self._audits = audits
        self._due = due

    def add(
        self,
        repository_id: int,
        edits: Iterable[Edit],
        *,
        now: datetime,
        again: Again | None = None,
    ) -> EvidenceAdded:
        """Keep edits of a repository, each once by its id, however often it is sent.

        Of two copies of an edit that differ the same one stays, in whatever order they come:
        applied before not applied, answered before unanswered, then the one that claims fewer
        lines, then the earlier one. What ``again`` says of the audits whose window holds an
        edit that is new becomes due together with it; ``None``: nothing does.

        Edits are kept in batches, each whole or not at all; after a failure all of them can
        be sent again. Raises `DatabaseUnavailable`.
        """
        total = EvidenceAdded()
        for batch in chunks(edits, BATCH):
            done = self._add_batch(repository_id, batch, now, again)
            total = EvidenceAdded(
                added=total.added + done.added,
                already_known=total.already_known + done.already_known,
                replaced=total.replaced + done.replaced,
                due_again=total.due_again | done.due_again,
            )
        return total

    def _add_batch(
        self, repository_id: int, batch: list[Edit], now: datetime, again: Again | None
    ) -> EvidenceAdded:
        # Packing takes longer than writing: nobody waits for the database meanwhile.
        rows = _pack_once(repository_id, batch)
        reached: tuple[SavedAudit, ...] = ()
        with self._database.write() as connection:
            self._database.lock(connection, f"evidence:{repository_id}")
            new, better = _sift(connection, repository_id, rows)
            self._insert(connection, new)
            _replace(connection, better)
            if again is not None:
                times = [row["at"] for row in (*new, *better)]
                reached = self._audits.reached_within(connection, repository_id, times)
                for one in reached:
                    self._due.schedule_within(connection, again(one), now)
        return EvidenceAdded(
            added=len(new),
            already_known=len(batch) - len(new) - len(better),
            replaced=len(better),
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
        """Return a repository's edits from ``since`` to ``until``, both included.

        ``paths`` keeps the edits of files that are named like one of these (last part of the
        path only, because an edit's path may be absolute); ``None``: all of them. In order of
        time, then id. All outcomes are among them.
        """
        query = (
            select(edit_batch)
            .where(edit_batch.c.repository_id == repository_id)
            .where(edit_batch.c.at.between(since, until))
        )
        found: list[Edit] = []
        with self._database.read() as connection:
            for chosen in _by_basename(query, paths):
                found.extend(_from_row(row) for row in connection.execute(chosen))
        return tuple(sorted(found, key=lambda edit: (edit.at, edit.id)))

    def state(self, repository_id: int, since: datetime, until: datetime) -> tuple[int, ...]:
        """Return numbers that change when evidence of that time comes in or is replaced.

        It waits for whoever is adding evidence of the repository, so that what is not in the
        numbers yet will find every audit that was saved before the question.
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
        with self._database.read() as connection:
            edits, first, last, actors = connection.execute(query).one()
        return EvidenceHeld(edits=edits, first=first, last=last, actors=actors)

    def forget(self, actor: str) -> int:
        """Delete all edits of a developer by GitHub login, in any case; return how many."""
        query = delete(edit_batch).where(func.lower(edit_batch.c.actor) == clean(actor).lower())
        with self._database.write() as connection:
            return connection.execute(query).rowcount

    def expire(self, before: datetime) -> int:
        """Delete all edits that were made before that instant; return how many."""
        old = select(edit_batch.c.id).where(edit_batch.c.at < before).limit(EXPIRE_BATCH)
        query = delete(edit_batch).where(edit_batch.c.id.in_(old.correlate(None).scalar_subquery()))
        total = 0
        while True:
            with self._database.write() as connection:
                count = connection.execute(query).rowcount
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


# --- packing ----------------------------------------------------------------------------------

_ENCODER = msgspec.msgpack.Encoder()
_DECODERS: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "text": msgspec.msgpack.Decoder(Lines[str]),
    "fingerprint": msgspec.msgpack.Decoder(Lines[LineFingerprint]),
}


def pack(lines: Lines[str] | Lines[LineFingerprint]) -> tuple[str, bytes]:
    """Return the encoding, ``text`` or ``fingerprint``, and the packed lines.

    The bytes are MessagePack of the lines, compressed by zlib.
    """
    try:
        raw = _ENCODER.encode(lines)
    except UnicodeEncodeError:
        # Half a surrogate pair: a transcript can hold one, UTF-8 cannot.
        raw = _ENCODER.encode(_clean_lines(lines))
    return _encoding(lines), zlib.compress(raw, 1)


def unpack(encoding: str, packed: bytes) -> Lines[str] | Lines[LineFingerprint]:
    """Return the lines that `pack` packed."""
    lines: Lines[str] | Lines[LineFingerprint] = _DECODERS[encoding].decode(zlib.decompress(packed))
    return lines


def _encoding(lines: Lines[str] | Lines[LineFingerprint]) -> str:
    for line in _each_line(lines):
        return "text" if isinstance(line, str) else "fingerprint"
    return "text"


def _each_line(lines: Lines[Any]) -> Iterator[Any]:
    for hunk in lines.hunks:
        yield from hunk.own
        yield from hunk.before
        yield from hunk.after
    yield from lines.removed


def _clean_lines(lines: Lines[Any]) -> Lines[str]:
    def cleaned(some: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(clean, some))

    return Lines(
        hunks=tuple(
            EditHunk(before=cleaned(hunk.before), own=cleaned(hunk.own), after=cleaned(hunk.after))
            for hunk in lines.hunks
        ),
        removed=cleaned(lines.removed),
    )


# --- rows -------------------------------------------------------------------------------------


def _pack_once(repository_id: int, edits: list[Edit]) -> dict[str, dict[str, Any]]:
    """Return one row for each id: of several copies the one of the best rank."""
    rows: dict[str, dict[str, Any]] = {}
    for edit in edits:
        row = _to_row(repository_id, edit)
        known = rows.get(row["edit_id"])
        if known is None or _rank(row) < _rank(known):
            rows[row["edit_id"]] = row
    return rows


def _rank(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what copies of an edit are compared by: the smaller one stays.

    A path inside the repository says more than the same one on somebody's disk.
    """
    return (
        row["outcome"] != Outcome.APPLIED,
        row["outcome"] == Outcome.UNANSWERED,
        row["own_lines"],
        row["at"],
        row["agent_session"],
        row["path"].startswith(("/", "~")),
        row["path"],
    )


_RANKED = ("edit_id", "outcome", "own_lines", "at", "agent_session", "path")


def _to_row(repository_id: int, edit: Edit) -> dict[str, Any]:
    encoding, packed = pack(edit.lines)
    path = clean(edit.path)
    return {
        "repository_id": repository_id,
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
        "encoding": encoding,
        "lines": packed,
    }


def _from_row(row: Row[Any]) -> Edit:
    return Edit(
        id=row.edit_id,
        agent=row.agent,
        agent_session=row.agent_session,
        at=row.at,
        path=row.path,
        outcome=Outcome(row.outcome),
        tool=row.tool,
        cwd=row.cwd,
        actor=row.actor,
        lines=unpack(row.encoding, row.lines),
    )


def _basename(path: str) -> str:
    return path.rpartition("/")[2]


def _by_basename(query: Select[Any], paths: Iterable[str] | None) -> Iterator[Select[Any]]:
    if paths is None:
        yield query
        return
    for chunk in chunks(sorted({_basename(clean(path)) for path in paths})):
        yield query.where(edit_batch.c.basename.in_(chunk))


def _sift(
    connection: Connection, repository_id: int, rows: dict[str, dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows that are new, and those that are of better rank than the known copy."""
    known: dict[str, Mapping[str, Any]] = {}
    for chunk in chunks(rows):
        query = select(*(edit_batch.c[name] for name in _RANKED)).where(
            edit_batch.c.repository_id == repository_id, edit_batch.c.edit_id.in_(chunk)
        )
        known.update((row["edit_id"], dict(row)) for row in connection.execute(query).mappings())
    new = [row for edit_id, row in rows.items() if edit_id not in known]
    better = [
        row
        for edit_id, row in rows.items()
        if edit_id in known and _rank(row) < _rank(known[edit_id])
    ]
    return new, better


def _replace(connection: Connection, better: list[dict[str, Any]]) -> None:
    if not better:
        return
    replaced = [name for name in better[0] if name not in {"repository_id", "edit_id", "actor"}]
    change = (
        update(edit_batch)
        .where(edit_batch.c.repository_id == bindparam("of_repository_id"))
        .where(edit_batch.c.edit_id == bindparam("of_edit_id"))
        # A copy without its developer's name must not take away the name we know.
        .values(
            actor=func.coalesce(bindparam("of_actor", type_=Text), edit_batch.c.actor),
            **{name: bindparam(f"of_{name}") for name in replaced},
        )
    )
    values = [{f"of_{name}": value for name, value in row.items()} for row in better]
    connection.execute(change, values)


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
    "encoding": "text",
    "lines": "bytea",
}


def _copy(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Write rows by PostgreSQL's COPY: several times as fast as INSERT."""
    driver: Any = connection.connection.driver_connection
    names = ", ".join(f'"{name}"' for name in _COPIED)
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY edit_batch ({names}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(list(_COPIED.values()))
        for row in rows:
            copy.write_row([*({**row, "at": to_microseconds(row["at"])}[name] for name in _COPIED)])
