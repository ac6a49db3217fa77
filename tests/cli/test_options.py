"""Options that several commands share: what their values mean, and what is said of wrong ones."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.cli import options

KEY = bytes(range(32))


@click.command()
@options.root_option
@options.as_of_option
@options.fingerprint_key_option
def said(roots: tuple[str, ...], as_of: datetime | None, fingerprint_key: bytes | None) -> None:
    """Say what was given."""
    click.echo(f"{roots!r}|{as_of!r}|{fingerprint_key!r}")


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(said, [*map(str, arguments)])
    return done.exit_code, done.output


def test_nothing_is_given_by_default() -> None:
    assert run() == (0, "()|None|None\n")


def test_a_root_of_this_machine_becomes_absolute_and_another_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    roots = (str(tmp_path / "app"), str(tmp_path / "shop"), r"C:\src\shop", "/home/dev/shop")
    given = [f"--root={one}" for one in (".", "../shop", *roots[2:])]
    assert run(*given) == (0, f"{roots!r}|None|None\n")


def test_a_time_is_in_utc() -> None:
    at = datetime(2026, 5, 20, 13, 30, tzinfo=UTC)
    assert run("--as-of", "2026-05-20 15:30:00 +0200") == (0, f"()|{at!r}|None\n")
    assert run("--as-of", "soon")[0] == 2


def test_a_key_is_base64_of_32_bytes(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b" " + base64.b64encode(KEY) + b"\n")
    assert run("--fingerprint-key", path) == (0, f"()|None|{KEY!r}\n")


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"bm90IGEga2V5", "holds 9 bytes; a key has 32"), (b"n@t base64", "key: "), (b"", "0 bytes")],
)
def test_what_is_no_key_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    status, told = run("--fingerprint-key", path)
    assert (status, problem in " ".join(told.split())) == (2, True), told


def test_evidence_is_named_or_carried() -> None:
    options.check_evidence((Path("transcripts"),), carried=False)
    options.check_evidence((), carried=True)
    with pytest.raises(click.UsageError, match=r"Missing option '--evidence'.*--carried"):
        options.check_evidence((), carried=False)


def test_a_policy_is_built_in_or_a_file(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('id = "acme-v1"\n')
    assert options.named_policy("claude-code-v1") == CLAUDE_CODE_V1
    assert options.named_policy(str(own)).id == "acme-v1"
    with pytest.raises(click.UsageError, match="--policy: there is no policy 'mine'"):
        options.named_policy("mine")
