"""Recomputes the records of a bundle from a clone and transcripts, to see whether each one holds.

It needs no app. From the record it takes only the inputs: the time, the policy and the pull
request's merge. `ghapp.records.check` verifies the signatures.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import msgspec

from ghapp.attribution import digest
from ghapp.attribution.document import from_document, to_document
from ghapp.attribution.model import Audit, AuditSubject, Change, Struct
from ghapp.attribution.policy import Policy
from ghapp.auditing.edit_index import EditIndex
from ghapp.auditing.replay import HistoryAuditor, ReplayTerms, gathered, neighbors, tip_of
from ghapp.documents.differences import DifferenceCause, compare
from ghapp.git.history import HistorySpan, LandedChange, changes_of, landed
from ghapp.git.landed import NotInClone, changes
from ghapp.git.repository import GitRepository
from ghapp.records.bundle import DocumentLine, LineError, PolicyLine, lines_of, read_line
from ghapp.records.envelope import Envelope
from ghapp.records.statement import AuditRecord, StatementError, read

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RecomputeInputs(Struct, frozen=True):
    """The inputs of a recomputation."""

    clone: Path
    branch: str = "HEAD"
    evidence: tuple[Path, ...] = ()
    """Transcripts; without any and without ``carried``, only the changes are compared."""
    carried: bool = False
    """Whether what the repository itself carries is evidence, too."""
    roots: tuple[str, ...] = ()
    fingerprint_key: bytes | None = None
    """The installation's key, if the app stores fingerprints; ``None``: compare text."""


class RecomputeResult(StrEnum):
    """How a record compares with its recomputation."""

    SAME = "same"
    """The same document, byte for byte; without transcripts: the same change."""
    DIFFERENT = "different"
    """Another result from the same inputs: the record is wrong, or the engine differs."""
    OTHER_INPUTS = "other_inputs"
    """The record was made from another change or other evidence."""
    SUPERSEDED = "superseded"
    """The record was made from less evidence; the pull request has a later one."""
    NOT_FOUND = "not_found"
    """The change is not in this clone's history, or not whole."""


class RecomputedRecord(Struct, frozen=True):
    """One record and the result of its recomputation."""

    record: AuditRecord
    result: RecomputeResult
    why: str | None = None
    """In words; ``None``: there is nothing to add."""


class _Place(Struct, frozen=True):
    """A record that has its document in the bundle."""

    record: AuditRecord
    start: int
    """Where the document's line begins, in bytes."""


def recompute(given: RecomputeInputs, bundle: Path) -> Iterator[RecomputedRecord]:
    """Yield the result for each record whose document is in the bundle, which was verified before.

    The order is that of the clone's history; records that are not in it come last. Raises
    `GitError`, `ArtifactError` and `OSError`.
    """
    places, policies = _read(bundle)
    git = GitRepository(given.clone)
    with _auditor(given) as auditor, bundle.open("rb") as file:
        recomputing = _Recomputing(file, places, policies, auditor)
        history = HistorySpan(tip=tip_of(git, given.branch), every_commit=True)
        span = changes_of(landed(git, history))
        wanted = (one for one in span if one.commit in places)
        for some in neighbors(wanted):
            for one, change in zip(some, changes(git, some), strict=True):
                yield from recomputing.of(one, change)
        yield from recomputing.rest()


def _read(bundle: Path) -> tuple[dict[str, list[_Place]], dict[str, Policy]]:
    """Return the records that have documents, by merge commit, and the policies by digest."""
    places: dict[str, list[_Place]] = {}
    policies: dict[str, Policy] = {}
    start, last = 0, 0
    document: DocumentLine | None = None
    with bundle.open("rb") as file:
        for content, _ in lines_of(file):
            line = _line(content)
            if isinstance(line, PolicyLine):
                policies[line.digest] = msgspec.json.decode(line.policy, type=Policy)
            elif isinstance(line, Envelope) and document is not None:
                _note(places, line, document, last)
            document = line if isinstance(line, DocumentLine) else None
            last, start = start, start + len(content) + 1
    return places, policies


def _line(content: bytes) -> object:
    try:
        return read_line(content)
    except LineError:
        return None


def _note(
    places: dict[str, list[_Place]], envelope: Envelope, document: DocumentLine, start: int
) -> None:
    try:
        record = read(envelope.payload).predicate
    except StatementError:
        return
    if isinstance(record, AuditRecord):
        commit = from_document(document.document).merge_commit or ""
        places.setdefault(commit, []).append(_Place(record=record, start=start))


@contextmanager
def _auditor(given: RecomputeInputs) -> Iterator[HistoryAuditor | None]:
    """Lend an auditor with the given evidence; ``None``: there is none."""
    if not given.evidence and not given.carried:
        yield None
        return
    terms = ReplayTerms(
        repository_path=given.clone,
        evidence=given.evidence,
        carried=given.carried,
        policy=None,
        branch=given.branch,
        roots=given.roots,
        fingerprint_key=given.fingerprint_key,
    )
    with gathered(terms) as evidence:
        yield HistoryAuditor(EditIndex(evidence.folder), given.fingerprint_key)


