"""The core on one page: sort the evidence, exclude, match, judge. It does no I/O.

All inputs are plain values, including the current time, so the same inputs give the same
audit, byte for byte.
"""

from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter

import msgspec
from msgspec.structs import replace

from ghapp import __version__
from ghapp.attribution import committed, digest, no_evidence, unrecorded, verdict
from ghapp.attribution.candidates import CandidateEdits, candidates, in_order
from ghapp.attribution.codebook import Codebook
from ghapp.attribution.command_changed import credit_command_changed
from ghapp.attribution.committed import credit_committed
from ghapp.attribution.document import SCHEMA
from ghapp.attribution.edit_sources import edit_sources, lines_by_model
from ghapp.attribution.exclusions.registry import excluded_file, excluded_line
from ghapp.attribution.matching import FileMatching
from ghapp.attribution.model import (
    Audit,
    AuditInputs,
    AuditSubject,
    Change,
    Edit,
    EditResult,
    Evidence,
    FileDiff,
    FileStatus,
    FileVerdict,
    LineVerdict,
)
from ghapp.attribution.moved import credit_moved_blocks
from ghapp.attribution.nearest import MissExplainer
from ghapp.attribution.normalize import LONGEST_LINE
from ghapp.attribution.policy import Policy
from ghapp.attribution.seen_substitutions import credit_seen_substitutions
from ghapp.attribution.shell_text import credit_shell_text
from ghapp.attribution.sides import EditSides, file_side, reader
from ghapp.attribution.substituted import credit_substituted


def attribute(  # noqa: PLR0913 - four inputs, the time and the measure
    subject: AuditSubject,
    change: Change,
    evidence: Evidence,
    policy: Policy,
    *,
    at: datetime,
    book: Codebook | None = None,
    sides: EditSides | None = None,
) -> Audit:
    """Return, for each added line of a change, the edit that wrote it or the reason for none.

    ``at`` is the current time: the audit is provisional until the window closes. ``book`` is a new
    code book; without one, lines are compared by characters. ``sides`` are those of earlier audits,
    with their code book: an edit that is the same object is not read again. Evidence that holds
    fingerprints needs a `FingerprintCodebook`.
    """
    if sides is None:
        sides = EditSides(book or Codebook())
    sides.begin()
    found = candidates(subject, change, evidence, policy)
    files = tuple(_verdicts(change, found, policy, sides))
    inputs = _inputs(change, evidence, policy, found)
    sources = edit_sources(files, found)
    counted = replace(verdict.totals(files), by_model=lines_by_model(files, sources))
    totals, judged = verdict.settled(
        counted, edits_considered=inputs.edits_considered, complete=change.complete
    )
    return Audit(
        schema=SCHEMA,
        repository=subject.repository,
        pull_request=subject.pull_request,
        merge_commit=subject.merge_commit,
        merged_at=subject.merged_at,
        base_ref=subject.base_ref,
        base_commit=subject.base_commit,
        head_commit=subject.head_commit,
        state=verdict.state(at, policy.window(subject.merged_at)[1]),
        verdict=judged,
        policy=policy.used(),
        engine=__version__,
        measure=sides.book.measure,
        inputs=replace(inputs, no_evidence=no_evidence.why(judged, inputs)),
        totals=totals,
        files=files,
        edits=sources,
    )


def _inputs(
    change: Change, evidence: Evidence, policy: Policy, found: CandidateEdits
) -> AuditInputs:
    """Return what an audit was made from, without why there is no evidence."""
    return AuditInputs(
        diff=digest.of_change(change),
        evidence=digest.with_commits(
            evidence.digest or digest.of_edits(found.compared(policy), found.commands),
            [one.commit for one in found.commits],
        ),
        edits_considered=len(found.considered()),
        change_complete=change.complete,
        evidence_complete=not evidence.unread,
        missing=tuple(sorted(change.missing)),
        unread_records=len(evidence.unread),
        declared=evidence.declared,
        agent_commits=committed.counted(evidence.agent_commits),
        passed_over=evidence.passed_over,
        edits_left_out=found.left_out(),
    )


