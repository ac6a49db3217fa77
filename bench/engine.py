"""Our engine as an auditor in this process; only this module of the bench calls it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec.structs import replace

from bench.audits import Document, Question
from ghapp.attribution.attribute import attribute
from ghapp.attribution.document import to_document
from ghapp.attribution.model import AuditSubject, Change, Edit, EditResult, Evidence
from ghapp.attribution.policy import POLICIES, Policy
from ghapp.attribution.unified_diff import parse_diff
from ghapp.offline import OfflineTerms, audit_diff, read_evidence

SETTLED = timedelta(days=30)
"""Time of the audit after the merge, when the window is closed."""


@dataclass(frozen=True)
class EngineAuditor:
    """Our engine by the code of the command line, in this process."""

    policy: Policy = POLICIES["claude-code-v1"]

    def __call__(self, question: Question) -> Document:
        """Return our audit of one change, from files on disk to the document's bytes and back."""
        return msgspec.json.decode(self.document(question), type=Document)

    def document(self, question: Question) -> bytes:
        """Return our audit of one change, from files on disk to the document's bytes."""
        terms = OfflineTerms(
            evidence=question.evidence,
            policy=self.policy,
            at=question.merged_at + SETTLED,
            roots=question.roots,
        )
        text, name = question.diff.read_bytes(), str(question.diff)
        offline = audit_diff(text, name=name, merged_at=question.merged_at, terms=terms)
        return to_document(offline.audit)


@dataclass(frozen=True)
class PatientEngineAuditor:
    """Our own engine on evidence that is read once for many changes."""

    policy: Policy = POLICIES["claude-code-v1"]
    forget: str | None = None
    """Whose outcomes to forget, as if the agent recorded none: of ``applied`` edits or ``all``;
    ``seen``: applied edits as if only the collector's hook had seen their lines."""

    def __call__(self, question: Question) -> Document:
        """Return our audit of one change."""
        evidence = kept_evidence(question.evidence, question.roots)
        if self.forget == "seen":
            evidence = with_outcome(evidence, EditResult.OBSERVED, (EditResult.APPLIED,))
        elif self.forget:
            evidence = without_outcomes(evidence, every=self.forget == "all")
        audit = attribute(
            AuditSubject(merged_at=question.merged_at),
            Change(files=parse_diff(question.diff.read_bytes())),
            evidence,
            self.policy,
            at=question.merged_at + SETTLED,
        )
        return msgspec.json.decode(to_document(audit), type=Document)


@lru_cache(maxsize=1)
def kept_evidence(paths: tuple[Path, ...], roots: tuple[str, ...]) -> Evidence:
    """Read all transcripts below some directories; the last answer is kept."""
    return read_evidence(paths, roots=roots)


def without_outcomes(evidence: Evidence, *, every: bool) -> Evidence:
    """Return evidence as an agent would leave it that records no outcome (rules.md 2.17)."""
    forgotten = EditResult if every else (EditResult.APPLIED,)
    return with_outcome(evidence, EditResult.UNRECORDED, forgotten)


def with_outcome(
    evidence: Evidence, outcome: EditResult, instead_of: Iterable[EditResult]
) -> Evidence:
    """Return evidence whose edits of some outcomes have another one."""
    others = frozenset(instead_of)
    edits = (
        replace(edit, outcome=outcome) if edit.outcome in others else edit
        for edit in evidence.edits
    )
    return replace(evidence, edits=tuple(edits))


def own_lines(edit: Edit) -> list[str]:
    """Return the lines an edit added, as text."""
    return [line for hunk in edit.lines.hunks for line in hunk.own if isinstance(line, str)]
