"""How commands open the app's store: what goes wrong is one sentence, and who looks is noted."""

import getpass
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from sqlalchemy import text

from ghapp.cli import app_store
from ghapp.serve.running import RunningNote, findable, found, locked, note, note_of
from ghapp.settings import Settings
from ghapp.store import AccessDoor, Database, Repository, Store, StoreError
from tests.cli.commands import ghapp
from tests.databases import make_sqlite
from tests.store.records import NOW


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of the database that the environment names."""
    made = make_sqlite(f"sqlite:///{tmp_path}/a.db")
    monkeypatch.setenv("DATABASE_URL", made)
    monkeypatch.setenv("GHAPP_DATA_DIR", str(tmp_path / "data"))
    return made


def test_a_given_directory_goes_before_the_environments(url: str, tmp_path: Path) -> None:
    with app_store.opened() as (store, settings):
        assert str(store.database.url.database) == url.removeprefix("sqlite:///")
        assert settings.data_dir == tmp_path / "data"
    with app_store.opened(tmp_path / "other") as (_, settings):
        assert settings.data_dir == tmp_path / "other"


def test_what_is_not_there_is_said_and_not_made(url: str, tmp_path: Path) -> None:
    assert url
    (tmp_path / "a.db").unlink()
    with pytest.raises(click.ClickException, match="no such file"), app_store.opened():
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_our_tables_is_said(sqlite_store: Store, tmp_path: Path) -> None:
    database = sqlite_store.database
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(StoreError, match=r"is at revision 0000.*ghapp migrate"):
        database.check()
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreError, match="holds no tables"):
        Database(f"sqlite:///{tmp_path}/empty.db").check()


READING = [
    ("doctor",),
    ("admin", "stuck"),
    ("admin", "access-log"),
    ("admin", "record-keys"),
    ("admin", "teams", "list", "acme"),
    ("admin", "backup", "copy"),
    ("evidence", "machines", "--login", "ann"),
    ("evidence", "coverage", "acme/shop"),
    ("export-audit", "--output", "bundle"),
    ("explain", "acme/shop#1"),
]


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
@pytest.mark.parametrize("named", ["", "option", "variable"])
def test_a_command_that_reads_makes_nothing_and_says_what_to_give(
    tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    given = ["--data", str(tmp_path / "nowhere")] if named == "option" else []
    env = {"GHAPP_DATA_DIR": str(tmp_path / "nowhere")} if named == "variable" else {}
    done = ghapp(*arguments, *given, cwd=tmp_path, HOME=str(tmp_path), **env)
    (line,) = done.stderr.decode().splitlines()
    assert (done.returncode, "--data" in line, "GHAPP_DATA_DIR" in line) == (1, True, True)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the data directory of an app that seems to run, and has noted itself."""
    data = tmp_path / "served"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("GHAPP_DATA_DIR", "DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    Settings.from_environment({"GHAPP_DATA_DIR": str(data)}, app_required=False)
    make_sqlite(f"sqlite:///{data}/ghapp.sqlite3")
    noted = RunningNote(pid=os.getpid(), queue="unix:///nowhere/own.sock", address="http://x")
    with locked(data), findable(data, noted):
        yield data


def test_the_app_that_runs_here_is_found(running: Path) -> None:
    with app_store.opened() as (store, settings):
        assert settings.data_dir == running
        assert settings.redis_url == "unix:///nowhere/own.sock"
        assert str(store.database.url.database) == f"{running}/ghapp.sqlite3"


def test_what_the_running_app_was_given_holds_for_commands(
    running: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_sqlite(f"sqlite:///{tmp_path}/elsewhere.db")
    script = "import sys, time; print(flush=True); time.sleep(600)"
    given = {"DATABASE_URL": other, "GHAPP_NAMES": "people", "PATH": os.environ["PATH"]}
    with subprocess.Popen(
        [sys.executable, "-c", script], env=given, stdout=subprocess.PIPE
    ) as served:
        assert served.stdout is not None
        served.stdout.readline()
        note(running, RunningNote(pid=served.pid))
        with app_store.opened() as (_, settings):
            assert (settings.database_url, settings.names) == (other, "people")
        monkeypatch.setenv("GHAPP_NAMES", "teams")
        with app_store.opened() as (_, settings):
            assert (settings.database_url, settings.names) == (other, "teams")
        served.kill()


def test_of_several_apps_one_is_to_be_named(running: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    with (
        locked(second),
        findable(second, RunningNote(pid=os.getpid())),
        pytest.raises(click.ClickException, match="several apps run on this machine"),
    ):
        app_store.app_environment()
    assert app_store.app_environment()["GHAPP_DATA_DIR"] == str(running)


def test_an_app_that_was_killed_is_not_taken_for_running(running: Path, tmp_path: Path) -> None:
    dead = tmp_path / "dead"
    dead.mkdir()
    with findable(dead, RunningNote(pid=os.getpid())):  # without the lock
        assert found() == (running,)
        assert note_of(dead) is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATABASE_URL", "mysql://host/name", "DATABASE_URL"),
        ("GHAPP_LOG_LEVEL", "loud", "GHAPP_LOG_LEVEL"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", "127.0.0.1"),
    ],
)
def test_what_is_wrong_is_the_commands_error(
    url: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    assert url
    monkeypatch.setenv(name, value)
    with pytest.raises(click.ClickException, match=said), app_store.opened():
        pass


def test_a_package_that_is_missing_names_its_extra() -> None:
    with (
        pytest.raises(click.ClickException, match=r"importing needs the server's packages"),
        app_store.server_packages("importing"),
    ):
        raise ModuleNotFoundError(name="sqlalchemy")


def test_a_repository_that_is_not_known_is_told_which_are(sqlite_store: Store) -> None:
    with pytest.raises(click.UsageError, match="install the app on it first"):
        app_store.known_repository(sqlite_store, "acme/shop")
    seen = Repository(id=42, owner="acme", name="shop")
    sqlite_store.installations.repository_seen(seen, now=NOW)
    assert app_store.known_repository(sqlite_store, "Acme/Shop").id == 42
    with pytest.raises(click.UsageError, match="it knows acme/shop"):
        app_store.known_repository(sqlite_store, "acme/other")


def test_who_looks_is_the_user_of_this_machine(sqlite_store: Store) -> None:
    app_store.note_access(sqlite_store, "bundle", 42, pull_request=17, detail="all")
    (looked,) = sqlite_store.access_log.of()
    assert looked.who == f"system:{getpass.getuser()}" == app_store.person()
    assert looked.door is AccessDoor.COMMAND_LINE
    assert (looked.what, looked.repository_id, looked.pull_request) == ("bundle", 42, 17)
    assert looked.detail == "all"
