"""The collector's files: where they are, whose they are, and written whole or not at all."""

from pathlib import Path

import pytest

from ghapp.collector.places import (
    CollectorBusy,
    CollectorFiles,
    NoHome,
    read_if_there,
    write_whole,
)


@pytest.fixture
def places(tmp_path: Path) -> CollectorFiles:
    return CollectorFiles(directory=tmp_path / "state" / "ghapp" / "collector")


@pytest.mark.parametrize(
    ("state", "home", "found"),
    [
        ("/state", "/home/ann", "/state/ghapp/collector"),
        (None, "/home/ann", "/home/ann/.local/state/ghapp/collector"),
        ("relative", "/home/ann", "/home/ann/.local/state/ghapp/collector"),
    ],
)
def test_files_are_where_the_hook_looks(
    monkeypatch: pytest.MonkeyPatch, state: str | None, home: str, found: str
) -> None:
    monkeypatch.setenv("HOME", home)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    if state is not None:
        monkeypatch.setenv("XDG_STATE_HOME", state)
    assert CollectorFiles.of_this_user().directory == Path(found)


def test_without_a_home_there_is_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "src")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    with pytest.raises(NoHome):
        CollectorFiles.of_this_user()


def test_the_folder_is_closed_to_others_even_if_it_was_open(places: CollectorFiles) -> None:
    places.directory.mkdir(parents=True, mode=0o755)
    places.prepare()
    assert places.directory.stat().st_mode & 0o777 == 0o700


def test_one_process_may_send_and_an_error_lets_the_next_one(places: CollectorFiles) -> None:
    with places.alone(), pytest.raises(CollectorBusy, match="retry in a minute"), places.alone():
        pass
    with pytest.raises(ZeroDivisionError), places.alone():
        raise ZeroDivisionError
    with places.alone():
        pass


def test_a_file_is_replaced_in_one_step_and_the_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_whole(path, b"old")
    path.chmod(0o644)
    write_whole(path, b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_the_old_file_and_no_half_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.json"
    write_whole(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"state.json": b"old"}


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_if_there(tmp_path / "none") is None
    (tmp_path / "empty").touch()
    assert read_if_there(tmp_path / "empty") == b""
    with pytest.raises(IsADirectoryError):
        read_if_there(tmp_path)
