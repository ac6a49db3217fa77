"""Journey 3 on one page: the history of a clone is audited again, one document a line.

It publishes nothing and needs no server. The work is spread over processes; what they write is
in the order of the history, and the same however often it was interrupted on the way.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from ghapp import __version__
from ghapp.attribution import verdict
from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import Codebook, FingerprintCodebook
from ghapp.attribution.document import SCHEMA, to_document
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import Audit, AuditSubject, Change, Struct, UnreadEvidence
from ghapp.attribution.policy import Policy
from ghapp.auditing.edit_index import EditCatalog, EditIndex, write_index
from ghapp.auditing.processes import in_order
from ghapp.git.history import HistorySpan, LandedChange, landed, pull_heads
from ghapp.git.landed import NotInClone, changes
from ghapp.git.repository import GitRepository
from ghapp.ingest.artifacts import find_evidence
from ghapp.ingest.carried import read_history
from ghapp.policy.at_merge import BasePolicies, BasePolicy

AT_ONCE = 16
"""Neighbors in a history whose changes are asked of git together."""

WHOLE_CHANGE = "(the whole change)"
"""Stands for the files of a change that could not be read: nobody knows which they are."""


class ReplayTerms(Struct, frozen=True):
    """What a replay goes by."""

    repository_path: Path
    evidence: tuple[Path, ...]
    policy: Policy | None
    """``None``: the repository's own, as it was on the base before each merge."""
    branch: str = "HEAD"
    since: datetime | None = None
    until: datetime | None = None
    """The last instant that belongs to it."""
    every_commit: bool = False
    repository: str | None = None
    """``owner/name``; ``None``: the documents name none."""
    roots: tuple[str, ...] = ()
    fingerprint_key: bytes | None = None
    """The installation's key: lines are compared as the app compares its fingerprints; ``None``:
    as text."""
    at: datetime | None = None
    """The time that decides which audits are final; ``None``: when the replay was started."""
    carried: bool = False
    """Whether what the clone itself carries about its commits is evidence too."""
    jobs: int = 1


class ReplayProgress(Struct, frozen=True):
    """How far a replay is."""

    done: int
    total: int
    problem: str | None = None
    """What could not be read of the one just done; ``None``: nothing, or told before."""


class ReplayResult(Struct, frozen=True):
    """What a replay did."""

    documents: int
    incomplete: int
    """Documents of changes or evidence that could not be read whole."""
    resumed_from: int
    """Documents that an earlier, interrupted replay had written."""
    unread: tuple[UnreadEvidence, ...]
    """What of the evidence could not be read."""
    cut: bool
    """The clone is shallow, and its history ends inside the span that was asked for."""


Watch = Callable[[ReplayProgress], None]


class GatheredEvidence(NamedTuple):
    """Evidence that was read, for one replay or several of the same terms but the policy."""

    folder: Path
    catalog: EditCatalog


@contextmanager
def gathered(terms: ReplayTerms) -> Iterator[GatheredEvidence]:
    """Lend the evidence of a replay. Raises `GitError`, `ArtifactError` and `OSError`."""
    with tempfile.TemporaryDirectory(prefix="ghapp-replay-") as name:
        folder = Path(name)
        yield GatheredEvidence(
            folder, _read_evidence(terms, GitRepository(terms.repository_path), folder)
        )


def replay(terms: ReplayTerms, output: Path, *, now: datetime, watch: Watch) -> ReplayResult:
    """Audit what landed on a branch; write the documents to a file, oldest first.

    A replay that is interrupted leaves its documents beside ``output``, and the same replay
    goes on from there. ``watch`` is told after each document.

    Raises `GitError`, `ArtifactError`, `OSError` and `ProcessFailedError`.
    """
    with gathered(terms) as evidence:
        return replay_with(evidence, terms, output, now=now, watch=watch)


