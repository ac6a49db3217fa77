"""A made year survives a start that failed, and only that."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from ghapp.demo import run
from ghapp.demo.kept_year import COUNTS_FILE, FRESH_SECONDS, KeptYear
from ghapp.demo.scenarios import DemoError

PULLS = {"acme/shop": 17}


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return staged(tmp_path / "data")


def staged(data: Path, first_id: int = 5) -> Any:
    """Return as much of a stage as a year depends on."""
    shop = SimpleNamespace(id=42, next_number=1)
    return SimpleNamespace(
        repositories={"acme/shop": shop},
        installation=SimpleNamespace(id=first_id),
        environment={"GHAPP_DATA_DIR": str(data)},
        port=1,
    )


def filled(data: Path) -> Path:
    data.mkdir(mode=0o700, exist_ok=True)
    (data / "ghapp.sqlite3").write_bytes(b"a year")
    (data / "encryption.key").write_bytes(b"its key")
    return data


def test_a_kept_year_is_brought_back_whole(stage: Any, tmp_path: Path) -> None:
    kept = KeptYear(stage)
    assert kept.bring(tmp_path / "first") is None
    assert kept.keep(filled(tmp_path / "first"), PULLS)
    assert KeptYear(stage).bring(tmp_path / "second") == PULLS
    for name in ("ghapp.sqlite3", "encryption.key"):
        copy = tmp_path / "second" / name
        assert copy.read_bytes() == (tmp_path / "first" / name).read_bytes()
    # The year of another stage, an old one and half a one are none.
    assert KeptYear(staged(tmp_path, first_id=6)).bring(tmp_path / "third") is None
    long_ago = (kept.directory / COUNTS_FILE).stat().st_mtime - FRESH_SECONDS - 60
    os.utime(kept.directory / COUNTS_FILE, (long_ago, long_ago))
    assert kept.bring(tmp_path / "third") is None
    assert kept.keep(tmp_path / "first", PULLS)
    (kept.directory / "ghapp.sqlite3").unlink()
    assert kept.bring(tmp_path / "third") is None
    kept.forget()
    assert not kept.directory.exists()


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Play starts of the app: ``fails`` or ``runs``; return what was made for them."""
    made: list[str] = []

    def fill(stage: Any, settings: Any, tell: Any) -> dict[str, int]:
        del settings
        tell("  1 of 1 repositories: acme/shop, 17 pull requests")
        filled(Path(stage.environment["GHAPP_DATA_DIR"]))
        made.append("year")
        return dict(PULLS)

    @contextmanager
    def app(*given: Any) -> Iterator[None]:
        if (tmp_path / "fails").exists():
            raise DemoError("web does not start")
        del given
        yield

    monkeypatch.setattr(run, "fill_the_past", fill)
    monkeypatch.setattr(run, "app_running", app)
    monkeypatch.setattr(run.Settings, "from_environment", lambda *_: None)
    return made


def test_a_year_is_made_once_however_often_the_start_fails(
    stage: Any, starts: list[str], tmp_path: Path
) -> None:
    (tmp_path / "fails").touch()
    console, said = Console(file=StringIO()), []
    for _ in range(2):
        with (
            pytest.raises(DemoError, match="The made year is kept"),
            run.started(stage, tmp_path / "log", console, past=True),
        ):
            pass
    (tmp_path / "fails").unlink()
    with run.started(stage, tmp_path / "log", console, past=True):
        said.append(stage.repositories["acme/shop"].next_number)
    assert (starts, said) == (["year"], [18])
    assert "1 of 1 repositories" in console.file.getvalue()  # type: ignore[attr-defined]
    # A start that succeeded leaves nothing behind.
    assert not KeptYear(stage).directory.exists()
