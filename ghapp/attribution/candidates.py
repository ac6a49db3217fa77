"""Which edits may be credited in which file, and which are out and why. It matches no line.

Asked of each edit: is it a copy of one seen before, does it lie in this repository, was it
applied, is it inside the window (rules.md 2.4, 2.6, 2.7, 2.8).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from ghapp.attribution.model import (
    AuditSubject,
    Change,
    Edit,
    EditResult,
    Evidence,
    FileDiff,
    FileStatus,
)
from ghapp.attribution.paths import KnownCheckouts
from ghapp.attribution.policy import Policy

BY_NUMBER = frozenset({"git_ai_notes", "agent_trace"})
"""Sources that name an agent session's lines in a commit, and not what it did (rules.md 2.8)."""

ByPath = defaultdict[str | None, list[Edit]]


@dataclass(frozen=True, slots=True)
class CandidateEdits:
    """The edits of one repository, by path; ``None`` stands for files outside the change."""

    usable: ByPath = field(default_factory=lambda: defaultdict(list))
    """Applied inside the window."""
    outside_window: ByPath = field(default_factory=lambda: defaultdict(list))
    not_applied: ByPath = field(default_factory=lambda: defaultdict(list))
    order: dict[str, int] = field(default_factory=dict)
    """Each edit's place in the order in which ties are decided (rules.md 2.10), by its id."""

    def of(self, table: ByPath, file: FileDiff) -> list[Edit]:
        """Return a table's edits of a file, under its name and, if renamed, its earlier one."""
        found = list(table.get(file.path, ()))
        if file.status is FileStatus.RENAMED and file.previous_path:
            found += table.get(file.previous_path, ())
            found.sort(key=lambda edit: self.order[edit.id])
        return found

    def considered(self) -> list[Edit]:
        """Return all usable edits, by time and id."""
        edits = [edit for found in self.usable.values() for edit in found]
        return sorted(edits, key=lambda edit: (edit.at, edit.id))

    def compared(self, policy: Policy) -> list[Edit]:
        """Return the usable edits whose lines are compared: those of the change's files.

        A policy that follows moved blocks compares those of all files.
        """
        return [
            edit
            for path, found in self.usable.items()
            if path is not None or policy.moved_blocks
            for edit in found
        ]


def candidates(
    subject: AuditSubject, change: Change, evidence: Evidence, policy: Policy
) -> CandidateEdits:
    """Sort the evidence; edits of other repositories are left out."""
    checkouts = KnownCheckouts(
        evidence.edits,
        change,
        known=evidence.roots,
        likely=evidence.likely_roots,
        snapshots=evidence.snapshots,
        repository=subject.repository,
    )
    first, last = policy.window(subject.merged_at)
    found = CandidateEdits()
    for edit in in_order(first_hand(once(evidence.edits)), subject.merged_at):
        found.order[edit.id] = len(found.order)
        place = checkouts.place(edit.path)
        if not place.inside:
            continue
        if edit.outcome is not EditResult.APPLIED:
            found.not_applied[place.path].append(edit)
        elif first <= edit.at <= last:
            found.usable[place.path].append(edit)
        else:
            found.outside_window[place.path].append(edit)
    return found


def once(edits: Iterable[Edit]) -> list[Edit]:
    """Return each tool call once, whatever number of copies of its record was read.

    Of copies that differ the one is taken that was applied, then the one that claims the
    fewest lines, then the first by agent session, path and time.
    """
    best: dict[str, Edit] = {}
    for edit in edits:
        known = best.get(edit.id)
        if known is None or _preference(edit) < _preference(known):
            best[edit.id] = edit
    return list(best.values())


def _preference(edit: Edit) -> tuple[bool, int, str, str, datetime]:
    own = sum(len(hunk.own) for hunk in edit.lines.hunks)
    return edit.outcome is not EditResult.APPLIED, own, edit.agent_session, edit.path, edit.at


class _Told(Protocol):
    """What must be known of an edit to tell where it comes from."""

    @property
    def tool(self) -> str: ...

    @property
    def agent_session(self) -> str: ...


_ToldT = TypeVar("_ToldT", bound=_Told)


def first_hand(edits: list[_ToldT]) -> list[_ToldT]:
    """Leave out claims to lines by number where the agent session's own edits are known.

    They tell of the same lines, and counted beside each other they would support them twice.
    """
    if not any(edit.tool in BY_NUMBER for edit in edits):
        return edits
    known = {edit.agent_session for edit in edits if edit.tool not in BY_NUMBER}
    return [edit for edit in edits if edit.tool not in BY_NUMBER or edit.agent_session not in known]


def in_order(edits: Iterable[Edit], merged_at: datetime) -> list[Edit]:
    """Order edits as ties are decided: the later not after the merge first, then by id."""
    by_id = sorted(edits, key=lambda edit: edit.id)
    by_time = sorted(by_id, key=lambda edit: edit.at, reverse=True)
    return sorted(by_time, key=lambda edit: edit.at > merged_at)
