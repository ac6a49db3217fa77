"""A replay of a clone gives the app's audits over GitHub's API again, byte for byte."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import Codebook, FingerprintCodebook
from ghapp.attribution.document import to_document
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import AuditSubject, Evidence
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.auditing.export import export
from ghapp.auditing.recompute import RecomputeInputs, RecomputeResult, recompute
from ghapp.auditing.replay import ReplayTerms, replay
from ghapp.github.pull_requests import fetch
from ghapp.ingest.keep import AsFingerprints, as_text, import_artifacts
from ghapp.keys.signing import RecordSigner
from ghapp.records.check import check
from ghapp.store import Installation, Repository, Store
from tests.github.place import Place
from tests.transcripts import write_transcript

BASE = "".join(f"amount_{number} = cost_of({number})\n" for number in range(40))
AGENT = "".join(f"total_{number} = price_of(customer={number})\n" for number in range(9))


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """Return a folder with the transcript of an agent that wrote lines into a file."""
    at = "2026-05-19T10:00:00.000Z"
    write_transcript(tmp_path / "evidence" / "1.jsonl", "/srv/app/src/totals.py", AGENT, at=at)
    return tmp_path / "evidence"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Return a repository with merged pull requests, which the tests only read."""
    made = Place(tmp_path_factory.mktemp("github"))
    _merge_some(made)
    yield made
    made.close()


KEY = bytes(range(32))
"""The key of the installation's fingerprints."""
ENCODED = {"text": as_text, "fingerprint": AsFingerprints(LineFingerprinter(KEY), "1.1")}


def live(place: Place, store: Store, number: int) -> bytes:
    """Return the document that the app makes, stored and signed."""
    pull = fetch(place.github, number, place.cache)
    span = CLAUDE_CODE_V1.evidence_span(pull.merged_at)
    subject = AuditSubject(
        merged_at=pull.merged_at,
        repository=pull.repository,
        pull_request=number,
        merge_commit=pull.merge_commit,
    )
    # What a reader passed over is stored with no edit; here there was nothing.
    found = Evidence(edits=store.evidence.of(pull.repository_id, *span), passed_over=())
    now = place.clock.now + timedelta(days=9)
    is_text = not found.edits or isinstance(found.edits[0].lines.hunks[0].own[0], str)
    book = Codebook() if is_text else FingerprintCodebook(LineFingerprinter(KEY))
    audit = attribute(subject, pull.change, found, CLAUDE_CODE_V1, at=now, book=book)
    document = to_document(audit)
    witness = RecordSigner(store, KEY).witness
    store.audits.save(pull.repository_id, number, document, now=now, witness=witness)
    return document


@pytest.mark.parametrize("encoding", ENCODED)
def test_same_documents(
    tmp_path: Path, evidence: Path, place: Place, sqlite_store: Store, encoding: str
) -> None:
    store, numbers = sqlite_store, sorted(place.repository.pulls)
    assert len(numbers) == 6
    store.installations.seen(Installation(id=1, account="acme"), now=place.clock.now)
    known = Repository(id=place.repository.id, owner="acme", name="app", installation_id=1)
    store.installations.repository_seen(known, now=place.clock.now)
    import_artifacts(
        *(store, known.id, [evidence], ["/srv/app"], ENCODED[encoding]),
        now=place.clock.now,
        actor="ann",
    )
    expected = b"".join(live(place, store, number) + b"\n" for number in numbers)
    clone = tmp_path / "clone.git"
    subprocess.run(
        ["git", "clone", "-q", "--mirror", str(place.repository.git.path), str(clone)],
        check=True,
    )
    now = place.clock.now + timedelta(days=9)
    key = KEY if encoding == "fingerprint" else None
    terms = ReplayTerms(
        repository_path=clone,
        evidence=(evidence,),
        policy=CLAUDE_CODE_V1,
        repository="acme/app",
        roots=("/srv/app",),
        fingerprint_key=key,
    )
    replay(terms, tmp_path / "out", now=now, watch=lambda _: None)
    assert (tmp_path / "out").read_bytes() == expected
    bundle = tmp_path / "bundle"
    with bundle.open("wb") as file:
        export(store, [known], file, signer=RecordSigner(store, KEY), now=now)
    assert check(bundle).problems == ()
    given = RecomputeInputs(
        clone=clone, evidence=(evidence,), roots=("/srv/app",), fingerprint_key=key
    )
    assert [one.result for one in recompute(given, bundle)] == [RecomputeResult.SAME] * len(numbers)


def _merge_some(place: Place) -> None:
    """Merge pull requests in every way, while the base moves on in the same files."""
    sandbox, repository = place.sandbox, place.repository
    files = {"src/totals.py": BASE, ".gitattributes": "gen/* linguist-generated\n"}
    for count, how in enumerate(("squash", "merge", "rebase", "squash", "rebase", "merge")):
        place.clock.now += timedelta(hours=1)
        files["src/totals.py"] = f"first_{how}_{count} = 1 + 2\n" + files["src/totals.py"]
        sandbox.commit(repository, dict(files), message="Move on")
        text = files["src/totals.py"] + AGENT
        part = f"gen/{count}.py"
        pull = sandbox.open_pull(repository, files={"src/totals.py": text, part: AGENT})
        moved = f"again_{how}_{count} = 3 + 4\n"
        files["src/totals.py"] = moved + files["src/totals.py"]
        sandbox.commit(repository, dict(files), message="Move on meanwhile")
        sandbox.merge(pull, method=how)
        files["src/totals.py"] = moved + text
