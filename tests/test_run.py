"""run.py on a bare checkout: it installs once, heals what broke, and hands over unchanged.

The locks of these checkouts are empty, so nothing is fetched; what is installed for real is
proved by whoever starts the tests with it.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cases import TOP

SAYS = "import sys\n\n\ndef main():\n    print('ghapp', *sys.argv[1:])\n    return 3\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout whose ``ghapp`` only says how it was called."""
    made = tmp_path / "a checkout"
    (made / "ghapp" / "cli").mkdir(parents=True)
    shutil.copy(TOP / "run.py", made)
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-tools.txt"):
        (made / name).write_text("# nothing\n")
    (made / "ghapp" / "__init__.py").touch()
    (made / "ghapp" / "cli" / "__init__.py").touch()
    (made / "ghapp" / "cli" / "main.py").write_text(SAYS)
    (made / "ghapp" / "__main__.py").write_text(
        "import sys\n\nfrom ghapp.cli.main import main\n\nsys.exit(main())\n"
    )
    return made


_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2


def obey_modes() -> None:
    """Have a child heed the modes of files as everybody has to: root may write anywhere."""
    if os.geteuid() == 0:
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability)


def start(
    checkout: Path, *arguments: str, cwd: Path | None = None, **environment: str
) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if name != "GHAPP_VENV"}
    return subprocess.run(
        [sys.executable, str(checkout / "run.py"), *arguments],
        env={**kept, **environment},
        cwd=cwd or checkout,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=obey_modes,
    )


