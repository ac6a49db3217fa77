"""The whole of an audit: what it is made from, and what it says of that."""

import pytest
from msgspec.structs import replace

from ghapp import __version__
from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import FingerprintCodebook
from ghapp.attribution.document import SCHEMA, to_document
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import (
    Audit,
    Change,
    EditHunk,
    EditLines,
    Evidence,
    FileDiff,
    UnreadEvidence,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1, Policy
from tests.attribution.strategies import LATER, ROOT, SUBJECT, diff_of, replaced
from tests.attribution.test_candidates import edit
from tests.attribution.test_matching import INVOICE, LEDGER

ONE = replaced(edit("one"), lines=EditLines((EditHunk((), (INVOICE, LEDGER), ()),)))
CHANGE = Change(files=(diff_of("src/a.py", [], [INVOICE, LEDGER, "}"]),))
EVIDENCE = Evidence(edits=(ONE,), roots=(ROOT,))


def audit(
    change: Change = CHANGE, evidence: Evidence = EVIDENCE, policy: Policy = CLAUDE_CODE_V1
) -> Audit:
    return attribute(SUBJECT, change, evidence, policy, at=LATER)


def test_an_audit_names_all_that_it_was_made_from() -> None:
    found = audit()
    assert (found.schema, found.engine, found.measure) == (SCHEMA, __version__, "characters")
    assert (found.repository, found.pull_request) == (SUBJECT.repository, SUBJECT.pull_request)
    assert found.policy == CLAUDE_CODE_V1.used()
    assert (found.inputs.edits_considered, found.inputs.change_complete) == (1, True)


def test_the_same_inputs_give_the_same_bytes() -> None:
    assert to_document(audit()) == to_document(audit())


def test_evidence_that_could_not_be_read_is_counted_and_takes_nothing_away() -> None:
    unread = UnreadEvidence(source="t.jsonl", line=3, problem="broken")
    found = audit(evidence=replace(EVIDENCE, unread=(unread, unread)))
    assert (found.inputs.change_complete, found.inputs.evidence_complete) == (True, False)
    assert found.inputs.unread_records == 2
    assert found.totals == audit().totals


def test_a_file_that_could_not_be_read_takes_the_share_away_and_no_line() -> None:
    found = audit(replace(CHANGE, missing=("z.py", "b.py")))
    assert found.inputs.missing == ("b.py", "z.py")
    assert (found.totals.share, found.totals.attributed) == (None, 2)
    assert found.verdict == "assisted"


def test_files_come_by_path_and_excluded_ones_keep_their_lines() -> None:
    lock = diff_of("go.sum", [], [INVOICE])
    found = audit(Change(files=(*CHANGE.files, lock, FileDiff(path="a.png", binary=True))))
    assert [(file.path, file.excluded, file.effective) for file in found.files] == [
        ("a.png", "binary", 0),
        ("go.sum", "lock_file", 0),
        ("src/a.py", None, 2),
    ]
    assert found.totals.by_reason == {"lock_file": 1, "run": 2, "trivial_line": 1}


def test_the_policys_own_paths_are_excluded() -> None:
    found = audit(policy=Policy(id="own", exclude=("src/",)))
    assert found.files[0].excluded == "excluded_path"
    assert found.verdict == "not_assisted"


def test_fingerprints_need_the_book_that_knows_their_key() -> None:
    fingerprinter = LineFingerprinter(bytes(32))
    kept = replace(EVIDENCE, edits=(replaced(ONE, lines=fingerprinter.lines(ONE.lines)),))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="key"):
        audit(evidence=kept)
    book = FingerprintCodebook(fingerprinter)
    found = attribute(SUBJECT, CHANGE, kept, CLAUDE_CODE_V1, at=LATER, book=book)
    assert (found.measure, found.totals.attributed) == ("tokens", 2)
