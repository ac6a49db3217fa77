"""The rows of OpenCode's database as lines, one for each tool call. It judges none of them.

The database is opened read-only, because OpenCode may be writing to it.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import msgspec

SIGN = b"SQLite format 3\0"
"""The first bytes of every SQLite database: https://www.sqlite.org/fileformat.html"""

_TOOL_CALLS = """
SELECT part.id, part.session_id, session.directory, part.data
FROM part LEFT JOIN session ON session.id = part.session_id
WHERE instr(part.data, '"tool"') > 0
ORDER BY part.id
"""


def rows(path: Path) -> Iterator[bytes]:
    """Yield each part that may be a tool call, with its agent session and working directory.

    Raises `OSError` if the file is not a readable database of OpenCode.
    """
    import sqlite3  # noqa: PLC0415 - files of other agents do not need it

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
    """Return a row in the form of a single part on disk."""
    beside = msgspec.json.encode({"id": number, "sessionID": agent_session, "directory": directory})
    text = data.encode() if isinstance(data, str) else data
    # The row's own columns come last: if a name occurs twice, the last one counts.
    return text.rstrip().removesuffix(b"}") + b"," + beside.removeprefix(b"{")