def replay_with(
    evidence: GatheredEvidence, terms: ReplayTerms, output: Path, *, now: datetime, watch: Watch
) -> ReplayResult:
    """Do what `replay` does, with evidence that was read before."""
    git, catalog = GitRepository(terms.repository_path), evidence.catalog
    span = _span(terms, git)
    partial = PartialOutput(output, _key(terms, git, span, catalog), terms.at or now)
    total = sum(1 for _ in landed(git, span))
    todo = islice(landed(git, span), partial.done, None)
    task = ReplayTask(terms, evidence.folder, partial.at)
    watch(ReplayProgress(done=partial.done, total=total))
    with partial.writing() as write:
        for answers in in_order(task, _neighbors(todo), jobs=terms.jobs):
            for document, problem in answers:
                write(document)
                watch(ReplayProgress(done=partial.done, total=total, problem=problem))
    partial.finish()
    return ReplayResult(
        documents=partial.done,
        incomplete=partial.incomplete,
        resumed_from=partial.resumed_from,
        unread=catalog.unread,
        cut=_is_cut(git, span),
    )


def _read_evidence(terms: ReplayTerms, git: GitRepository, folder: Path) -> EditCatalog:
    found = find_evidence(terms.evidence)
    if terms.carried:
        found = chain(found, read_history(git, _tips(terms, git), terms.since).found)
    return write_index(
        found,
        folder,
        roots=terms.roots,
        likely_roots=git.checkouts(),
        encode=None
        if terms.fingerprint_key is None
        else LineFingerprinter(terms.fingerprint_key).lines,
    )


def _tips(terms: ReplayTerms, git: GitRepository) -> list[str]:
    """Return the last commits of everything that may have come onto the branch."""
    return [tip_of(git, terms.branch), *pull_heads(git).values()]


def _span(terms: ReplayTerms, git: GitRepository) -> HistorySpan:
    return HistorySpan(
        tip=tip_of(git, terms.branch),
        since=terms.since,
        until=terms.until,
        every_commit=terms.every_commit,
    )


def tip_of(git: GitRepository, branch: str) -> str:
    """Return where a branch stands; one that only the clone's origin has will do."""
    for name in (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}"):
        if (sha := git.resolve(name)) is not None:
            return sha
    return git.commit(branch).sha


def _key(terms: ReplayTerms, git: GitRepository, span: HistorySpan, catalog: EditCatalog) -> str:
    """Return what two replays have in common exactly if they write the same documents."""
    of = (
        *(__version__, SCHEMA, span, terms.policy and terms.policy.digest, terms.repository),
        *(terms.roots, terms.at),
        *(catalog.digest, catalog.likely_roots, catalog.snapshots, sorted(git.shallow())),
    )
    return hashlib.sha256(msgspec.msgpack.encode(of)).hexdigest()


def _is_cut(git: GitRepository, span: HistorySpan) -> bool:
    """Say whether the oldest commits of a span are missing from a shallow clone."""
    shallow = git.shallow()
    if not shallow:
        return False
    oldest = git.commit(git.oldest(span.tip))
    return oldest.sha in shallow and (span.since is None or span.since <= oldest.committed_at)


def _neighbors(some: Iterator[LandedChange]) -> Iterator[tuple[LandedChange, ...]]:
    while chunk := tuple(islice(some, AT_ONCE)):
        yield chunk


# --- one process's part -------------------------------------------------------------------------


