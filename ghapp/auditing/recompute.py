"""Records of a bundle recomputed from a clone and transcripts, to see whether each one holds.

It needs no app and trusts none of the record but the time, the policy and the pull request's
merge: these are inputs. Whether signatures hold is told by `ghapp.records.check`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from ghapp.attribution import digest
from ghapp.attribution.document import from_document, to_document
from ghapp.attribution.model import Audit, AuditSubject, Change, Struct
from ghapp.attribution.policy import Policy
from ghapp.auditing.edit_index import EditIndex
from ghapp.auditing.replay import AT_ONCE, HistoryAuditor, ReplayTerms, gathered, tip_of
from ghapp.documents.differences import DifferenceCause, compare
from ghapp.git.history import HistorySpan, LandedChange, landed
from ghapp.git.landed import NotInClone, changes
from ghapp.git.repository import GitRepository
from ghapp.records.bundle import DocumentLine, LineError, PolicyLine, lines_of, read_line
from ghapp.records.envelope import Envelope
from ghapp.records.statement import AuditRecord, StatementError, read

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RecomputeInputs(Struct, frozen=True):
    """What a recomputation goes by."""

    clone: Path
    branch: str = "HEAD"
    evidence: tuple[Path, ...] = ()
    """Transcripts; without any and without ``carried`` only changes are compared."""
    carried: bool = False
    """Whether what the repository itself carries is evidence, too."""
    roots: tuple[str, ...] = ()
    fingerprint_key: bytes | None = None
    """The installation's key, where the app kept fingerprints; ``None``: as text."""


class RecomputeResult(StrEnum):
    """How a record compares with what was worked out here."""

    SAME = "same"
    """The same document, byte for byte; without transcripts: the same change."""
    DIFFERENT = "different"
    """Another result from the same inputs: the record is wrong, or this engine is another one."""
    OTHER_INPUTS = "other_inputs"
    """Made from another change or other evidence than is given here."""
    SUPERSEDED = "superseded"
    """Made from less evidence than there is now; a later record of the pull request stands."""
    NOT_FOUND = "not_found"
    """What it judges is not in this clone's history, or not whole."""


class RecomputedRecord(Struct, frozen=True):
    """What became of one record."""

    record: AuditRecord
    outcome: RecomputeResult
    why: str | None = None
    """In words; ``None``: there is nothing to say."""


class _Place(Struct, frozen=True):
    """A record whose document stands in the bundle, and where."""

    record: AuditRecord
    start: int


def recompute(given: RecomputeInputs, bundle: Path) -> Iterator[RecomputedRecord]:
    """Yield what becomes of each record that has its document in a bundle that checks.

    In the order of the clone's history, what is not in it last. Raises `GitError`,
    `ArtifactError` and `OSError`.
    """
    places, policies = _read(bundle)
    git = GitRepository(given.clone)
    with _auditor(given) as auditor, bundle.open("rb") as file:
        recomputing = _Recomputing(file, places, policies, auditor)
        span = landed(git, HistorySpan(tip=tip_of(git, given.branch), every_commit=True))
        wanted = (one for one in span if one.commit in places)
        while some := tuple(islice(wanted, AT_ONCE)):
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
    """Lend what audits by the evidence that is given; ``None``: there is none."""
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
    """The records of a bundle, each until it is worked out."""

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
        every = (place.record for some in places.values() for place in some)
        self._newest: dict[tuple[int, int], int] = {}
        for record in every:
            name = (record.link.repository_id, record.link.pull_request)
            self._newest[name] = max(record.link.number, self._newest.get(name, 0))

    def of(self, one: LandedChange, change: Change | NotInClone) -> Iterator[RecomputedRecord]:
        """Yield what becomes of the records of one commit."""
        for place in self._places.pop(one.commit, ()):
            if isinstance(change, NotInClone):
                yield RecomputedRecord(
                    record=place.record, outcome=RecomputeResult.NOT_FOUND, why=change.problem
                )
            else:
                yield self._compared(place, change)

    def rest(self) -> Iterator[RecomputedRecord]:
        """Yield the records whose commits did not come."""
        why = "its merge commit is not in the history that is looked at"
        for some in self._places.values():
            for place in some:
                yield RecomputedRecord(
                    record=place.record, outcome=RecomputeResult.NOT_FOUND, why=why
                )

    def _compared(self, place: _Place, change: Change) -> RecomputedRecord:
        self._file.seek(place.start)
        document = self._file.readline().removesuffix(b"\n")
        recorded, record = from_document(document), place.record
        if self._auditor is None:
            is_same = digest.of_change(change) == recorded.inputs.diff
            outcome = RecomputeResult.SAME if is_same else RecomputeResult.OTHER_INPUTS
            return RecomputedRecord(
                record=record,
                outcome=outcome,
                why=None if is_same else DifferenceCause.DIFF_CHANGED,
            )
        made = self._audited(self._auditor, recorded, record, change)
        if to_document(made) == document:
            return RecomputedRecord(record=record, outcome=RecomputeResult.SAME)
        return self._different(record, recorded, made)

    def _audited(
        self, auditor: HistoryAuditor, recorded: Audit, record: AuditRecord, change: Change
    ) -> Audit:
        subject = AuditSubject(
            merged_at=recorded.merged_at,
            repository=recorded.repository,
            pull_request=recorded.pull_request,
            merge_commit=recorded.merge_commit,
        )
        at = _EPOCH + timedelta(microseconds=record.link.created_at)
        made = auditor.audit(subject, change, self._policies[recorded.policy.digest], at)
        # What a pull request's commits say of agents is on GitHub alone; no line rests on it.
        inputs = msgspec.structs.replace(made.inputs, trailers=recorded.inputs.trailers)
        return msgspec.structs.replace(made, inputs=inputs)

    def _different(self, record: AuditRecord, recorded: Audit, made: Audit) -> RecomputedRecord:
        told = compare(recorded, made)
        name = (record.link.repository_id, record.link.pull_request)
        if not _has_other_inputs(recorded, made):
            outcome = RecomputeResult.DIFFERENT
        elif record.link.number < self._newest[name] and _NOT_EVIDENCE.isdisjoint(told.causes):
            outcome = RecomputeResult.SUPERSEDED
        else:
            outcome = RecomputeResult.OTHER_INPUTS
        return RecomputedRecord(
            record=record, outcome=outcome, why=_words(told.causes, recorded, made)
        )


_NOT_EVIDENCE = frozenset(
    {DifferenceCause.POLICY_CHANGED, DifferenceCause.ENGINE_CHANGED, DifferenceCause.DIFF_CHANGED}
)


def _has_other_inputs(recorded: Audit, made: Audit) -> bool:
    one, other = recorded.inputs, made.inputs
    return (one.diff, one.evidence, one.edits_considered, one.unread_records) != (
        *(other.diff, other.evidence, other.edits_considered, other.unread_records),
    ) or recorded.measure is not made.measure


def _words(causes: Sequence[DifferenceCause], recorded: Audit, made: Audit) -> str:
    if recorded.measure is not made.measure:
        return (
            f"counted in {recorded.measure}, here in {made.measure}: fingerprints take "
            "--fingerprint-key, text takes none"
        )
    if DifferenceCause.NOTHING in causes:
        before, after = recorded.inputs.edits_considered, made.inputs.edits_considered
        return f"{before} edits of the repository inside the window, here {after}"
    return ", ".join(causes)