def test_it_installs_once_and_hands_over(checkout: Path, tmp_path: Path) -> None:
    first = start(checkout, "audit", "--format", "json", cwd=tmp_path)
    assert (first.returncode, first.stdout) == (3, "ghapp audit --format json\n")
    assert "Installing" in first.stderr
    second = start(checkout, "audit")
    assert (second.returncode, second.stdout) == (3, "ghapp audit\n")
    assert second.stderr == ""

    command = subprocess.run(
        [checkout / ".venv" / "bin" / "ghapp", "x"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (command.returncode, command.stdout) == (3, "ghapp x\n")


def test_a_folder_of_the_same_name_where_one_stands_is_not_ours(
    checkout: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere" / "ghapp").mkdir(parents=True)
    (tmp_path / "elsewhere" / "ghapp" / "__init__.py").write_text("raise SystemExit(99)\n")
    assert start(checkout, "audit", cwd=tmp_path / "elsewhere").returncode == 3


def test_a_changed_lock_is_installed(checkout: Path) -> None:
    start(checkout, "audit")
    (checkout / "requirements.txt").write_text("# nothing else\n")
    assert "Installing" in start(checkout, "audit").stderr
    assert start(checkout, "audit").stderr == ""


@pytest.mark.parametrize("larger", ["test", "tools"])
def test_a_larger_lock_serves_for_running_too(checkout: Path, larger: str) -> None:
    start(checkout, larger, "-c", "")
    assert start(checkout, "audit").stderr == ""


def test_the_tests_use_all_cores_unless_told_otherwise(checkout: Path) -> None:
    start(checkout, "audit")
    packages = next((checkout / ".venv" / "lib").glob("python*/site-packages"))
    (packages / "pytest.py").write_text("import sys\nprint(*sys.argv[1:])\n")
    plain = start(checkout, "test", "tests/store").stdout
    assert "-n " in plain
    assert plain.endswith(" tests/store\n")
    assert start(checkout, "test", "-n", "1").stdout.count("-n ") == 1
    assert "-n " not in start(checkout, "test", "--pdb").stdout


def test_the_tests_compile_each_module_once_whatever_the_caller_says(checkout: Path) -> None:
    start(checkout, "audit")
    packages = next((checkout / ".venv" / "lib").glob("python*/site-packages"))
    (packages / "pytest.py").write_text("import once\n")
    (packages / "once.py").touch()
    start(checkout, "test", PYTHONDONTWRITEBYTECODE="1")
    found = list((checkout / ".venv" / "bytecode").rglob("once.*.pyc"))
    assert len(found) == 1
    assert not list(packages.rglob("once.*.pyc"))


def test_coverage_is_measured_over_the_same_tests(checkout: Path) -> None:
    start(checkout, "audit")
    (checkout / "bench.py").write_text("import sys\nprint(*sys.argv[1:])\n")
    measured = start(checkout, "coverage", "tests/store").stdout
    assert measured.startswith("coverage -n ")
    assert measured.endswith(" tests/store\n")


def test_an_install_that_was_cut_off_is_made_anew(checkout: Path) -> None:
    start(checkout, "audit")
    environment = checkout / ".venv"
    (environment / "ghapp-unfinished").touch()
    (environment / "bin" / "python").unlink()
    (environment / "half a package").touch()
    healed = start(checkout, "audit")
    assert healed.returncode == 3
    assert not (environment / "half a package").exists()
    assert not (environment / "ghapp-unfinished").exists()


def test_an_environment_that_is_broken_is_made_anew(checkout: Path) -> None:
    start(checkout, "audit")
    (checkout / ".venv" / "bin" / "python").unlink()
    (checkout / ".venv" / "ghapp-installed.json").write_text("{")
    assert start(checkout, "audit").returncode == 3


def test_two_at_once_install_once(checkout: Path) -> None:
    command = [sys.executable, str(checkout / "run.py"), "audit"]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [3, 3]
    assert sum("Installing" in errors for _, errors in said) == 1


def test_the_environment_can_be_elsewhere(checkout: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert start(checkout, "audit", GHAPP_VENV=str(elsewhere)).returncode == 3
    assert not (checkout / ".venv").exists()
    stamp = json.loads((elsewhere / "ghapp-installed.json").read_text())
    assert stamp["requirements.txt"]["checkout"] == str(checkout)


def test_a_checkout_that_cannot_be_written_to_is_served(checkout: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    checkout.chmod(0o500)
    try:
        found = start(checkout, "audit", HOME=str(home), XDG_CACHE_HOME="")
    finally:
        checkout.chmod(0o700)
    assert found.returncode == 3
    assert not (checkout / ".venv").exists()
    assert list((home / ".cache" / "ghapp").glob("venv-*"))


def opened_by_a_reader(fifo: Path) -> int:
    """Wait until somebody reads a fifo; return it open for writing."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            assert time.monotonic() < deadline, "nobody came to read"
            time.sleep(0.02)


def test_ctrl_c_ends_it_quietly_and_the_next_start_heals(checkout: Path) -> None:
    # The lock names what cannot be had, so that the start is met in the middle of its work.
    fifo = checkout / "requirements.txt"
    fifo.unlink()
    os.mkfifo(fifo)
    # A shell that starts this suite in the background has its children ignore Ctrl-C.
    listening = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    run = f"import runpy; runpy.run_path({str(checkout / 'run.py')!r}, run_name='__main__')"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{listening}; {run}", "audit"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    door = opened_by_a_reader(fifo)
    process.send_signal(signal.SIGINT)
    # A signal between Python's last look for one and the read would wait for the read's end.
    os.close(door)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    fifo.unlink()
    fifo.write_text("# nothing\n")
    assert start(checkout, "audit").returncode == 3


def test_what_uv_complains_of_is_said_before_pip_is_tried(checkout: Path, tmp_path: Path) -> None:
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\necho first >&2\necho the index is away >&2\nexit 2\n")
    uv.chmod(0o755)
    found = start(checkout, "audit", PATH=f"{uv.parent}:{os.environ['PATH']}")
    assert found.returncode == 3
    assert "uv: the index is away" in found.stderr
    assert "trying pip" in found.stderr


def test_a_missing_lock_is_said(checkout: Path) -> None:
    (checkout / "requirements.txt").unlink()
    found = start(checkout, "audit")
    assert found.returncode == 1
    assert "requirements.txt is missing" in found.stderr


def test_an_older_python_is_told(checkout: Path) -> None:
    text = (checkout / "run.py").read_text()
    (checkout / "run.py").write_text(text.replace("OLDEST = (3, 11)", "OLDEST = (99, 0)"))
    found = start(checkout, "demo", "--once")
    assert found.returncode == 1
    assert "needs Python 3.11 or newer" in found.stderr
    assert "demo --once" in found.stderr


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_the_locks_hold_hashes_and_no_address(name: str) -> None:
    lines = (TOP / name).read_text().splitlines()
    pins = [line for line in lines if "==" in line]
    assert len(pins) > 30
    assert "://" not in "\n".join(lines)
    assert all(line.endswith("\\") for line in pins)
    assert sum("--hash=sha256:" in line for line in lines) >= len(pins)


def test_what_is_tested_is_what_runs() -> None:
    def pins(name: str) -> set[str]:
        return {line for line in (TOP / name).read_text().splitlines() if "==" in line}

    assert pins("requirements.txt") <= pins("requirements-dev.txt")
