"""Compares two audits: which lines differ, and the cause that the documents show."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from ghapp.attribution.attribute import attribute
from ghapp.attribution.model import (
    AgentCommit,
    Audit,
    AuditSubject,
    Change,
    CommittedLines,
    Edit,
    Evidence,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1, Policy
from ghapp.attribution.unified_diff import parse_diff
from ghapp.documents.differences import DifferenceCause, compare, sums
from ghapp.ingest.artifacts import find_evidence
from tests.transcripts import write_transcript

MERGED_AT = datetime(2026, 5, 20, tzinfo=UTC)
TEXT = "".join(f"total_{number} = price_of(customer={number})\n" for number in range(5))
DIFF = "--- /dev/null\n+++ b/src/a.py\n@@ -0,0 +1,5 @@\n" + "".join(
    f"+{line}\n" for line in TEXT.splitlines()
)
LATER = MERGED_AT + timedelta(days=60)


@pytest.fixture
def edits(tmp_path: Path) -> tuple[Edit, ...]:
    write_transcript(tmp_path / "1.jsonl", "/srv/shop/src/a.py", TEXT)
    return tuple(one for one in find_evidence([tmp_path]) if isinstance(one, Edit))


def audit(
    edits: tuple[Edit, ...],
    *,
    policy: Policy = CLAUDE_CODE_V1,
    diff: str = DIFF,
    commits: tuple[AgentCommit, ...] | None = None,
) -> Audit:
    subject = AuditSubject(merged_at=MERGED_AT, repository="acme/shop", pull_request=7)
    change = Change(files=parse_diff(diff.encode()))
    evidence = Evidence(edits=edits, agent_commits=commits)
    return attribute(subject, change, evidence, policy, at=LATER)


def test_same(edits: tuple[Edit, ...]) -> None:
    found = compare(audit(edits), audit(edits))
    assert found.same
    assert found.causes == (DifferenceCause.NOTHING,)


def test_evidence_arrived_and_was_erased(edits: tuple[Edit, ...]) -> None:
    arrived = compare(audit(()), audit(edits))
    assert arrived.causes == (DifferenceCause.EVIDENCE_ARRIVED,)
    assert [line.line for line in arrived.lines] == [1, 2, 3, 4, 5]
    assert compare(audit(edits), audit(())).causes == (DifferenceCause.EVIDENCE_ERASED,)


def test_evidence_changed(edits: tuple[Edit, ...]) -> None:
    others = tuple(msgspec.structs.replace(one, id="toolu_other") for one in edits)
    assert compare(audit(edits), audit(others)).causes == (DifferenceCause.EVIDENCE_CHANGED,)


def test_policy_changed(edits: tuple[Edit, ...]) -> None:
    narrow = Policy(id="acme-v1", window_before_days=0)
    assert compare(audit(edits), audit(edits, policy=narrow)).causes == (
        DifferenceCause.POLICY_CHANGED,
    )


def test_diff_changed(edits: tuple[Edit, ...]) -> None:
    shorter = DIFF.replace("+1,5", "+1,4").replace(f"+{TEXT.splitlines()[-1]}\n", "")
    found = compare(audit(edits), audit(edits, diff=shorter))
    assert found.causes == (DifferenceCause.DIFF_CHANGED,)
    assert [(line.line, line.after) for line in found.lines] == [(5, None)]


def test_engine_changed(edits: tuple[Edit, ...]) -> None:
    old = msgspec.structs.replace(audit(()), engine="0.9")
    assert compare(old, audit(edits)).causes == (
        DifferenceCause.ENGINE_CHANGED,
        DifferenceCause.EVIDENCE_ARRIVED,
    )


def test_sums(edits: tuple[Edit, ...]) -> None:
    some = [compare(audit(()), audit(edits)), compare(audit(edits), audit(edits))]
    total = sums(some)
    assert (total.pull_requests, total.same, total.lines) == (2, 1, 5)
    assert (total.attributed_before, total.attributed_after) == (5, 10)
    assert total.by_cause == {"evidence_arrived": 1}
    assert total.by_reasons == {"no_match -> run": 5}


def test_one_that_asked_github_whose_commits_these_are() -> None:
    lines = (CommittedLines(path="src/a.py", numbers=(1,)),)
    commit = AgentCommit(
        sha="c" * 40, agent="jules", counted_as="jules", at=MERGED_AT, is_proven=True, lines=lines
    )
    asked = audit((), commits=(commit,))
    assert asked.totals.attributed == 1
    for one, other in ((asked, audit(())), (audit(()), asked)):
        assert compare(one, other).causes == (DifferenceCause.COMMITS_NOT_ASKED,)
