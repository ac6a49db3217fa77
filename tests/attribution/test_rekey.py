"""Evidence of several keys audits like evidence of one, on every case of fixtures/audits."""

import itertools
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import FingerprintCodebook
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.identity import name_of
from ghapp.attribution.model import Audit, AuditSubject, Change, Edit, Evidence
from ghapp.attribution.policy import POLICIES
from ghapp.attribution.rekey import rekeyed
from ghapp.attribution.unified_diff import parse_diff
from ghapp.ingest.artifacts import find_evidence
from tests.attribution.test_audits import Case
from tests.cases import cases, names

OLDEST, OLD, PRESENT = (LineFingerprinter(name.encode() * 8) for name in ("one", "two", "three"))
OLD_KEYS = {"k1": OLDEST, "k2": OLD}
FOLDERS = cases("audits")


def _audit(case: Case, change: Change, evidence: Evidence) -> Audit:
    subject = AuditSubject(
        merged_at=case.merged_at, repository=case.repository, pull_request=case.pull_request
    )
    book = FingerprintCodebook(PRESENT)
    return attribute(subject, change, evidence, POLICIES[case.policy], at=case.as_of, book=book)


def _held(edit: Edit, fingerprinter: LineFingerprinter) -> Edit:
    return replace(edit, lines=fingerprinter.lines(edit.lines))  # type: ignore[arg-type]


def _read(folder: Path) -> tuple[Case, Change, Evidence]:
    case = msgspec.json.decode((folder / "case.json").read_bytes(), type=Case)
    found = find_evidence([folder / "evidence"])
    edits = tuple(one for one in found if isinstance(one, Edit))
    change = Change(files=parse_diff((folder / "change.diff").read_bytes()))
    return case, change, Evidence(edits=edits, roots=tuple(case.roots))


@pytest.mark.parametrize("folder", FOLDERS, ids=names(FOLDERS))
def test_edits_of_three_keys_are_attributed_as_those_of_one(folder: Path) -> None:
    case, change, text = _read(folder)
    ids = dict.fromkeys(map(name_of, text.edits))
    keys = dict(zip(ids, itertools.cycle(["k1", "k2", "k3"])))
    named = {**OLD_KEYS, "k3": PRESENT}
    mixed = tuple(_held(edit, named[keys[name_of(edit)]]) for edit in text.edits)
    brought = rekeyed(replace(text, edits=mixed), change, keys, OLD_KEYS, PRESENT)
    alone = replace(text, edits=tuple(_held(edit, PRESENT) for edit in text.edits))
    assert _audit(case, change, brought).files == _audit(case, change, alone).files


def test_an_edit_of_a_key_that_is_gone_stays_and_matches_nothing() -> None:
    case, change, text = _read(next(one for one in FOLDERS if one.name == "tier_run"))
    old = replace(text, edits=tuple(_held(edit, OLD) for edit in text.edits))
    keys = {name_of(edit): "k2" for edit in old.edits}
    assert rekeyed(old, change, keys, {}, PRESENT) == old
    assert _audit(case, change, old).totals.attributed == 0
    brought = rekeyed(old, change, keys, OLD_KEYS, PRESENT)
    assert _audit(case, change, brought).totals.attributed > 0
