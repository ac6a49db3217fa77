"""A backup is put back, on both databases: every table as it was, and nothing half."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Column, Integer, NullPool, Table, create_engine, select, text

from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.cli.admin import command
from ghapp.keys.evidence import EvidenceKeys
from ghapp.keys.signing import RecordSigner
from ghapp.serve.running import RunningNote, findable, locked
from ghapp.store import (
    AccessDoor,
    AccessEntry,
    DatabaseState,
    Installation,
    NewToken,
    Repository,
    Store,
    TokenKind,
)
from ghapp.store.database import parse_url
from ghapp.store.migrations import configuration
from ghapp.store.schema import metadata
from ghapp.summaries.counts import PullFacts
from tests.databases import find_binaries, make_sqlite, new_database
from tests.store.records import NOW, document, edit, request

KEY = bytes(range(32))
SECRET = "ghapp_read_0123456789abcdef"
FILLED = frozenset(
    (
        *("repository", "edit_batch", "fingerprint_key", "work_item", "access_log", "access_token"),
        *("audit", "policy", "record", "record_head", "record_key", "pull_summary", "tally"),
    )
)


def run(url: str, *arguments: str) -> tuple[int, str]:
    environment = {"DATABASE_URL": url}
    done = CliRunner().invoke(command, arguments, env=environment)
    return done.exit_code, done.output


def rows(url: str) -> dict[str, list[Any]]:
    """Return everything that stands in the database, by table."""
    engine = create_engine(parse_url(url))
    try:
        with engine.connect() as connection:
            return {
                table.name: sorted(map(repr, connection.execute(select(table))))
                for table in metadata.sorted_tables
            }
    finally:
        engine.dispose()


def fill(url: str) -> None:
    """Keep something of each kind that cannot be had again."""
    with Store.open(url) as store:
        store.installations.seen(Installation(id=5, account="acme"), now=NOW)
        known = Repository(id=42, owner="acme", name="shop", installation_id=5)
        store.installations.repository_seen(known, now=NOW)
        EvidenceKeys(store, KEY).present(5, now=NOW)
        store.evidence.add(42, [edit("one", "one = 1")], now=NOW)
        store.records.keep_policy(CLAUDE_CODE_V1, now=NOW)
        about = PullFacts(author="ann", author_id=11)
        witness = RecordSigner(store, KEY).witness
        store.audits.save(42, 17, document(), now=NOW, about=about, witness=witness)
        token = NewToken(kind=TokenKind.READ, login="ann", user_id=11)
        store.tokens.issue(token, SECRET, now=NOW)
        store.work.enqueue(request(), now=NOW)
        looked = AccessEntry(who="login:ann", door=AccessDoor.PAGE, what="audit", repository_id=42)
        store.access_log.note(looked, now=NOW)


@pytest.fixture(params=["sqlite", "postgresql"])
def filled(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Return the address of a database of its own, since a restore replaces it as a whole."""
    if request.param == "sqlite":
        url = make_sqlite(f"sqlite:///{tmp_path / 'test.sqlite3'}")
        fill(url)
        yield url
        return
    # The programs of the server that the tests have started, where no others are installed.
    monkeypatch.setenv("PATH", str(find_binaries()), prepend=os.pathsep)
    server, template = (
        request.getfixturevalue(name) for name in ("postgresql", "migrated_postgresql")
    )
    with new_database(server, template) as url:
        fill(url)
        yield url


def spoil(url: str) -> None:
    """Delete and add, as somebody does who then wants the backup."""
    with Store.open(url) as store:
        store.evidence.expire(NOW + timedelta(days=1))
        store.work.enqueue(request(18), now=NOW)
        EvidenceKeys(store, KEY).rotate(5, now=NOW)


def test_every_table_comes_back_and_its_secrets_open(filled: str, tmp_path: Path) -> None:
    before, copy = rows(filled), tmp_path / "copy"
    assert {name for name, found in before.items() if found} >= FILLED
    assert run(filled, "backup", str(copy))[0] == 0
    assert copy.stat().st_mode & 0o777 == 0o600
    assert run(filled, "backup", str(copy))[0] == 1
    spoil(filled)
    assert rows(filled) != before
    assert run(filled, "restore", str(copy))[0] == 2
    status, said = run(filled, "restore", str(copy), "--yes")
    assert status == 0, said
    assert rows(filled) == before
    with Store.open(filled) as store:
        assert EvidenceKeys(store, KEY).present(5, now=NOW).id == "5-1"
        assert store.tokens.check(SECRET, TokenKind.READ, now=NOW) is not None
        assert store.audits.first_break(42) is None
        # And what numbers the database gives goes on after them.
        assert store.work.enqueue(request(19), now=NOW) == "new"


