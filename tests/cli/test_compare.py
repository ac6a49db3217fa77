"""``ghapp policy`` and ``ghapp compare`` as a shell runs them."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ghapp.cli.main import main
from ghapp.store import Repository, Store
from tests.cli.commands import ghapp
from tests.databases import make_sqlite
from tests.histories import History, Step
from tests.store.records import NOW
from tests.transcripts import write_transcript

TEXT = "".join(f"total_{line} = price_of(customer={line})\n" for line in range(8))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with two replays of one clone: by the built-in policy, by a narrow one."""
    history = History(tmp_path / "clone")
    history.do(Step(write={"src/a.py": TEXT}, message="Add a (#1)", at="2026-05-20T15:30:00Z"))
    history.do(Step(write={"src/b.py": "b = 1 + 2\n"}, message="Add b (#2)"))
    write_transcript(tmp_path / "evidence" / "1.jsonl", "/srv/shop/src/a.py", TEXT)
    (tmp_path / "narrow.toml").write_text('id = "acme-v1"\nwindow_before_days = 1\n')
    for name, policy in (("wide", "claude-code-v1"), ("narrow", str(tmp_path / "narrow.toml"))):
        replay(tmp_path, name, policy)
    return tmp_path


def replay(place: Path, name: str, policy: str) -> None:
    paths = ("--git", place / "clone", "--evidence", place / "evidence")
    output = ("--output", place / f"{name}.jsonl", "--as-of", "2026-07-01", "--jobs", "1")
    done = ghapp("replay", *paths, *output, "--policy", policy)
    assert done.returncode == 0, done.stderr


def compared(place: Path, *more: str) -> bytes:
    done = ghapp("compare", place / "wide.jsonl", place / "narrow.jsonl", *more)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def test_text(place: Path) -> None:
    told = compared(place).decode()
    row = ["#1", "assisted", "->", "no_evidence", "8", "->", "0", "8", "policy_changed"]
    assert row in [line.split() for line in told.splitlines()]
    assert "2 pull requests: 1 the same, 1 different in 8 lines; attributed 8 -> 0" in told
    assert "8  run -> outside_window" in told


def test_csv_and_json_lines_say_the_same(place: Path) -> None:
    rows = list(csv.DictReader(compared(place, "--format", "csv").decode().splitlines()))
    objects = [json.loads(line) for line in compared(place, "--format", "jsonl").splitlines()]
    assert [row["line"] for row in rows] == [str(one["line"]) for one in objects]
    assert rows[0]["reason_before"] == objects[0]["reason_before"] == "run"
    assert rows[0]["causes"] == "policy_changed"


def test_page_says_the_same_and_loads_nothing(place: Path) -> None:
    page = compared(place, "--format", "html").decode()
    assert "assisted -&gt; no_evidence, attributed 8 -&gt; 0: policy_changed" in page
    assert page.count("src/a.py:") == 8
    assert "default-src 'none'; style-src 'sha256-" in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_text_in_a_file_is_the_text(place: Path) -> None:
    done = ghapp("compare", place / "wide.jsonl", place / "narrow.jsonl", "--output", place / "t")
    assert (done.returncode, done.stdout) == (0, b"")
    assert (place / "t").read_bytes() == compared(place)


def test_replay_compares_two_policies(place: Path) -> None:
    paths = ("--git", place / "clone", "--evidence", place / "evidence", "--jobs", "1")
    policies = ("--compare", "claude-code-v1", place / "narrow.toml")
    done = ghapp("replay", *paths, *policies, "--output", place / "d.csv", "--as-of", "2026-07-01")
    assert done.returncode == 0, done.stderr
    assert done.stdout == compared(place)
    assert (place / "d.csv").read_bytes() == compared(place, "--format", "csv")
    assert (place / "d.csv.before.jsonl").read_bytes() == (place / "wide.jsonl").read_bytes()
    assert ghapp("replay", *paths, *policies, "--output", place / "d.pdf").returncode == 2


def test_recorded_against_replayed(place: Path) -> None:
    url = make_sqlite(f"sqlite:///{place}/a.db")
    environment = {"GHAPP_DATA_DIR": str(place / "data"), "DATABASE_URL": url}
    with Store.open(url) as store:
        seen = Repository(id=42, owner="acme", name="shop")
        store.installations.repository_seen(seen, now=NOW)
        for line in (place / "wide.jsonl").read_bytes().splitlines():
            number = json.loads(line)["pull_request"]
            store.audits.save(42, number, line, now=NOW)
        done = CliRunner().invoke(
            main, ["compare", "acme/shop", str(place / "narrow.jsonl")], env=environment
        )
        assert (done.exit_code, done.stdout) == (0, compared(place).decode())
        assert store.access_log.of(42)[0].what == "comparison"
    unknown = CliRunner().invoke(main, ["compare", "acme/none", "acme/none"], env=environment)
    assert (unknown.exit_code, "acme/none" in unknown.output) == (2, True)


def test_document_without_a_counterpart(place: Path) -> None:
    narrow = place / "narrow.jsonl"
    narrow.write_bytes(narrow.read_bytes().splitlines(keepends=True)[0])
    done = ghapp("compare", place / "wide.jsonl", narrow)
    assert done.returncode == 1
    assert b"1 document(s) of" in done.stderr


def test_file_that_holds_no_documents(place: Path) -> None:
    done = ghapp("compare", place / "wide.jsonl", place / "narrow.toml")
    assert done.returncode == 1
    assert b"narrow.toml:1" in done.stderr
    assert b"Traceback" not in done.stderr