class _Recomputing:
    """The records of a bundle that are not recomputed yet."""

    def __init__(
        self,
        file: BinaryIO,
        places: dict[str, list[_Place]],
        policies: Mapping[str, Policy],
        auditor: HistoryAuditor | None,
    ) -> None:
        self._file = file
        self._places = places
        self._policies = policies
        self._auditor = auditor
        self._newest: dict[tuple[int, int], int] = {}
        for record in (place.record for some in places.values() for place in some):
            name = (record.link.repository_id, record.link.pull_request)
            self._newest[name] = max(record.link.number, self._newest.get(name, 0))

    def of(self, one: LandedChange, change: Change | NotInClone) -> Iterator[RecomputedRecord]:
        """Yield the results for the records of one commit."""
        for place in self._places.pop(one.commit, ()):
            if isinstance(change, NotInClone):
                yield _not_found(place, change.problem)
            else:
                yield self._compared(place, change)

    def rest(self) -> Iterator[RecomputedRecord]:
        """Yield the records whose commits are not in the history."""
        for some in self._places.values():
            for place in some:
                yield _not_found(place, "its merge commit is not in this branch's history")

    def _compared(self, place: _Place, change: Change) -> RecomputedRecord:
        self._file.seek(place.start)
        document = self._file.readline().removesuffix(b"\n")
        recorded, record = from_document(document), place.record
        if self._auditor is None:
            if digest.of_change(change) == recorded.inputs.diff:
                return RecomputedRecord(record=record, result=RecomputeResult.SAME)
            return RecomputedRecord(
                record=record,
                result=RecomputeResult.OTHER_INPUTS,
                why=DifferenceCause.DIFF_CHANGED,
            )
        made = self._audited(self._auditor, recorded, record, change)
        if _is_same(made, recorded, document):
            return RecomputedRecord(record=record, result=RecomputeResult.SAME)
        return self._different(record, recorded, made)

    def _audited(
        self, auditor: HistoryAuditor, recorded: Audit, record: AuditRecord, change: Change
    ) -> Audit:
        subject = AuditSubject(
            merged_at=recorded.merged_at,
            repository=recorded.repository,
            pull_request=recorded.pull_request,
            merge_commit=recorded.merge_commit,
            base_ref=recorded.base_ref,
            base_commit=recorded.base_commit,
            head_commit=recorded.head_commit,
        )
        at = _EPOCH + timedelta(microseconds=record.link.created_at)
        made = auditor.audit(subject, change, self._policies[recorded.policy.digest], at)
        # Only GitHub has the commits of a squashed pull request, and only the app knows what
        # arrived there; no line depends on what commits declare, or on what was left out.
        commits = recorded.inputs.agent_commits
        has_proven = any(one.proven for one in commits or ())
        inputs = msgspec.structs.replace(
            made.inputs,
            declared=recorded.inputs.declared,
            # Where none is proven, no line depends on them either.
            agent_commits=made.inputs.agent_commits if has_proven else commits,
            passed_over=recorded.inputs.passed_over,
            edits_left_out=recorded.inputs.edits_left_out,
            no_evidence=recorded.inputs.no_evidence,
        )
        return msgspec.structs.replace(made, inputs=inputs)

    def _different(self, record: AuditRecord, recorded: Audit, made: Audit) -> RecomputedRecord:
        causes = compare(recorded, made).causes
        name = (record.link.repository_id, record.link.pull_request)
        if not _has_other_inputs(recorded, made):
            result = RecomputeResult.DIFFERENT
        elif record.link.number < self._newest[name] and _NOT_EVIDENCE.isdisjoint(causes):
            result = RecomputeResult.SUPERSEDED
        else:
            result = RecomputeResult.OTHER_INPUTS
        return RecomputedRecord(record=record, result=result, why=_words(causes, recorded, made))


_NOT_EVIDENCE = frozenset(
    {DifferenceCause.POLICY_CHANGED, DifferenceCause.ENGINE_CHANGED, DifferenceCause.DIFF_CHANGED}
)


def _is_same(made: Audit, recorded: Audit, document: bytes) -> bool:
    """Return whether the documents are the same; of an earlier schema, what it can say."""
    if recorded.schema == made.schema:
        return to_document(made) == document
    return msgspec.structs.replace(made, schema=recorded.schema) == recorded


def _not_found(place: _Place, why: str) -> RecomputedRecord:
    return RecomputedRecord(record=place.record, result=RecomputeResult.NOT_FOUND, why=why)


def _has_other_inputs(recorded: Audit, made: Audit) -> bool:
    one, other = recorded.inputs, made.inputs
    return (one.diff, one.evidence, one.edits_considered, one.unread_records) != (
        *(other.diff, other.evidence, other.edits_considered, other.unread_records),
    ) or recorded.measure is not made.measure


def _words(causes: Sequence[DifferenceCause], recorded: Audit, made: Audit) -> str:
    if recorded.measure is not made.measure:
        return (
            f"measured in {recorded.measure}, here in {made.measure}: fingerprints need "
            "--fingerprint-key, text needs none"
        )
    if DifferenceCause.NOTHING in causes:
        before, after = recorded.inputs.edits_considered, made.inputs.edits_considered
        return f"{before} edits of the repository inside the window, here {after}"
    return ", ".join(causes)
