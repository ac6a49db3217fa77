"""Recomputes a bundle's records from a clone and transcripts, with a result for each."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.auditing.export import export
from ghapp.auditing.recompute import RecomputedRecord, RecomputeInputs, RecomputeResult, recompute
from ghapp.auditing.replay import ReplayTerms, replay
from ghapp.keys.signing import RecordSigner
from ghapp.records.check import check
from ghapp.store import Repository, Store
from tests.histories import History, Step
from tests.transcripts import write_transcript

KEY = b"\x05" * 32
NOW = datetime(2026, 7, 1, tzinfo=UTC)
SHOP = Repository(id=42, owner="acme", name="shop")
TEXT = "".join(f"price_{line} = cost_of(line={line})\n" for line in range(8))

Alter = Callable[[dict[str, object]], None]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a clone of three pull requests and the evidence of two."""
    history = History(tmp_path / "clone")
    history.do(Step(write={"README.md": "# Shop\n"}, at="2026-05-01T00:00:00Z"))
    for number in (1, 2, 3):
        step = {"write": {f"src/{number}.py": TEXT}, "message": f"Add (#{number})"}
        history.do(Step(at=f"2026-05-{9 + number}T00:00:00Z", **step))  # type: ignore[arg-type]
        if number < 3:
            path = tmp_path / "evidence" / f"{number}.jsonl"
            write_transcript(path, f"/srv/shop/src/{number}.py", TEXT, at="2026-05-09T00:00:00Z")
    return tmp_path


def recorded(place: Path, store: Store, alter: Alter = lambda _: None) -> Path:
    """Save what a replay gives, perhaps altered before it is signed; return the bundle."""
    terms = ReplayTerms(
        repository_path=place / "clone",
        evidence=(place / "evidence",),
        policy=CLAUDE_CODE_V1,
        repository="acme/shop",
    )
    replay(terms, place / "out", now=NOW, watch=lambda _: None)
    signer = RecordSigner(store, KEY)
    for line in (place / "out").read_bytes().splitlines():
        document = json.loads(line)
        alter(document)
        written = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
        number = document["pull_request"]
        store.audits.save(42, number, written, now=NOW, witness=signer.witness)
    with (place / "bundle").open("wb") as file:
        export(store, [SHOP], file, signer=signer, now=NOW)
    assert check(place / "bundle").problems == ()
    return place / "bundle"


def results(place: Path, bundle: Path, **more: object) -> list[RecomputedRecord]:
    values = {"clone": place / "clone", "evidence": (place / "evidence",), **more}
    return list(recompute(RecomputeInputs(**values), bundle))  # type: ignore[arg-type]


def test_every_verdict_is_the_same(place: Path, sqlite_store: Store) -> None:
    bundle = recorded(place, sqlite_store)
    assert [one.result for one in results(place, bundle)] == [RecomputeResult.SAME] * 3
    assert [one.result for one in results(place, bundle, evidence=())] == [RecomputeResult.SAME] * 3


def _one_more(document: dict[str, object]) -> None:
    if document["pull_request"] == 2:
        document["totals"]["attributed"] = 7  # type: ignore[index]


def test_a_verdict_that_was_signed_wrong_is_named(place: Path, sqlite_store: Store) -> None:
    bundle = recorded(place, sqlite_store, _one_more)
    found = {one.record.link.pull_request: one for one in results(place, bundle)}
    assert [found[number].result for number in (1, 2, 3)] == ["same", "different", "same"]
    assert found[2].record.name == "record 2 of acme/shop (pull request 2, audit 1)"


def test_other_evidence_is_no_fault_of_the_record(place: Path, sqlite_store: Store) -> None:
    bundle = recorded(place, sqlite_store)
    (place / "evidence" / "2.jsonl").unlink()
    found = results(place, bundle)
    # Edits in other files of the repository count as considered, so all of them differ.
    assert {one.result for one in found} == {RecomputeResult.OTHER_INPUTS}
    assert found[1].why == "evidence_erased"


def test_another_change_is_told(place: Path, sqlite_store: Store) -> None:
    def alter(document: dict[str, object]) -> None:
        document["inputs"]["diff"] = "sha256:0"  # type: ignore[index]

    bundle = recorded(place, sqlite_store, alter)
    found = results(place, bundle, evidence=())
    assert [(one.result, one.why) for one in found] == [("other_inputs", "diff_changed")] * 3


def test_a_record_that_a_later_one_superseded(place: Path, sqlite_store: Store) -> None:
    late = place / "evidence" / "2.jsonl"
    text = late.read_text()
    late.unlink()
    recorded(place, sqlite_store)
    late.write_text(text)
    (place / "out").unlink()
    bundle = recorded(place, sqlite_store)
    found = [one.result for one in results(place, bundle)]
    assert sorted(found) == ["same"] * 3 + ["superseded"] * 3


def test_what_a_clone_does_not_have_is_said(place: Path, sqlite_store: Store) -> None:
    bundle = recorded(place, sqlite_store)
    other = History(place / "other")
    other.do(Step(write={"a.py": TEXT}, message="Other (#1)"))
    found = results(place, bundle, clone=place / "other")
    assert [one.result for one in found] == [RecomputeResult.NOT_FOUND] * 3


def test_text_and_fingerprints_are_told_apart(place: Path, sqlite_store: Store) -> None:
    bundle = recorded(place, sqlite_store)
    found = results(place, bundle, fingerprint_key=bytes(32))
    assert "--fingerprint-key" in str(found[0].why)
