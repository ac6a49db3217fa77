"""The list of commands, what starting costs, and how a command ends."""

import importlib
import subprocess
import sys

import click
import pytest

from ghapp.cli.main import COMMANDS
from tests.cli.commands import environment, ghapp

SERVER = {"flask", "sqlalchemy", "redis", "rq", "alembic", "github", "structlog", "psycopg"}


def test_help_names_every_command_with_its_line() -> None:
    done = ghapp("--help")
    assert done.returncode == 0
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in done.stdout.decode()
        assert line in done.stdout.decode()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_where_the_table_says(name: str) -> None:
    module, line = COMMANDS[name]
    command = importlib.import_module(module).command
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.get_short_help_str(limit=200).startswith(line.removesuffix("."))


@pytest.mark.parametrize("arguments", [["--help"], ["audit", "--help"], ["--version"]])
def test_starting_imports_neither_the_server_nor_the_core(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from ghapp.cli.main import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit: pass\n"
        "print(*sorted(name.partition('.')[0] for name in sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        env=environment(),
        timeout=60,
        check=True,
    )
    loaded = set(done.stderr.decode().split())
    assert not loaded & (SERVER | {"numpy", "rich", "msgspec"})


def test_an_unknown_command_is_wrong_use() -> None:
    done = ghapp("nonsense")
    assert done.returncode == 2
    assert b"No such command 'nonsense'" in done.stderr


def test_the_version() -> None:
    assert ghapp("--version").stdout.startswith(b"ghapp, version 1.")
