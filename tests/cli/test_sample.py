"""``ghapp sample`` as a reviewer runs it: a table or a page, and what the answers mean."""

import csv
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from ghapp.attribution.document import to_document
from ghapp.cli.main import main
from tests.documents.test_sampling import AUDITS, audit
from tests.histories import History, Step
from tests.records.bundles import bundle, lines


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    path = tmp_path / "replay.jsonl"
    path.write_bytes(b"".join(to_document(one) + b"\n" for one in AUDITS))
    return path


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["sample", *map(str, arguments)])
    return done.exit_code, done.output


def test_a_table_is_drawn_answered_and_scored(documents: Path, tmp_path: Path) -> None:
    table = tmp_path / "sample.csv"
    given = ("--size", "20", "--seed", "7", "--lines", "counted", "--output", table)
    status, told = run(documents, *given)
    assert status == 0
    assert told == "20 of 120 lines, drawn with --seed 7\n  no_match: 8 of 40\n  run: 12 of 80\n"
    first = table.read_bytes()
    run(documents, *given)
    assert table.read_bytes() == first
    assert run("--score", table)[0] == 1
    with table.open(newline="") as file:
        drawn = list(csv.DictReader(file))
    for at, row in enumerate(drawn):
        row["answer"] = ("agree", "Agree ", "unsure", "")[at % 4]
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(drawn[0]))
        writer.writeheader()
        writer.writerows(drawn)
    status, told = run("--score", table)
    assert status == 0
    assert "precision of attributed lines: 100.0%, with 95 % confidence" in told
    assert "rightly not: 100.0%" in told


def test_a_page_runs_its_own_script_only(tmp_path: Path) -> None:
    history = History(tmp_path / "clone")
    history.do(Step(write={"a.py": "<script>one</script>\ntwo\n"}))
    commit = history.git("rev-parse", "HEAD")
    made = audit(1, "run", "run", "run")
    path = tmp_path / "one.jsonl"
    path.write_bytes(to_document(made).replace(b"0" * 40, commit.encode()))
    page = tmp_path / "judge.html"
    status, _ = run(path, "--git", tmp_path / "clone", "--output", page)
    text = page.read_text()
    assert status == 0
    assert "&lt;script&gt;one&lt;/script&gt;" in text
    assert text.count("<article") == 3
    assert text.count("<script") == 1
    assert re.search(r"default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-", text)
    assert not re.search(r"""(src|href)=["']?http|\sstyle=|\son\w+=""", text)


def test_a_bundle_is_sampled_as_a_replay_is(tmp_path: Path) -> None:
    path, table = tmp_path / "bundle", tmp_path / "a.csv"
    path.write_bytes(bundle(lines()))
    assert run(path, "--seed", "7", "--output", table)[1] == "0 of 0 lines, drawn with --seed 7\n"
    assert table.read_text().count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [[], ["FILE"], ["FILE", "--output", "a.txt"], ["FILE", "--by", "mood"]]
)
def test_wrong_use(documents: Path, arguments: list[str]) -> None:
    given = [str(documents) if one == "FILE" else one for one in arguments]
    assert run(*given)[0] == 2


def test_what_is_no_table_is_named(documents: Path, tmp_path: Path) -> None:
    status, told = run("--score", documents)
    assert status == 1
    assert "replay.jsonl:2: 'answer'; give the table" in told
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{}\n")
    status, told = run(broken, "--output", tmp_path / "a.csv")
    assert (status, "broken.jsonl:1" in told) == (1, True)