def with_outcomes(
    subject: AuditSubject, change: Change, evidence: Evidence, policy: Policy
) -> tuple[Edit, ...]:
    """Return the edits with the outcomes that an audit takes unrecorded ones for (rules.md 2.17).

    Unrecorded ones that it does not look at are left out. Lines must be text.
    """
    sides, found = EditSides(Codebook()), candidates(subject, change, evidence, policy)
    applied = {id(edit) for edits in found.outside_window.values() for edit in edits}
    refused = {id(edit) for edits in found.not_applied.values() for edit in edits}
    for file in change.files:
        counted = _CountedFile(file, found, sides, policy)
        applied |= {id(side.edit) for side in counted.matching.sides}
        refused |= {id(edit) for edit in counted.unproven}
    settled = {
        **dict.fromkeys(refused, EditResult.REFUSED),
        **dict.fromkeys(applied, EditResult.APPLIED),
    }
    return tuple(
        edit
        if edit.outcome is not EditResult.UNRECORDED
        else msgspec.structs.replace(edit, outcome=settled[id(edit)])
        for edit in evidence.edits
        if edit.outcome is not EditResult.UNRECORDED or id(edit) in settled
    )


def _verdicts(
    change: Change, found: CandidateEdits, policy: Policy, sides: EditSides
) -> Iterator[FileVerdict]:
    """Yield each file's verdict, by path. All files are matched before any line is judged.

    An edit's own line is credited once in the whole change, so the order of files matters.
    """
    files = sorted(change.files, key=lambda file: (file.path, file.previous_path or ""))
    excluded = [excluded_file(file, change, policy) for file in files]
    counted = [
        None if rule else _CountedFile(file, found, sides, policy)
        for file, rule in zip(files, excluded, strict=True)
    ]
    if policy.moved_blocks:
        added = [at.matching for at in counted if at and at.file.status is FileStatus.ADDED]
        credit_moved_blocks(added, found, sides)
    matchings = [judged.matching if judged else None for judged in counted]
    credit_substituted(matchings, files, found.commands, found.checkouts)
    credit_seen_substitutions(matchings, files, found)
    credit_committed(matchings, files, found.commits)
    credit_shell_text(matchings, files, found.commands, found.checkouts, sides)
    credit_command_changed(matchings, files, found, sides)
    for file, rule, judged in zip(files, excluded, counted, strict=True):
        yield judged.verdict(found) if judged else verdict.excluded_file(file, str(rule))


class _CountedFile:
    """One file during an audit: which of its lines count, and what they match."""

    def __init__(
        self,
        file: FileDiff,
        found: CandidateEdits,
        sides: EditSides,
        policy: Policy,
    ) -> None:
        book = sides.book
        self.file = file
        self._uncounted: dict[int, str] = {}
        counted = self._counted(book)
        side = file_side(file, counted, book)
        usable = sides.all_of(found.of(found.usable, file), file.path)
        applied, unproven = unrecorded.proven(usable, side, book)
        self.unproven = [side.edit for side in unproven]
        self.matching = FileMatching(side, applied, book, policy.limit)
        self.matching.match()

    def _counted(self, book: Codebook) -> dict[int, int]:
        """Return the code of each line that counts, by line number; note why the others do not."""
        numbers, texts = self.file.added_columns()
        found = dict(zip(numbers, reader(self.file.path, book)(texts), strict=True))
        effective = book.effective
        # Nearly all lines count, so the rules run only for the others.
        for number, text in zip(numbers, texts, strict=True):
            code = found[number]
            if effective[code] and len(text) <= LONGEST_LINE:
                continue
            # The code book decides: a notebook's line counts if the source inside it does.
            rule = excluded_line(text, book.forms[code] if effective[code] else "")
            if rule:
                self._uncounted[number] = rule
                del found[number]
        return found

    def verdict(self, found: CandidateEdits) -> FileVerdict:
        """Return each line's reason and the file's counts."""
        matching = self.matching
        misses = MissExplainer(
            matching,
            self.file.path,
            outside_window=found.of(found.outside_window, self.file),
            not_applied=in_order(
                [*found.of(found.not_applied, self.file), *self.unproven], found.merged_at
            ),
        )
        file = matching.file
        lines = [LineVerdict(number, rule) for number, rule in self._uncounted.items()]
        lines += [
            verdict.attributed_line(number, credit)
            if credit
            else verdict.missed_line(number, misses.of(at, file.added[at]))
            for at, (number, credit) in enumerate(zip(file.numbers, matching.credits, strict=True))
        ]
        lines.sort(key=attrgetter("line"))
        return verdict.judged_file(self.file, tuple(lines), effective=len(matching.file.added))
