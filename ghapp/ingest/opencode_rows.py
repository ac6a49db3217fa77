"""The rows of OpenCode's database as lines, one tool call each. It judges none of them.

The database is opened for reading only, while OpenCode may be writing to it.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import msgspec

SIGN = b"SQLite format 3\0"
"""What every database of SQLite begins with."""

_TOOL_CALLS = """
SELECT part.id, part.session_id, session.directory, part.data
FROM part LEFT JOIN session ON session.id = part.session_id
WHERE instr(part.data, '"tool"') > 0
ORDER BY part.id
"""


def rows(path: Path) -> Iterator[bytes]:
    """Yield each part that may be a tool call, with its agent session and working directory.

    Raises `OSError` where the file is no database of OpenCode's that can be read.
    """
    import sqlite3  # noqa: PLC0415 - only here, and other agents' files need none of it

    try:
        database = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        try:
            for number, agent_session, directory, data in database.execute(_TOOL_CALLS):
                yield _as_line(number, agent_session, directory, data)
        finally:
            database.close()
    except sqlite3.Error as problem:
        raise OSError(
            None, f"not OpenCode's database as we know it: {problem}", str(path)
        ) from None


def _as_line(number: str, agent_session: str, directory: str | None, data: str | bytes) -> bytes:
    """Return a row in the form that single parts have on disk."""
    beside = msgspec.json.encode({"id": number, "sessionID": agent_session, "directory": directory})
    text = data.encode() if isinstance(data, str) else data
    # The row's own columns come last: of a name that stands twice the last one counts.
    return text.rstrip().removesuffix(b"}") + b"," + beside.removeprefix(b"{")
