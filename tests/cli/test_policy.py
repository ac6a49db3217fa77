"""``ghapp policy``: named sets of windows, limits and exclusions, shown, compared, checked."""

import json
from pathlib import Path

import pytest

from ghapp.attribution.policy import CLAUDE_CODE_V1
from tests.cli.commands import ghapp


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a file that holds a policy."""
    path = tmp_path / "own.toml"
    path.write_text('id = "acme-v1"\nwindow_before_days = 1\n')
    return path


def test_a_policy_is_shown_with_its_digest(own: Path) -> None:
    shown = json.loads(ghapp("policy", "show", own).stdout)
    assert (shown["id"], shown["window_before_days"]) == ("acme-v1", 1)
    built_in = json.loads(ghapp("policy", "show").stdout)
    assert built_in["digest"] == CLAUDE_CODE_V1.digest != shown["digest"]


def test_the_members_that_differ_are_told(own: Path) -> None:
    told = ghapp("policy", "diff", "claude-code-v1", own).stdout.decode()
    assert told == 'id: "claude-code-v1" -> "acme-v1"\nwindow_before_days: 21 -> 1\n'
    assert ghapp("policy", "diff", own, own).stdout == b""


def test_a_file_is_valid_or_it_is_said_why_not(own: Path) -> None:
    assert ghapp("policy", "validate", own).stdout.startswith(b"acme-v1 sha256:")
    own.write_text('id = "acme-v1"\nwindow = 1\n')
    done = ghapp("policy", "validate", own)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"unknown member 'window'" in done.stderr


@pytest.mark.parametrize("arguments", [("show", "no-such"), ("diff", "claude-code-v1", "no-such")])
def test_a_policy_that_nobody_knows_is_wrong_use(arguments: tuple[str, ...]) -> None:
    done = ghapp("policy", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"no policy 'no-such'" in done.stderr


def test_the_schema_describes_a_repositorys_file() -> None:
    schema = json.loads(ghapp("policy", "schema").stdout)
    assert "rewrite_limit" in json.dumps(schema)
