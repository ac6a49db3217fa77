"""The import contract, and the programs that the Procfile names, as tests."""

import re
import shlex
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from ghapp.cli.main import COMMANDS
from ghapp.publishers.registry import PUBLISHERS
from ghapp.serve import QUEUES
from ghapp.store import Lane
from tests.cases import TOP
from tests.keys import PRIVATE_KEY

PROCFILE = (TOP / "Procfile").read_text("utf-8")
PROGRAMS = dict(re.findall(r"^([\w-]+): (.+)$", PROCFILE, re.MULTILINE))


def test_the_import_contract_is_kept() -> None:
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert command is not None, "import-linter is not installed: use `python3 run.py test`"
    done = subprocess.run(
        [command, "--no-cache", "--config", str(TOP / ".importlinter")],
        cwd=TOP,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contract_names_every_room() -> None:
    contract = ConfigParser()
    contract.read(TOP / ".importlinter")
    floors = contract["importlinter:contract:floors"]["layers"]
    rooms = {path.stem for path in (TOP / "ghapp").iterdir() if _is_room(path)}
    # The sandbox stands beside the floors, with a contract of its own.
    assert rooms - set(re.findall(r"ghapp\.(\w+)", floors)) == {"sandbox"}
    meets = contract["importlinter:contract:publishers"]["modules"]
    assert set(re.findall(r"publishers\.(\w+)", meets)) == set(PUBLISHERS)


def _is_room(path: Path) -> bool:
    is_package = path.is_dir() and (path / "__init__.py").exists()
    return is_package or (path.suffix == ".py" and not path.stem.startswith("__"))


# --- the Procfile --------------------------------------------------------------------------------


def test_the_procfile_has_every_process() -> None:
    workers = {f"worker-{lane.value}" for lane in Lane}
    assert set(PROGRAMS) == {"release", "web", "scheduler", *workers}
    assert set(QUEUES) == set(Lane)


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - {"web"}))
def test_a_program_is_a_command_of_ours(name: str) -> None:
    program, command, *arguments = shlex.split(PROGRAMS[name])
    assert program == "ghapp"
    assert command in COMMANDS
    assert arguments == ([name.partition("-")[2]] if name.startswith("worker-") else [])


def test_the_web_program_starts(tmp_path: Path) -> None:
    program, *arguments = shlex.split(PROGRAMS["web"])
    assert program == "gunicorn"
    done = subprocess.run(
        [sys.executable, "-m", program, "--check-config", *arguments],
        cwd=TOP,
        env={
            "GHAPP_DATA_DIR": str(tmp_path / "data"),
            "REDIS_URL": f"unix://{tmp_path}/nobody.sock",
            "GITHUB_APP_ID": "1",
            "GITHUB_PRIVATE_KEY": PRIVATE_KEY,
            "GITHUB_WEBHOOK_SECRETS": "4f0d" * 10,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - {"web"}))
def test_a_program_names_all_that_is_missing(name: str, tmp_path: Path) -> None:
    _, *arguments = shlex.split(PROGRAMS[name])
    done = subprocess.run(
        [sys.executable, "-m", "ghapp", *arguments],
        cwd=TOP,
        env={"GHAPP_DATA_DIR": str(tmp_path), "DATABASE_URL": "x", "GHAPP_LOG_LEVEL": "loud"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "DATABASE_URL" in done.stderr
    assert "GHAPP_LOG_LEVEL" in done.stderr
    assert ("GITHUB_APP_ID" in done.stderr) == (name != "release")
