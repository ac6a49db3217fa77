"""One line with all that its reason may rest on, and smaller cases made of some of its parts.

Line numbers stay: a hunk without its middle becomes two hunks.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from ghapp.attribution.attribute import attribute, with_outcomes
from ghapp.attribution.candidates import first_hand
from ghapp.attribution.identity import once
from ghapp.attribution.model import (
    Audit,
    AuditSubject,
    Change,
    Edit,
    EditHunk,
    EditLines,
    EditResult,
    Evidence,
    FileDiff,
    Hunk,
    LineVerdict,
    Struct,
)
from ghapp.attribution.paths import KnownCheckouts
from ghapp.attribution.policy import Policy
from ghapp.attribution.shell_commands import counting, named_files, with_moved
from ghapp.documents.case_files import text_lines


class LineCase(Struct, frozen=True):
    """One added line, and all that its reason may rest on."""

    subject: AuditSubject
    change: Change
    evidence: Evidence
    policy: Policy
    path: str
    line: int

    def verdict(self) -> LineVerdict | None:
        """Audit the change, and return the verdict on the line; ``None``: there is none."""
        at = self.subject.merged_at
        audit = attribute(self.subject, self.change, self.evidence, self.policy, at=at)
        return verdict_on(audit, self.path, self.line)

    def with_files(self, files: Iterable[FileDiff]) -> "LineCase":
        """Return the case with other files."""
        return replace(self, change=replace(self.change, files=tuple(files)))

    def with_edits(self, edits: Iterable[Edit]) -> "LineCase":
        """Return the case with other edits."""
        return replace(self, evidence=replace(self.evidence, edits=tuple(edits)))

    @property
    def size(self) -> int:
        """The number of lines of its hunks and edits."""
        of_change = sum(len(hunk.lines) for file in self.change.files for hunk in file.hunks)
        return of_change + sum(
            len(edit.lines.removed)
            + sum(len(hunk.before + hunk.own + hunk.after) for hunk in edit.lines.hunks)
            for edit in self.evidence.edits
        )


def verdict_on(audit: Audit, path: str, line: int) -> LineVerdict | None:
    """Return the verdict on one line of an audit; ``None``: there is no such line."""
    return next(
        (
            verdict
            for file in audit.files
            if file.path == path
            for verdict in file.lines
            if verdict.line == line
        ),
        None,
    )


def as_told(verdict: LineVerdict) -> LineVerdict:
    """Return a verdict as a case gives it: its records tell every outcome."""
    return replace(verdict, outcome=UNSET)


def with_found_checkouts(case: LineCase) -> LineCase:
    """Return a case that names what an audit infers from all of the evidence.

    These are the checkouts, and the outcomes that no record tells.
    """
    evidence = case.evidence
    commands = counting(evidence.commands, case.policy)
    moved = with_moved(evidence.edits, commands)
    checkouts = KnownCheckouts(
        (*moved, *named_files(commands)),
        case.change,
        known=evidence.roots,
        likely=evidence.likely_roots,
        foreign=evidence.foreign_roots,
        snapshots=evidence.snapshots,
        repository=case.subject.repository,
    )
    edits = tuple(first_hand(once(moved)))
    if any(edit.outcome is EditResult.UNRECORDED for edit in edits):
        held = replace(evidence, edits=edits)
        edits = with_outcomes(case.subject, case.change, held, case.policy)
    subject = AuditSubject(merged_at=case.subject.merged_at)
    # What was moved has its new path by now.
    kept = tuple(one for one in commands if one.source is None)
    found = Evidence(
        edits=edits,
        roots=checkouts.roots,
        commands=kept,
        agent_commits=evidence.agent_commits,
    )
    return replace(case, subject=subject, evidence=found)


# --- parts of hunks -------------------------------------------------------------------------------


class LinePart(NamedTuple):
    """A stretch of lines in a hunk of a file or of an edit."""

    owner: int
    """Index of the file or edit."""
    hunk: int
    """Index of the hunk; -1: the lines that the edit removed."""
    start: int
    stop: int


def change_parts(case: LineCase, size: int) -> list[LinePart]:
    """Return the lines of all hunks of the change in stretches of that size."""
    return [
        part
        for owner, file in enumerate(case.change.files)
        for at, hunk in enumerate(file.hunks)
        for part in _stretches(owner, at, len(hunk.lines), size)
    ]


def edit_parts(case: LineCase, size: int) -> list[LinePart]:
    """Return the own and the removed lines of all edits in stretches of that size."""
    found: list[LinePart] = []
    for owner, edit in enumerate(case.evidence.edits):
        lines = text_lines(edit)
        for at, hunk in enumerate(lines.hunks):
            found += _stretches(owner, at, len(hunk.own), size)
        found += _stretches(owner, -1, len(lines.removed), size)
    return found


def _stretches(owner: int, hunk: int, length: int, size: int) -> Iterator[LinePart]:
    for start in range(0, length, size):
        yield LinePart(owner, hunk, start, min(start + size, length))


def of_change_parts(case: LineCase, parts: Iterable[LinePart]) -> LineCase:
    """Return a case with some parts of the change's hunks, which are in order."""
    hunks: dict[int, list[Hunk]] = {}
    for part in _joined(parts):
        whole = case.change.files[part.owner].hunks[part.hunk]
        hunks.setdefault(part.owner, []).append(_part(whole, part.start, part.stop))
    files = case.change.files
    return case.with_files(
        replace(file, hunks=tuple(hunks.get(owner, ()))) for owner, file in enumerate(files)
    )