class ReplayTask:
    """Audits neighbors of a history; made once in each process."""

    def __init__(self, terms: ReplayTerms, folder: Path, at: datetime) -> None:
        self.terms = terms
        self.folder = folder
        self.at = at

    def start(self) -> Callable[[tuple[LandedChange, ...]], list[tuple[bytes, str | None]]]:
        """Open what the audits need, and return what makes them."""
        auditor = HistoryAuditor(EditIndex(self.folder), self.terms.fingerprint_key)
        git = GitRepository(self.terms.repository_path)
        policies = self._policies(git)

        def answer(some: tuple[LandedChange, ...]) -> list[tuple[bytes, str | None]]:
            read = zip(some, changes(git, some), policies(some), strict=True)
            return [self._audited(one, change, held, auditor) for one, change, held in read]

        return answer

    def _policies(
        self, git: GitRepository
    ) -> Callable[[tuple[LandedChange, ...]], Sequence[BasePolicy]]:
        """Return what says which policy holds for each of some neighbors."""
        given = self.terms.policy
        if given is not None:
            return lambda some: [BasePolicy(policy=given)] * len(some)
        kept = BasePolicies(git)
        return lambda some: kept.of([one.before for one in some])

    def _audited(
        self,
        one: LandedChange,
        change: Change | NotInClone,
        held: BasePolicy,
        auditor: "HistoryAuditor",
    ) -> tuple[bytes, str | None]:
        problem = held.problem and f"{one.name}: {held.problem}"
        if isinstance(change, NotInClone):
            problem = f"{one.name}: {change.problem}"
            change = Change(missing=(WHOLE_CHANGE,))
        subject = AuditSubject(
            merged_at=one.merged_at,
            repository=self.terms.repository,
            pull_request=one.number,
            merge_commit=one.commit,
        )
        return to_document(auditor.audit(subject, change, held.policy, self.at)), problem


class HistoryAuditor:
    """Audits changes against an index of edits, as the app does against its store."""

    def __init__(self, index: EditIndex, fingerprint_key: bytes | None = None) -> None:
        self._index = index
        self._fingerprinter = (
            None if fingerprint_key is None else LineFingerprinter(fingerprint_key)
        )

    def audit(self, subject: AuditSubject, change: Change, policy: Policy, at: datetime) -> Audit:
        """Return the audit that `attribute` makes of all evidence, from the part that matters."""
        found = self._index.of(subject, change, policy)
        book = Codebook()
        if self._fingerprinter is not None and found.fingerprinted:
            book = FingerprintCodebook(self._fingerprinter)
        audit = attribute(subject, change, found.evidence, policy, at=at, book=book)
        said = verdict.verdict(
            audit.totals, edits_considered=found.considered, complete=change.complete
        )
        inputs = msgspec.structs.replace(
            audit.inputs, evidence=found.digest, edits_considered=found.considered
        )
        return msgspec.structs.replace(audit, verdict=said, inputs=inputs)


# --- the file on its way ------------------------------------------------------------------------


class _State(Struct, frozen=True):
    """What stands beside a partial file."""

    key: str
    at: datetime


class PartialOutput:
    """The documents of a replay on their way into a file, kept beside it when interrupted."""

    def __init__(self, output: Path, key: str, at: datetime) -> None:
        self._output = output
        self._path = output.with_name(f"{output.name}.partial")
        self._state = output.with_name(f"{output.name}.partial.state")
        self.done = 0
        self.incomplete = 0
        known = self._known()
        if known is not None and known.key == key:
            self.at = known.at
            self._take_up()
        else:
            self.at = at
            self._path.write_bytes(b"")
            self._state.write_bytes(msgspec.json.encode(_State(key=key, at=at)))
        self.resumed_from = self.done

    def _known(self) -> _State | None:
        try:
            return msgspec.json.decode(self._state.read_bytes(), type=_State)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _take_up(self) -> None:
        """Count the documents that are there, and cut off one that was half written."""
        self._path.touch()
        with self._path.open("r+b") as file:
            whole = 0
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                self._count(line)
            file.truncate(whole)

    def _count(self, document: bytes) -> None:
        self.done += 1
        self.incomplete += b'"inputs":{"complete":false' in document

    @contextmanager
    def writing(self) -> Iterator[Callable[[bytes], None]]:
        """Lend what writes a document at the end."""
        with self._path.open("ab") as file:

            def write(document: bytes) -> None:
                file.write(document + b"\n")
                self._count(document)

            yield write

    def finish(self) -> None:
        """Put the file where it was asked for."""
        self._path.replace(self._output)
        self._state.unlink()
