"""Completion is installed and removed by one command, and leaves nothing else."""

from pathlib import Path

import pytest

from ghapp.cli.completion import SHELLS
from tests.cli.commands import ghapp


def files(home: Path) -> dict[Path, str]:
    return {path: path.read_text() for path in home.rglob("*") if path.is_file()}


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_installed_is_removed_whole(shell: str, tmp_path: Path) -> None:
    done = ghapp("completion", HOME=str(tmp_path), SHELL=f"/bin/{shell}")
    assert done.returncode == 0, done.stderr
    [(path, text)] = files(tmp_path).items()
    assert str(path) in done.stdout.decode()
    assert "_GHAPP_COMPLETE" in text
    assert b"nothing to change" in ghapp("completion", shell, HOME=str(tmp_path)).stdout
    assert ghapp("completion", shell, "--remove", HOME=str(tmp_path)).returncode == 0
    assert files(tmp_path) == {}


def test_a_persons_own_lines_stay(tmp_path: Path) -> None:
    own = tmp_path / ".zshrc"
    own.write_text("alias ll='ls -l'\n")
    ghapp("completion", "zsh", HOME=str(tmp_path))
    assert own.read_text().startswith("alias ll='ls -l'\n")
    ghapp("completion", "zsh", "--remove", HOME=str(tmp_path))
    assert own.read_text() == "alias ll='ls -l'\n"


def test_an_unknown_shell_is_wrong_use(tmp_path: Path) -> None:
    done = ghapp("completion", HOME=str(tmp_path), SHELL="/bin/tcsh")
    assert done.returncode == 2
    assert b"give one of bash, zsh, fish" in done.stderr


def test_the_script_is_printed_and_nothing_written(tmp_path: Path) -> None:
    done = ghapp("completion", "fish", "--print", "--quiet", HOME=str(tmp_path))
    assert b"_GHAPP_COMPLETE" in done.stdout
    assert files(tmp_path) == {}