def of_edit_parts(case: LineCase, parts: Iterable[LinePart]) -> LineCase:
    """Return a case with some parts of the edits' lines, which are in order."""
    hunks: dict[int, list[EditHunk[str]]] = {}
    removed: dict[int, tuple[str, ...]] = {}
    for owner, number, start, stop in _joined(parts):
        lines = text_lines(case.evidence.edits[owner])
        if number < 0:
            removed[owner] = removed.get(owner, ()) + lines.removed[start:stop]
            continue
        whole = lines.hunks[number]
        before = whole.before if start == 0 else ()
        after = whole.after if stop == len(whole.own) else ()
        hunks.setdefault(owner, []).append(EditHunk(before, whole.own[start:stop], after))
    return case.with_edits(
        replace(edit, lines=EditLines(tuple(hunks.get(owner, ())), removed.get(owner, ())))
        for owner, edit in enumerate(case.evidence.edits)
    )


def _joined(parts: Iterable[LinePart]) -> list[LinePart]:
    """Return the parts with those that touch joined."""
    stretches: list[LinePart] = []
    for part in sorted(parts):
        last = stretches[-1] if stretches else None
        if last and last[:2] == part[:2] and last.stop == part.start:
            stretches[-1] = last._replace(stop=part.stop)
        else:
            stretches.append(part)
    return stretches


def _part(hunk: Hunk, start: int, stop: int) -> Hunk:
    """Return some lines of a hunk as a hunk of its own."""
    kept = hunk.lines[start:stop]
    old_before, new_before = _sides(hunk.lines[:start])
    old, new = _sides(kept)
    return Hunk(
        old_start=_start(hunk.old_start, hunk.old_lines, old_before, old),
        old_lines=old,
        new_start=_start(hunk.new_start, hunk.new_lines, new_before, new),
        new_lines=new,
        lines=kept,
    )


def _start(start: int, lines: int, before: int, kept: int) -> int:
    """Return where one side of a part begins: an empty side has the number of the line before."""
    first = start + before + (lines == 0)
    return first if kept else first - 1


def _sides(lines: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """Return how many old and new lines there are."""
    origins = [origin for origin, _ in lines]
    return len(origins) - origins.count("+"), len(origins) - origins.count("-")
