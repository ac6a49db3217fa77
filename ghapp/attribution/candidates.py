"""Which edits may be credited in which file, and why the others may not. It matches no line.

It drops copies of an edit and edits outside the repository, then sorts the rest by whether
they were applied and whether they are inside the window (rules.md 2.4, 2.6, 2.7, 2.8).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from ghapp.attribution.committed import CommittedEdit, that_count
from ghapp.attribution.identity import once
from ghapp.attribution.model import (
    SEEN_BY_HOOK,
    AuditSubject,
    Change,
    Edit,
    EditResult,
    EditsLeftOut,
    Evidence,
    FileDiff,
    FileStatus,
    ShellCommand,
)
from ghapp.attribution.paths import KnownCheckouts
from ghapp.attribution.policy import Policy
from ghapp.attribution.shell_commands import counting, named_files, reaches, with_moved

BY_NUMBER = frozenset({"git_ai_notes", "agent_trace"})
"""Tools that name an agent session's lines by number, without its edits (rules.md 2.8)."""

ByPath = defaultdict[str | None, list[Edit]]


@dataclass(frozen=True, slots=True)
class CandidateEdits:
    """The edits of one repository, by path; ``None`` is for files outside the change.

    Each path's edits are in the order of ties (rules.md 2.10).
    """

    merged_at: datetime
    checkouts: KnownCheckouts
    usable: ByPath = field(default_factory=lambda: defaultdict(list))
    """Applied inside the window, or with an unknown outcome that the file has to show."""
    seen: ByPath = field(default_factory=lambda: defaultdict(list))
    """What commands changed inside the window, as the collector's hook saw it."""
    outside_window: ByPath = field(default_factory=lambda: defaultdict(list))
    not_applied: ByPath = field(default_factory=lambda: defaultdict(list))
    elsewhere: list[Edit] = field(default_factory=list)
    """Outside the repository."""
    commands: list[ShellCommand] = field(default_factory=list)
    """Commands inside the window that could reach a file of the change, in the order of ties."""
    commits: list[CommittedEdit] = field(default_factory=list)
    """Agents' own commits that count."""

    def of(self, table: ByPath, file: FileDiff) -> list[Edit]:
        """Return a table's edits of a file, including those of its earlier name if renamed."""
        found = list(table.get(file.path, ()))
        if file.status is FileStatus.RENAMED and file.previous_path:
            return in_order([*found, *table.get(file.previous_path, ())], self.merged_at)
        return found

    def seen_in(self, file: FileDiff, outcome: EditResult) -> list[Edit]:
        """Return what the hook saw of one kind in a file, in the order of ties."""
        return [edit for edit in self.of(self.seen, file) if edit.outcome is outcome]

    def considered(self) -> list[Edit]:
        """Return all usable edits, by time and id."""
        tables = (self.usable, self.seen)
        edits = [edit for table in tables for found in table.values() for edit in found]
        edits += self.beside()
        return sorted(edits, key=lambda edit: (edit.at, edit.id))

    def beside(self) -> list[Edit]:
        """Return the edits without lines: what commands and commits did."""
        return [
            *(one.edit for one in self.commands),
            *(one.edit for one in self.commits),
        ]

    def left_out(self) -> EditsLeftOut:
        """Return how many edits were read and are not usable, by why."""
        return EditsLeftOut(
            outside_window=sum(map(len, self.outside_window.values())),
            not_applied=sum(map(len, self.not_applied.values())),
            elsewhere=len(self.elsewhere),
        )

    def compared(self, policy: Policy) -> list[Edit]:
        """Return the usable edits whose lines an audit compares.

        These are the edits of the change's files, or of all files if the policy follows moved
        blocks.
        """
        return [
            edit
            for table in (self.usable, self.seen)
            for path, found in table.items()
            if path is not None or policy.moved_blocks
            for edit in found
        ]


def candidates(
    subject: AuditSubject, change: Change, evidence: Evidence, policy: Policy
) -> CandidateEdits:
    """Sort the evidence of one repository; edits of other repositories are dropped."""
    commands = counting(evidence.commands, policy)
    edits = with_moved(evidence.edits, commands)
    checkouts = KnownCheckouts(
        (*edits, *named_files(commands)),
        change,
        known=evidence.roots,
        likely=evidence.likely_roots,
        foreign=evidence.foreign_roots,
        snapshots=evidence.snapshots,
        repository=subject.repository,
    )
    first, last = policy.window(subject.merged_at)
    found = CandidateEdits(subject.merged_at, checkouts)
    for edit in in_order(first_hand(once(edits)), subject.merged_at):
        is_seen = edit.outcome in SEEN_BY_HOOK
        if is_seen and not policy.may_count(edit.outcome):
            continue
        place = checkouts.place(edit.path)
        if not place.inside:
            found.elsewhere.append(edit)
        elif not policy.may_count(edit.outcome):
            found.not_applied[place.path].append(edit)
        elif first <= edit.at <= last:
            (found.seen if is_seen else found.usable)[place.path].append(edit)
        else:
            found.outside_window[place.path].append(edit)
    found.commands.extend(reaching(commands, subject, change, policy, checkouts))
    found.commits.extend(that_count(evidence.agent_commits or (), policy, first, last))
    return found


def reaching(
    commands: Iterable[ShellCommand],
    subject: AuditSubject,
    change: Change,
    policy: Policy,
    checkouts: KnownCheckouts,
) -> list[ShellCommand]:
    """Return the commands inside the window that could reach a file of the change.

    They are in the order of ties.
    """
    first, last = policy.window(subject.merged_at)
    return [
        one
        for one in _commands_in_order(commands, subject.merged_at)
        if first <= one.edit.at <= last
        if any(reaches(one, file, checkouts) for file in change.files)
    ]


def _commands_in_order(commands: Iterable[ShellCommand], merged_at: datetime) -> list[ShellCommand]:
    """Return commands in the order of ties, as `in_order` does with edits."""
    by_id = sorted(
        commands,
        key=lambda one: (one.edit.id, one.edit.agent, one.edit.agent_session, one.edit.path),
    )
    by_time = sorted(by_id, key=lambda one: one.edit.at, reverse=True)
    return sorted(by_time, key=lambda one: one.edit.at > merged_at)


class _Sourced(Protocol):
    """The members of an edit that tell its source."""

    @property
    def tool(self) -> str: ...

    @property
    def agent_session(self) -> str: ...


_SourcedT = TypeVar("_SourcedT", bound=_Sourced)


def first_hand(edits: list[_SourcedT]) -> list[_SourcedT]:
    """Drop claims to lines by number if the agent session's own edits are known.

    Both describe the same lines, so together they would support each line twice.
    """
    if not any(edit.tool in BY_NUMBER for edit in edits):
        return edits
    known = {edit.agent_session for edit in edits if edit.tool not in BY_NUMBER}
    return [edit for edit in edits if edit.tool not in BY_NUMBER or edit.agent_session not in known]


def in_order(edits: Iterable[Edit], merged_at: datetime) -> list[Edit]:
    """Return edits in the order of ties: not after the merge first, then latest, then by id."""
    by_id = sorted(edits, key=lambda edit: (edit.id, edit.agent, edit.agent_session, edit.path))
    by_time = sorted(by_id, key=lambda edit: edit.at, reverse=True)
    return sorted(by_time, key=lambda edit: edit.at > merged_at)
