"""Two audits of the same pull request compared: which lines differ, and why. It opens nothing.

Causes are told from the documents alone: their digests say which of the inputs is another one.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from ghapp.attribution.model import Audit, LineVerdict, Struct


class DifferenceCause(StrEnum):
    """Why two audits may differ; several can hold at once."""

    POLICY_CHANGED = "policy_changed"
    ENGINE_CHANGED = "engine_changed"
    DIFF_CHANGED = "diff_changed"
    """Another diff: a force-push, or another source of it."""
    EVIDENCE_ARRIVED = "evidence_arrived"
    """More edits inside the window than before."""
    EVIDENCE_ERASED = "evidence_erased"
    """Fewer edits inside the window than before."""
    EVIDENCE_CHANGED = "evidence_changed"
    """As many edits inside the window, not the same ones."""
    EVIDENCE_OUTSIDE = "evidence_outside"
    """The same inputs as far as they are digested: edits outside the window, or not applied."""
    NOTHING = "nothing"


CAUSES: dict[str, str] = {
    DifferenceCause.POLICY_CHANGED: "Another policy, or another version of it.",
    DifferenceCause.ENGINE_CHANGED: "Another version of the engine, or another measure.",
    DifferenceCause.DIFF_CHANGED: "Another diff: a force-push, or another source of it.",
    DifferenceCause.EVIDENCE_ARRIVED: "More edits inside the window: evidence arrived late.",
    DifferenceCause.EVIDENCE_ERASED: "Fewer edits inside the window: evidence was erased.",
    DifferenceCause.EVIDENCE_CHANGED: "As many edits inside the window, and not the same ones.",
    DifferenceCause.EVIDENCE_OUTSIDE: "Edits outside the window or not applied; they only explain.",
    DifferenceCause.NOTHING: "The same verdict, counts and reasons.",
}
"""Cause → what it means, in a sentence."""


class LineDifference(Struct, frozen=True):
    """One added line whose reason or supporting edit is another one."""

    path: str
    line: int
    before: LineVerdict | None
    """``None``: the earlier audit has no such added line."""
    after: LineVerdict | None


class AuditDifference(Struct, frozen=True):
    """What differs between two audits of one pull request."""

    repository: str | None
    pull_request: int | None
    merge_commit: str | None
    causes: tuple[DifferenceCause, ...]
    before: Audit
    after: Audit
    lines: tuple[LineDifference, ...]

    @property
    def same(self) -> bool:
        """Say whether both come to the same: verdict, counts and the reason of every line."""
        return (
            not self.lines
            and self.before.verdict is self.after.verdict
            and self.before.totals == self.after.totals
        )


class DifferenceSums(Struct, frozen=True):
    """Differences added up."""

    pull_requests: int
    same: int
    attributed_before: int
    attributed_after: int
    lines: int
    """Added lines that differ."""
    by_cause: dict[str, int]
    """Pull requests that differ, by cause; one with two causes counts in both."""
    by_reasons: dict[str, int]
    """Lines by ``before -> after``."""


Key = tuple[str | None, int | None, str | None]


def key(audit: Audit) -> Key:
    """Return what two audits of the same change have in common."""
    number = audit.pull_request
    return audit.repository, number, audit.merge_commit if number is None else None


def compare(before: Audit, after: Audit) -> AuditDifference:
    """Return what differs between two audits of one pull request."""
    lines = tuple(_lines(before, after))
    found = AuditDifference(
        repository=after.repository,
        pull_request=after.pull_request,
        merge_commit=after.merge_commit,
        causes=(),
        before=before,
        after=after,
        lines=lines,
    )
    causes = (DifferenceCause.NOTHING,) if found.same else _causes(before, after)
    return AuditDifference(
        repository=found.repository,
        pull_request=found.pull_request,
        merge_commit=found.merge_commit,
        causes=causes,
        before=before,
        after=after,
        lines=lines,
    )


def sums(differences: Iterable[AuditDifference]) -> DifferenceSums:
    """Add differences up; they are not kept."""
    pulls = same = attributed_before = attributed_after = lines = 0
    causes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for one in differences:
        pulls += 1
        same += one.same
        attributed_before += one.before.totals.attributed
        attributed_after += one.after.totals.attributed
        lines += len(one.lines)
        if not one.same:
            causes.update(map(str, one.causes))
        reasons.update(f"{_reason(line.before)} -> {_reason(line.after)}" for line in one.lines)
    return DifferenceSums(
        pull_requests=pulls,
        same=same,
        attributed_before=attributed_before,
        attributed_after=attributed_after,
        lines=lines,
        by_cause=dict(sorted(causes.items())),
        by_reasons=dict(sorted(reasons.items())),
    )


def _reason(line: LineVerdict | None) -> str:
    return "(none)" if line is None else line.reason


def _causes(before: Audit, after: Audit) -> tuple[DifferenceCause, ...]:
    found = []
    if before.policy.digest != after.policy.digest:
        found.append(DifferenceCause.POLICY_CHANGED)
    if before.engine != after.engine or before.measure is not after.measure:
        found.append(DifferenceCause.ENGINE_CHANGED)
    if before.inputs.diff != after.inputs.diff:
        found.append(DifferenceCause.DIFF_CHANGED)
    # Another policy has another window, so other edits are nothing that happened to them.
    if (
        before.inputs.evidence != after.inputs.evidence
        and DifferenceCause.POLICY_CHANGED not in found
    ):
        found.append(_of_evidence(before.inputs.edits_considered, after.inputs.edits_considered))
    return tuple(found) or (DifferenceCause.EVIDENCE_OUTSIDE,)


def _of_evidence(before: int, after: int) -> DifferenceCause:
    if after == before:
        return DifferenceCause.EVIDENCE_CHANGED
    return DifferenceCause.EVIDENCE_ARRIVED if after > before else DifferenceCause.EVIDENCE_ERASED


def _lines(before: Audit, after: Audit) -> Iterable[LineDifference]:
    """Yield the lines that differ, by path and number."""
    old, new = _by_place(before), _by_place(after)
    for path, line in sorted(old.keys() | new.keys()):
        one, other = old.get((path, line)), new.get((path, line))
        if one != other:
            yield LineDifference(path=path, line=line, before=one, after=other)


def _by_place(audit: Audit) -> dict[tuple[str, int], LineVerdict]:
    return {(file.path, line.line): line for file in audit.files for line in file.lines}
