"""The rows of OpenCode's database as lines: read beside OpenCode, and never written to."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ghapp.ingest.opencode_rows import SIGN, answers, rows

TOOL = {"type": "tool", "tool": "write", "state": {"status": "completed"}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return an empty database of OpenCode, in a place whose name an address must escape."""
    made = tmp_path / "a ?%#folder" / "opencode.db"
    made.parent.mkdir()
    with closing(sqlite3.connect(made)) as database:
        database.execute("CREATE TABLE session (id TEXT, directory TEXT)")
        database.execute("CREATE TABLE part (id TEXT, session_id TEXT, data)")
        database.execute("INSERT INTO session VALUES ('s1', '/home/ann/shop')")
        database.commit()
    return made


def add(path: Path, name: str, data: Any, agent_session: str = "s1") -> None:
    with closing(sqlite3.connect(path)) as database:
        given = data if isinstance(data, str | bytes) else json.dumps(data, separators=(",", ":"))
        database.execute("INSERT INTO part VALUES (?, ?, ?)", (name, agent_session, given))
        database.commit()


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in rows(path)]


def test_a_tool_call_is_a_line_with_where_it_happened(path: Path) -> None:
    add(path, "p2", TOOL)
    add(path, "p1", json.dumps(TOOL).encode() + b" \n")
    where = {"sessionID": "s1", "directory": "/home/ann/shop", "version": None, "modelID": None}
    assert read(path) == [{**TOOL, "id": name, **where} for name in ("p1", "p2")]
    assert not any(b"\n" in line for line in rows(path))


def test_the_rows_own_columns_count(path: Path) -> None:
    add(path, "p1", {**TOOL, "id": "forged", "sessionID": "forged", "directory": "/forged"})
    (found,) = read(path)
    assert (found["id"], found["sessionID"], found["directory"]) == ("p1", "s1", "/home/ann/shop")


def test_what_is_no_tool_call_is_passed_over(path: Path) -> None:
    add(path, "p1", {"type": "text", "text": "hello"})
    assert read(path) == []


def test_an_agent_session_that_is_gone_leaves_no_directory(path: Path) -> None:
    add(path, "p1", TOOL, "gone")
    (found,) = read(path)
    assert (found["sessionID"], found["directory"]) == ("gone", None)


def test_a_database_that_opencode_writes_to_is_read_and_left_as_it_is(path: Path) -> None:
    add(path, "p1", TOOL)
    with closing(sqlite3.connect(path, isolation_level=None)) as writing:
        writing.execute("PRAGMA journal_mode = WAL")
        writing.execute("BEGIN IMMEDIATE")
        writing.execute("DELETE FROM part")
        before = path.read_bytes()
        assert len(read(path)) == 1
        assert path.read_bytes() == before
        writing.execute("ROLLBACK")
    assert path.read_bytes().startswith(SIGN)


@pytest.mark.parametrize("content", [b"", SIGN + b"half", b"text"])
def test_what_is_no_such_database_is_named(path: Path, content: bytes) -> None:
    other = path.with_name("other.db")
    other.write_bytes(content)
    with pytest.raises(OSError, match="not OpenCode's database") as problem:
        list(rows(other))
    assert problem.value.filename == str(other)


def test_a_file_that_is_not_there_is_not_made(path: Path) -> None:
    with pytest.raises(OSError, match="not OpenCode's database"):
        list(rows(path.with_name("none.db")))
    assert not path.with_name("none.db").exists()


def test_an_upgraded_database_gives_both_generations_the_older_first(path: Path) -> None:
    add(path, "p1", TOOL)
    message = {"content": [TOOL], "model": {"id": "m"}}
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE session_v2 (id TEXT, directory TEXT, version TEXT)")
        database.execute(
            "CREATE TABLE session_message (id TEXT, session_id TEXT, time_created INT, data TEXT)"
        )
        database.execute("INSERT INTO session_v2 VALUES ('s2', '/home/ann/app', '2.0.12')")
        told = json.dumps(message, separators=(",", ":"))
        database.execute("INSERT INTO session_message VALUES ('m1', 's2', 7, ?)", (told,))
        database.commit()
    older, newer = read(path)
    assert (older["id"], older["directory"]) == ("p1", "/home/ann/shop")
    where = {"sessionID": "s2", "directory": "/home/ann/app", "version": "2.0.12", "modelID": None}
    assert newer == {**message, "id": "m1", **where}


def test_a_text_that_is_not_utf_8_spoils_its_own_row_only(path: Path) -> None:
    add(path, "p1", TOOL)
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "INSERT INTO part VALUES ('p2', 's1', CAST(X'7B22746F6F6C223AFF7D' AS TEXT))"
        )
        database.commit()
    assert [b'"p1"' in line for line in rows(path)] == [True, False]


def test_messages_that_tell_tokens_keep_their_own_model(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE session (id, directory)")
        database.execute("INSERT INTO session VALUES ('s1', '/home/ann/shop')")
        database.execute("CREATE TABLE message (id, session_id, data)")
        told = {"role": "assistant", "modelID": "m", "tokens": {"input": 1}}
        for id_, data in (("m1", told), ("m2", {"role": "user"})):
            database.execute("INSERT INTO message VALUES (?, 's1', ?)", (id_, json.dumps(data)))
    [line] = answers(path)
    where = {"sessionID": "s1", "directory": "/home/ann/shop", "version": None}
    assert json.loads(line) == {**told, "id": "m1", **where}


def test_a_database_without_messages_tells_no_tokens(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE message (id)")
    assert list(answers(path)) == []
    path.write_bytes(SIGN + b"broken")
    with pytest.raises(OSError, match="not OpenCode's database"):
        list(answers(path))
