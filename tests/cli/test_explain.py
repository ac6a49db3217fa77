"""``ghapp explain`` as a shell runs it."""

from pathlib import Path

import pytest

from tests.cases import FIXTURES
from tests.cli.commands import ghapp

CASE = FIXTURES / "audits" / "tier_edited"


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """Return a file with the document of a case."""
    path = tmp_path / "audit.json"
    merged = ("--merged-at", "2026-05-20T15:30:00Z", "--evidence", CASE / "evidence")
    more = ("--pull-request", "17", "--format", "json", "--output", path)
    done = ghapp("audit", "--diff", CASE / "change.diff", *merged, *more)
    assert done.returncode == 0, done.stderr
    return path


def test_every_line_has_its_reason_and_its_sentence(document: Path) -> None:
    told = ghapp("explain", document).stdout.decode()
    assert "edited: An agent's line, changed within the rewrite limit." in told
    assert "Claude Code edit toolu_" in told


def test_one_line(document: Path) -> None:
    first = ghapp("explain", document).stdout.decode().split("  ")[0]
    told = ghapp("explain", document, first, "--pull-request", "17").stdout.decode()
    assert told.startswith(f"{first}  ")
    assert told.count(": ") == 1


@pytest.mark.parametrize("more", [["src/none.py"], ["--pull-request", "18"]])
def test_what_is_not_there(document: Path, more: list[str]) -> None:
    done = ghapp("explain", document, *more)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_no_document(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("{}\n")
    done = ghapp("explain", tmp_path / "none")
    assert done.returncode == 1
    assert b"none:1" in done.stderr
