"""Auditors' commands on a machine that has not the server's packages."""

import subprocess
import sys
from pathlib import Path

import pytest

from ghapp.attribution.document import to_document
from tests.cases import FIXTURES
from tests.documents.test_sampling import AUDITS
from tests.records.bundles import bundle, lines

SERVER = ("alembic", "authlib", "flask", "github", "gunicorn", "redis", "rq", "sqlalchemy")
CASE = FIXTURES / "audits" / "tier_edited"
MERGED = ("--merged-at", "2026-05-20T15:30:00Z", "--evidence", f"{CASE}/evidence")
BLOCKED = """
import sys
for name in {blocked!r}:
    sys.modules[name] = None
from ghapp.cli.main import main
main({arguments!r})
"""


def run(place: Path, *arguments: str, lacking: tuple[str, ...] = ()) -> tuple[int, str]:
    """Run a command in a process that cannot import the server's packages, and some more."""
    text = BLOCKED.format(blocked=(*SERVER, "structlog", *lacking), arguments=list(arguments))
    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a file of documents and a bundle."""
    (tmp_path / "a.jsonl").write_bytes(b"".join(to_document(one) + b"\n" for one in AUDITS))
    (tmp_path / "bundle").write_bytes(bundle(lines()))
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare", "a.jsonl", "a.jsonl"),
        ("explain", "a.jsonl", "--pull-request", "1"),
        ("sample", "a.jsonl", "--output", "a.html"),
        ("report-line", "src/store.py:15", "--diff", f"{CASE}/change.diff", *MERGED),
    ],
    ids=lambda arguments: arguments[0],
)
def test_files_are_read_without_the_server_and_without_signatures(
    place: Path, arguments: tuple[str, ...]
) -> None:
    status, told = run(place, *arguments, lacking=("cryptography",))
    assert status == 0, told


def test_a_bundle_is_verified_with_one_package_more(place: Path) -> None:
    status, told = run(place, "verify", "bundle")
    assert (status, "signatures, chains and seal are whole" in told) == (0, True), told
    status, told = run(place, "verify", "bundle", lacking=("cryptography",))
    assert status == 1
    assert "pip install cryptography" in told


def test_what_is_recorded_needs_the_server(place: Path) -> None:
    status, told = run(place, "explain", "acme/shop#17")
    assert status == 1
    assert "run it where the app runs" in told
    status, told = run(place, "replay", "--repository", "acme/shop", "--output", "out")
    assert status == 1
    assert "run it where the app runs" in told
