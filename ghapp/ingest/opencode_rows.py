"""The rows of OpenCode's databases as lines, for calls and for tokens. It judges none of them.

The database is opened read-only, because OpenCode may be writing to it. An upgraded one holds two
generations of tables; the older one comes first.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

if TYPE_CHECKING:
    import sqlite3

SIGN = b"SQLite format 3\0"
"""The first bytes of every SQLite database: https://www.sqlite.org/fileformat.html"""

_PARTS = """
SELECT part.id, part.session_id, {directory}, {version}, {model}, part.data
FROM part {joins}
WHERE instr(part.data, '"tool"') > 0
ORDER BY part.id
"""
_MESSAGES = """
SELECT session_message.id, session_message.session_id, {directory}, {version}, NULL,
       session_message.data
FROM session_message {joins}
WHERE instr(session_message.data, '"tool"') > 0
ORDER BY session_message.time_created, session_message.id
"""
_ANSWERS = """
SELECT {table}.id, {table}.session_id, {directory}, {version}, {table}.data
FROM {table} {joins}
WHERE instr({table}.data, '"tokens"') > 0
ORDER BY {table}.id
"""
_CONVERSATION = """
SELECT part.data, message.data FROM part JOIN message ON message.id = part.message_id
WHERE part.session_id = ? ORDER BY part.id
"""
_NEWER_CONVERSATION = """
SELECT data, NULL FROM session_message WHERE session_id = ? ORDER BY time_created, id
"""
_MODEL = "CASE WHEN json_valid(message.data) THEN json_extract(message.data, '$.modelID') END"

_BESIDE = ("id", "sessionID", "directory", "version", "modelID")
"""What a row's other columns are called beside its data; the model of an answer is in its data."""

_Columns = dict[str, set[str]]
"""Table → its columns."""


def rows(path: Path) -> Iterator[bytes]:
    """Yield each row that may hold a tool call, with its agent session and working directory.

    Raises `OSError` if the file is not a readable database of OpenCode.
    """
    return _asked(path, _queries)


def answers(path: Path) -> Iterator[bytes]:
    """Yield each message that tells tokens, like `rows`. Of an upgraded database both copies."""
    return _asked(path, _answer_queries)


def conversation(path: Path, agent_session: str) -> Iterator[bytes]:
    """Yield each part of an agent session's messages in their order, as an export has it.

    Raises `OSError` if the file is not a readable database of OpenCode.
    """
    with _opened(path) as database:
        columns = _columns(database)
        newer = "session_message" in columns
        has_parts = "message_id" in columns.get("part", set()) and "message" in columns
        for query in ([_CONVERSATION] if has_parts else []) + [_NEWER_CONVERSATION] * newer:
            for part, info in database.execute(query, (agent_session,)):
                told = part.strip() if info is None else f'{{"info":{info},"parts":[{part}]}}'
                yield told.replace("\n", " ").encode()


def _asked(path: Path, queries: Callable[[_Columns], list[str]]) -> Iterator[bytes]:
    with _opened(path) as database:
        for query in queries(_columns(database)):
            for *beside, data in database.execute(query):
                yield _as_line(dict(zip(_BESIDE, beside, strict=False)), data)


@contextmanager
def _opened(path: Path) -> "Iterator[sqlite3.Connection]":
    """Lend a database for reading. Raises `OSError` if it is not OpenCode's, also at a query."""
    import sqlite3  # noqa: PLC0415 - files of other agents do not need it

    try:
        database = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        # A text that is not UTF-8 spoils its own row only.
        database.text_factory = lambda text: text.decode(errors="replace")
        try:
            yield database
        finally:
            database.close()
    except sqlite3.Error as problem:
        raise OSError(
            None, f"not OpenCode's database as we know it: {problem}", str(path)
        ) from None


def _columns(database: "sqlite3.Connection") -> _Columns:
    """Return the columns of the tables that hold calls, as far as there are such tables."""
    found: _Columns = {}
    for table in ("session", "message", "part", "session_v2", "session_message"):
        columns = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
        if columns:
            found[table] = columns
    return found


def _queries(columns: _Columns) -> list[str]:
    """Return what to ask, the older generation first. A database without tables is asked too."""
    sessions = "session_v2" if "session_v2" in columns else "session"
    messages = [_query(_MESSAGES, "session_message", sessions, columns)]
    if "session_message" not in columns:
        messages = []
    if "part" not in columns and messages:
        return messages
    return [_query(_PARTS, "part", "session", columns), *messages]


def _answer_queries(columns: _Columns) -> list[str]:
    newer = "session_v2" if "session_v2" in columns else "session"
    tables = {"message": "session", "session_message": newer}
    return [
        _query(_ANSWERS, table, sessions, columns)
        for table, sessions in tables.items()
        if {"id", "session_id", "data"} <= columns.get(table, set())
    ]


def _query(query: str, table: str, sessions: str, columns: _Columns) -> str:
    """Return a query with the columns that this version of the database has."""
    of_session = columns.get(sessions, set())
    joins = [f"LEFT JOIN {sessions} ON {sessions}.id = {table}.session_id"] if of_session else []
    has_model = {"id", "data"} <= columns.get("message", set()) and (
        table == "part" and "message_id" in columns.get(table, set())
    )
    if has_model:
        joins.append("LEFT JOIN message ON message.id = part.message_id")
    named = {
        name: f"{sessions}.{name}" if name in of_session else "NULL"
        for name in ("directory", "version")
    }
    return query.format(
        **named, table=table, model=_MODEL if has_model else "NULL", joins=" ".join(joins)
    )


def _as_line(beside: dict[str, str | None], data: str | bytes) -> bytes:
    """Return a row in the form of a single part on disk."""
    text = data.encode() if isinstance(data, str) else data
    # The row's own columns come last: if a name occurs twice, the last one counts.
    packed = msgspec.json.encode(beside)
    return text.rstrip().removesuffix(b"}") + b"," + packed.removeprefix(b"{")
