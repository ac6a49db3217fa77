"""What a process of ours writes is for its owner only, whatever the umask says."""

import os
import subprocess
import sys
from pathlib import Path

from ghapp.serve.programs import ChildProgram, WatchedChild
from ghapp.store import Store
from tests.cases import TOP

OTHERS = 0o077


def open_to_others(folder: Path) -> list[str]:
    return [
        f"{one.stat().st_mode & 0o777:o} {one.relative_to(folder)}"
        for one in sorted(folder.rglob("*"))
        if one.stat().st_mode & OTHERS
    ]


def test_a_command_of_ours_writes_for_its_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "ghapp", "migrate"],
        cwd=TOP,
        env={"GHAPP_DATA_DIR": str(data), "REDIS_URL": "unix:///nowhere.sock"},
        umask=0o022,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (data / "ghapp.sqlite3").exists()
    assert open_to_others(tmp_path) == []


def test_a_child_of_ours_writes_for_its_owner_only(tmp_path: Path) -> None:
    written = tmp_path / "written"
    code = f"open({str(written)!r}, 'w')"
    before = os.umask(0o022)
    try:
        child = WatchedChild(ChildProgram("writes", (sys.executable, "-c", code)), os.environ)
        child.start(0.0)
    finally:
        os.umask(before)
    assert child.process is not None
    assert child.process.wait() == 0
    assert open_to_others(tmp_path) == []


def test_a_database_that_others_could_read_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "ghapp.sqlite3"
    path.touch(0o644)
    path.chmod(0o644)
    store = Store.open(f"sqlite:///{path}")
    try:
        assert open_to_others(tmp_path) == []
    finally:
        store.close()
