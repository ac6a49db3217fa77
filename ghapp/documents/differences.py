"""Compares two audits of the same pull request: which lines differ, and why. It opens no file.

It finds the causes from the documents alone: their digests show which inputs differ.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from ghapp.attribution.model import Audit, LineVerdict, Struct


class DifferenceCause(StrEnum):
    """Why two audits may differ, as `CAUSES` explains; several can hold at once."""

    POLICY_CHANGED = "policy_changed"
    ENGINE_CHANGED = "engine_changed"
    DIFF_CHANGED = "diff_changed"
    EVIDENCE_ARRIVED = "evidence_arrived"
    EVIDENCE_ERASED = "evidence_erased"
    EVIDENCE_CHANGED = "evidence_changed"
    COMMITS_NOT_ASKED = "commits_not_asked"
    EVIDENCE_OUTSIDE = "evidence_outside"
    """The last resort: every digest is the same, so other edits must be the cause."""
    NOTHING = "nothing"


CAUSES: dict[str, str] = {
    DifferenceCause.POLICY_CHANGED: "Another policy, or another version of it.",
    DifferenceCause.ENGINE_CHANGED: "Another version of the engine, or another measure.",
    DifferenceCause.DIFF_CHANGED: "Another diff: a force-push, or another source of it.",
    DifferenceCause.EVIDENCE_ARRIVED: "More edits inside the window: evidence arrived late.",
    DifferenceCause.EVIDENCE_ERASED: "Fewer edits inside the window: evidence was erased.",
    DifferenceCause.EVIDENCE_CHANGED: "As many edits inside the window, but not the same ones.",
    DifferenceCause.COMMITS_NOT_ASKED: (
        "Only one of them asked GitHub whose commits these are, and an agent's are proven."
    ),
    DifferenceCause.EVIDENCE_OUTSIDE: "Edits outside the window or not applied; they only explain.",
    DifferenceCause.NOTHING: "The same verdict, counts and reasons.",
}
"""Cause → what it means, in a sentence."""


class LineDifference(Struct, frozen=True):
    """One added line whose reason or supporting edit differs."""

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
        """Say whether both have the same verdict, counts, and reason of every line."""
        return DifferenceCause.NOTHING in self.causes


class DifferenceSums(Struct, frozen=True):
    """Differences added up."""

    pull_requests: int
    same: int
    attributed_before: int
    attributed_after: int
    lines: int
    """Added lines that differ."""
    by_cause: dict[str, int]
    """Cause → pull requests that differ; one with two causes counts in both."""
    by_reasons: dict[str, int]
    """``before -> after`` → lines."""


Key = tuple[str | None, int | None, str | None]


def key(audit: Audit) -> Key:
    """Return the key that pairs two audits of the same change."""
    number = audit.pull_request
    return audit.repository, number, audit.merge_commit if number is None else None


def compare(before: Audit, after: Audit) -> AuditDifference:
    """Return what differs between two audits of one pull request."""
    lines = tuple(_lines(before, after))
    same = not lines and before.verdict is after.verdict and before.totals == after.totals
    return AuditDifference(
        repository=after.repository,
        pull_request=after.pull_request,
        merge_commit=after.merge_commit,
        causes=(DifferenceCause.NOTHING,) if same else _causes(before, after),
        before=before,
        after=after,
        lines=lines,
    )


def sums(differences: Iterable[AuditDifference]) -> DifferenceSums:
    """Add differences up without keeping them in memory."""
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
    # Another policy may have another window: then other edits need no cause of their own.
    if (
        before.inputs.evidence != after.inputs.evidence
        and DifferenceCause.POLICY_CHANGED not in found
    ):
        found.append(_of_evidence(before, after))
    return tuple(found) or (DifferenceCause.EVIDENCE_OUTSIDE,)


def _of_evidence(before: Audit, after: Audit) -> DifferenceCause:
    commits = (before.inputs.agent_commits, after.inputs.agent_commits)
    if None in commits and any(one.proven for some in commits for one in some or ()):
        return DifferenceCause.COMMITS_NOT_ASKED
    old, new = before.inputs.edits_considered, after.inputs.edits_considered
    if new == old:
        return DifferenceCause.EVIDENCE_CHANGED
    return DifferenceCause.EVIDENCE_ARRIVED if new > old else DifferenceCause.EVIDENCE_ERASED


def _lines(before: Audit, after: Audit) -> Iterable[LineDifference]:
    """Yield the lines that differ, by path and number."""
    old, new = _by_place(before), _by_place(after)
    for path, line in sorted(old.keys() | new.keys()):
        one, other = old.get((path, line)), new.get((path, line))
        if one != other:
            yield LineDifference(path=path, line=line, before=one, after=other)


def _by_place(audit: Audit) -> dict[tuple[str, int], LineVerdict]:
    return {(file.path, line.line): line for file in audit.files for line in file.lines}
