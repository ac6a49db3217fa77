"""What the commands of ``ghapp collect`` share: one sentence for an error, and words for pauses."""

from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from ghapp.cli.collecting import moment, named, own_places, said, say_stays
from ghapp.collector.choices import KeptBack
from ghapp.collector.places import CollectorBusy, NoHome

NOW = datetime(2026, 5, 20, 15, 30, 59, tzinfo=UTC)


@pytest.mark.parametrize("error", [CollectorBusy("retry in a minute"), OSError(28, "disk is full")])
def test_an_error_becomes_one_harmless_sentence(error: Exception) -> None:
    with pytest.raises(click.ClickException, match=r"retry in a minute|disk is full"), said():
        raise error


def test_a_fault_of_the_program_stays_one() -> None:
    with pytest.raises(ZeroDivisionError), said():
        raise ZeroDivisionError


def test_files_are_this_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert own_places().directory == tmp_path / "ghapp" / "collector"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    with pytest.raises(NoHome):
        own_places()


@pytest.mark.parametrize(
    ("repository", "path", "words"),
    [
        (None, None, "everything"),
        ("acme/shop", None, "acme/shop"),
        (None, "docs/", "docs/"),
        ("acme/shop", "docs/", "acme/shop, docs/"),
    ],
)
def test_a_pause_is_named(repository: str | None, path: str | None, words: str) -> None:
    (pause,) = KeptBack().with_pause(repository, path, NOW).running()
    assert named(pause) == words


def test_an_instant_is_told_to_the_minute() -> None:
    assert moment(NOW) == "2026-05-20 15:30 UTC"


def test_reasons_come_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    say_stays({"too old": 2, "in a file that git ignores": 1})
    assert capsys.readouterr().out == (
        "  1 stayed here: in a file that git ignores\n  2 stayed here: too old\n"
    )
