"""How a command becomes the worker or the scheduler: only with settings that are whole."""

import sys
from pathlib import Path

import click
import pytest

from ghapp.cli.processes import become
from tests.app_key import PRIVATE_KEY


class Became(Exception):  # noqa: N818 - it is no error
    """Stands for the end of this process."""


@pytest.fixture
def become_what(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return what this process would have become."""
    called: list[list[str]] = []

    def execv(_: str, arguments: list[str]) -> None:
        called.append(arguments)
        raise Became

    monkeypatch.setattr("os.execv", execv)
    return called


def test_settings_are_checked_first(
    become_what: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHAPP_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("GITHUB_APP_ID", raising=False)
    with pytest.raises(click.ClickException, match="GITHUB_APP_ID is not set"):
        become("workers.schedule")
    assert become_what == []


def test_then_the_program_takes_this_processs_place(
    become_what: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "GHAPP_DATA_DIR": str(tmp_path),
        "REDIS_URL": f"unix://{tmp_path}/redis.sock",
        "GITHUB_APP_ID": "1",
        "GITHUB_PRIVATE_KEY": PRIVATE_KEY,
        "GITHUB_WEBHOOK_SECRETS": "4f0d" * 10,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Became):
        become("workers.worker", "live")
    assert become_what == [[sys.executable, "-m", "workers.worker", "live"]]
