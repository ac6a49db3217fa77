"""What is shown before it is sent, and what is imported."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ghapp.store import Installation, Repository, Store
from tests.cli.commands import ghapp
from tests.databases import make_sqlite
from tests.transcripts import write_transcript

CONTENT = "def monthly_totals(orders):\n    return collect_by_month(orders, key=order_month)\n"
NOW = datetime(2026, 5, 20, tzinfo=UTC)


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    write_transcript(folder / "one.jsonl", "/home/dev/shop/src/totals.py", CONTENT)
    write_transcript(folder / "two.jsonl", "/home/dev/other/notes.py", CONTENT)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data directory whose app knows acme/shop."""
    folder = tmp_path / "data"
    folder.mkdir()
    store = Store.unmigrated(make_sqlite(f"sqlite:///{folder / 'ghapp.sqlite3'}"))
    store.installations.seen(Installation(id=1, account="acme"), now=NOW)
    shop = Repository(id=7, owner="acme", name="shop", installation_id=1)
    store.installations.repository_seen(shop, now=NOW)
    store.close()
    return folder


def imported(evidence: Path, data: Path, *more: str) -> tuple[int, str, str]:
    given = ["--repository", "acme/shop", "--data", str(data), *more]
    url = f"sqlite:///{data / 'ghapp.sqlite3'}"
    done = ghapp("evidence", "import", evidence, *given, DATABASE_URL=url)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_import_keeps_fingerprints_of_the_edits_below_the_root(evidence: Path, data: Path) -> None:
    status, said, problems = imported(evidence, data, "--root", "/home/dev/shop")
    assert (status, problems) == (0, "")
    assert said.startswith("acme/shop: 1 edit(s) in 2 transcript(s), 1 new")
    store = Store.open(f"sqlite:///{data / 'ghapp.sqlite3'}")
    [edit] = store.evidence.of(7, datetime(2026, 5, 1, tzinfo=UTC), NOW)
    store.close()
    assert edit.path == "src/totals.py"
    assert not isinstance(edit.lines.hunks[0].own[0], str)


def test_importing_again_adds_nothing(evidence: Path, data: Path) -> None:
    imported(evidence, data)
    status, said, _ = imported(evidence, data)
    assert status == 0
    assert "0 new, 2 known before" in said


def test_import_into_an_unknown_repository_is_wrong_use(evidence: Path, data: Path) -> None:
    status, _, problems = imported(evidence, data, "--repository", "acme/other")
    assert status == 2
    words = " ".join(problems.split())
    assert "does not know the repository acme/other; it knows acme/shop" in words
