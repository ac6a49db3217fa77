"""Runs every command of docs/auditing.md, in its order, in a prepared folder."""

import csv
import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.auditing.replay import ReplayTerms, replay
from ghapp.cli.main import main
from ghapp.keys.evidence import EvidenceKeys
from ghapp.keys.signing import RecordSigner
from ghapp.settings import Settings
from ghapp.store import Installation, Repository, Store
from tests.histories import History, Step
from tests.test_docs import DOCS
from tests.transcripts import write_transcript

NOW = datetime(2026, 12, 31, tzinfo=UTC)
TEXT = "".join(f"total_{line} = price_of(customer={line})\n" for line in range(8))
PAGE = (DOCS / "auditing.md").read_text("utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Prepare what the page says one needs, in the present folder; return the app's settings."""
    monkeypatch.chdir(tmp_path)
    history = History(tmp_path / "shop")
    history.do(Step(write={"README.md": "# Shop\n"}, at="2026-05-01T00:00:00Z"))
    for number, name in ((1, "totals"), (2, "prices"), (3, "taxes")):
        step = {"write": {f"src/{name}.py": TEXT}, "message": f"Add (#{number})"}
        history.do(Step(at=f"2026-05-2{number}T00:00:00Z", **step))  # type: ignore[arg-type]
    for name in ("totals", "prices"):
        path = Path("transcripts", f"{name}.jsonl")
        write_transcript(path, f"/home/ann/shop/src/{name}.py", TEXT)
    given = {"GHAPP_DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": f"sqlite:///{tmp_path}/a.db"}
    _record(given)
    return given


def _record(given: dict[str, str]) -> None:
    """Save and sign the audits that an app makes which keeps fingerprints."""
    settings = Settings.from_environment(given, app_required=False)
    with Store.open(settings.database_url) as store:
        store.installations.seen(Installation(id=1, account="acme"), now=NOW)
        seen = Repository(id=42, owner="acme", name="shop", installation_id=1)
        store.installations.repository_seen(seen, now=NOW)
        key = EvidenceKeys(store, settings.encryption_key).present(1, now=NOW)
        terms = ReplayTerms(
            repository_path=Path("shop"),
            evidence=(Path("transcripts"),),
            policy=CLAUDE_CODE_V1,
            repository="acme/shop",
            roots=("/home/ann/shop",),
            fingerprint_key=key.secret,
        )
        replay(terms, Path("live.jsonl"), now=NOW, watch=lambda _: None)
        signer = RecordSigner(store, settings.encryption_key)
        for line in Path("live.jsonl").read_bytes().splitlines():
            number = json.loads(line)["pull_request"]
            store.audits.save(42, number, line, now=NOW, witness=signer.witness)


def _judge() -> None:
    """Answer as a person would on the page, into the table that the page saves."""
    run("ghapp sample shop.bundle.jsonl --size 200 --seed 7 --git shop --output answers.csv", {})
    with Path("answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with Path("answers.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "answer": "agree"} for row in rows)


def run(command: str, environment: dict[str, str]) -> str:
    program, *arguments = shlex.split(command)
    assert program == "ghapp"
    done = CliRunner().invoke(main, arguments, env=environment)
    assert done.exit_code == 0, (command, done.output, done.exception)
    return done.output


def test_every_command_of_the_page_works(environment: dict[str, str]) -> None:
    told = {}
    for command in COMMANDS:
        if "--score" in command:
            _judge()
        told[command] = run(command, environment)
    assert len(told) == len(COMMANDS) >= 13
    said = "\n".join(told.values())
    assert "3 verdicts are the same, recomputed here" in said
    assert "3 changes are the same, recomputed here" in said
    assert "3 pull requests: 3 the same" in said
    assert "    | total_2 = price_of(customer=2)" in said
    assert "precision of attributed lines: 100.0%" in said
    assert "default-src 'none'" in Path("differences.html").read_text()
    assert Path("policies.html").exists()
