"""``ghapp explain`` as a shell runs it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from ghapp.cli.main import main
from ghapp.store import ErasedBy, ErasureScope, Repository, Store
from tests.cases import FIXTURES
from tests.cli.commands import ghapp
from tests.databases import make_sqlite
from tests.histories import History, Step
from tests.store.records import DAY, NOW, edit
from tests.transcripts import write_transcript

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
    assert "docs/reasons.md#" in told
    assert "docs/rules.md#" in told
    assert told.count(f"{first}  ") == 1


def test_what_is_recorded_is_explained_and_the_look_is_logged(
    document: Path, tmp_path: Path
) -> None:
    url = make_sqlite(f"sqlite:///{tmp_path}/a.db")
    environment = {"GHAPP_DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": url}
    first = ghapp("explain", document).stdout.decode().split("  ")[0]

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["explain", *arguments], env=environment)
        return done.exit_code, done.output

    with Store.open(url) as store:
        seen = Repository(id=42, owner="acme", name="shop")
        store.installations.repository_seen(seen, now=NOW)
        store.audits.save(42, 17, document.read_bytes().strip(), now=NOW)
        told = ghapp("explain", document, first).stdout.decode()
        assert run("acme/shop#17", first) == (0, told)
        assert run("acme/shop", first, "--pull-request", "17") == (0, told)
        (looked, _) = store.access_log.of(42)
        (saved,) = store.audits.all_of(42, 17)
        gone = edit("toolu_gone", at=saved.merged_at, actor="ann")
        store.evidence.add(42, [gone], now=NOW)
        store.evidence.erase(
            ErasureScope(login="ann"), ErasedBy.DEVELOPER, now=saved.created_at + DAY
        )
        assert run("acme/shop#17", first)[1].startswith(
            "Evidence for this window has since been erased"
        )
    assert (looked.what, looked.pull_request) == ("explanation", 17)
    assert run("acme/shop#17", "--audit", "2")[0] == 2
    assert run("acme/shop#18")[0] == 2
    assert run("acme/shop")[0] == 2


def test_a_clone_shows_the_text(tmp_path: Path) -> None:
    history = History(tmp_path / "clone")
    text = "".join(f"total_{line} = price_of(customer={line})\n" for line in range(8))
    history.do(Step(write={"src/a.py": text}, message="Add a (#1)"))
    write_transcript(tmp_path / "evidence" / "1.jsonl", "/srv/shop/src/a.py", text)
    paths = ("--git", history.path, "--evidence", tmp_path / "evidence")
    assert ghapp("replay", *paths, "--output", tmp_path / "out").returncode == 0
    told = ghapp("explain", tmp_path / "out", "src/a.py:3", "--git", history.path).stdout.decode()
    assert "    | total_2 = price_of(customer=2)\n    Claude Code edit toolu_1" in told


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
