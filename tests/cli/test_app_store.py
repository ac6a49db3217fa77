"""How commands open the app's store: what goes wrong is one sentence, and who looks is noted."""

import getpass
from pathlib import Path

import click
import pytest

from ghapp.cli import app_store
from ghapp.store import AccessDoor, Repository, Store
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


def test_an_old_database_is_brought_up_to_date(url: str, tmp_path: Path) -> None:
    (tmp_path / "a.db").unlink()
    with app_store.opened() as (store, _):
        assert store.installations.repositories() == ()
    assert url.endswith("/a.db")


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
        pytest.raises(click.ClickException, match=r"importing needs the extra 'server'"),
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