LATER = """
from alembic import op
import sqlalchemy as sa

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
"""


@pytest.fixture
def later_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Return what makes this program one with a further migration, which adds a table."""
    (tmp_path / "0002_later.py").write_text(LATER)
    today = configuration()
    places = [f"{today.get_main_option('script_location')}/versions", str(tmp_path)]
    today.set_main_option("version_locations", "\n".join(places))

    def upgrade_the_program() -> None:
        Table("later", metadata, Column("id", Integer, primary_key=True))
        monkeypatch.setattr("ghapp.store.migrations.configuration", lambda: today)

    yield upgrade_the_program
    metadata.remove(metadata.tables["later"])


def test_tables_that_are_younger_than_the_backup_are_made_again(
    filled: str, tmp_path: Path, later_version: Callable[[], None]
) -> None:
    copy = tmp_path / "copy"
    assert run(filled, "backup", str(copy))[0] == 0
    later_version()
    Store.open(filled).close()
    before = rows(filled)
    engine = create_engine(parse_url(filled), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO later (id) VALUES (1)"))
    status, said = run(filled, "restore", str(copy), "--yes")
    assert status == 0, said
    assert before["later"] == []
    assert rows(filled) == before


def test_a_damaged_backup_replaces_nothing(filled: str, tmp_path: Path) -> None:
    before, copy = rows(filled), tmp_path / "copy"
    assert run(filled, "backup", str(copy))[0] == 0
    whole = copy.read_bytes()
    for broken in (b"no database" * 1000, whole[: len(whole) // 2], b""):
        copy.write_bytes(broken)
        assert run(filled, "restore", str(copy), "--yes")[0] == 1
        assert rows(filled) == before


def test_another_apps_database_is_no_backup(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ours.db"
    fill(url)
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE thing (id INTEGER)")
    assert run(url, "restore", str(tmp_path / "other.db"), "--yes")[0] == 1
    with Store.open(url) as store:
        assert len(store.audits.all_of(42)) == 1


def test_a_damaged_database_can_be_replaced(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ours.db"
    fill(url)
    before, copy = rows(url), tmp_path / "copy"
    assert run(url, "backup", str(copy))[0] == 0
    (tmp_path / "ours.db").write_bytes(b"spoilt" * 1000)
    assert run(url, "restore", str(copy), "--yes")[0] == 0
    assert rows(url) == before


def test_where_nothing_is_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    assert run(f"sqlite:///{tmp_path}/none.db", "backup", str(tmp_path / "copy"))[0] == 1
    assert not (tmp_path / "copy").exists()


def test_a_backup_follows_no_link_that_was_there_before(filled: str, tmp_path: Path) -> None:
    elsewhere, target = tmp_path / "elsewhere", tmp_path / "backup"
    target.symlink_to(elsewhere)
    status, said = run(filled, "backup", str(target))
    assert (status, "exists: name a new file" in said) == (1, True)
    assert not elsewhere.exists()


def test_beside_a_running_app_nothing_is_put_back(filled: str, tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    data.mkdir()
    assert run(filled, "backup", str(copy))[0] == 0
    spoil(filled)
    now = rows(filled)
    with locked(data), findable(data, RunningNote(pid=4711)):
        status, said = run(filled, "restore", str(copy), "--yes", "--data", str(data))
    assert (status, rows(filled)) == (1, now)
    assert f"the app runs in {data} (process 4711): stop it first" in said
    # A worker of another machine or of a unit of its own holds no data directory.
    with Store.unmigrated(filled) as store:
        assert store.database.state() is DatabaseState.OK
        status, said = run(filled, "restore", str(copy), "--yes", "--data", str(data))
        assert (status, rows(filled)) == (1, now)
        assert "the app is connected to" in said
        assert "stop it first" in said
    assert run(filled, "restore", str(copy), "--yes", "--data", str(data))[0] == 0
    assert rows(filled) != now
