"""The audit of dependencies in CI: a flaw fails, and that nobody could tell is said."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cases import TOP

SAYS = """
import pathlib, sys
told = {told!r}
if told is None:
    sys.exit("ConnectionError: pypi.org cannot be reached")
pathlib.Path(sys.argv[sys.argv.index("-o") + 1]).write_text(told)
"""
FLAWED = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-2026-1"}]}
SOUND = {"name": "new", "version": "2.0", "vulns": []}
UNKNOWN = {"name": "ours", "skip_reason": "not found"}


def audit(folder: Path, told: list[dict[str, Any]] | None) -> tuple[int, str]:
    """Run the audit with a pip-audit that says what it is told; return status and words."""
    package = folder / "pip_audit"
    package.mkdir()
    text = None if told is None else json.dumps({"dependencies": told})
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(SAYS.format(told=text))
    done = subprocess.run(
        (sys.executable, str(TOP / ".ci" / "audit"), "requirements.txt"),
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("told", "status", "words"),
    [
        ([SOUND, FLAWED], 1, "old 1.0 is vulnerable: PYSEC-2026-1"),
        ([SOUND, UNKNOWN], 0, "1 of 2 packages audited"),
        ([UNKNOWN], 0, "NOT AUDITED, the service knows none"),
        (None, 0, "NOT AUDITED, no advisory service answered: ConnectionError"),
    ],
)
def test_what_was_found_is_said(
    tmp_path: Path, told: list[dict[str, Any]] | None, status: int, words: str
) -> None:
    found, said = audit(tmp_path, told)
    assert (found, words in said) == (status, True), said


def test_ci_asks_for_it() -> None:
    assert ".ci/audit" in (TOP / ".ci" / "run").read_text()
