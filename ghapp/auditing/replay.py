"""Journey 3 on one page: audits the history of a clone again, and writes one document per line.

It publishes nothing and needs no server. Several processes share the work; the output is in the
order of the history, and the same however often the replay was interrupted.
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
from ghapp.attribution import no_evidence, verdict
from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import Codebook, FingerprintCodebook
from ghapp.attribution.document import SCHEMA, to_document
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import (
    AgentDeclaration,
    Audit,
    AuditSubject,
    Change,
    PassedOver,
    Struct,
    UnreadEvidence,
)
from ghapp.attribution.policy import Policy
from ghapp.attribution.sides import EditSides
from ghapp.auditing.edit_index import EditCatalog, EditIndex, write_index
from ghapp.auditing.processes import in_order
from ghapp.git.history import (
    HistorySpan,
    LandedChange,
    LeftOut,
    changes_of,
    landed,
    pull_heads,
)
from ghapp.git.landed import NotInClone, changes
from ghapp.git.repository import EMPTY_TREES, GitRepository
from ghapp.ingest.artifacts import find_evidence
from ghapp.ingest.carried import declared_between, read_history
from ghapp.ingest.named_checkouts import repositories_of, with_clone
from ghapp.policy.at_merge import BasePolicies, BasePolicy

MOST_LINES, MOST_EDITS = 200_000, 10_000
"""Lines and edits that a process keeps for the next audits before it begins anew: some 100 MB."""

AT_ONCE = 16
"""Consecutive changes of a history that one git process reads together."""

WHOLE_CHANGE = "(the whole change)"
"""Stands for the files of a change that could not be read, since their names are unknown."""


class ReplayTerms(Struct, frozen=True):
    """The settings of a replay."""

    repository_path: Path
    evidence: tuple[Path, ...]
    policy: Policy | None
    """``None``: the repository's own, as it was on the base before each merge."""
    branch: str = "HEAD"
    since: datetime | None = None
    until: datetime | None = None
    """Inclusive."""
    every_commit: bool = False
    repository: str | None = None
    """``owner/name``; ``None``: the documents name none."""
    roots: tuple[str, ...] = ()
    fingerprint_key: bytes | None = None
    """The installation's key, to compare lines by fingerprints as the app does; ``None``: compare
    text."""
    at: datetime | None = None
    """The time that decides which audits are final; ``None``: when the replay was started."""
    carried: bool = False
    """Whether what the clone itself carries about its commits is evidence, too."""
    jobs: int = 1
    """Number of processes."""


class ReplayProgress(Struct, frozen=True):
    """How far a replay is."""

    done: int
    total: int
    problem: str | None = None
    """What could not be read of the last change; ``None``: nothing, or it was reported before."""


class ReplayResult(Struct, frozen=True):
    """What a replay did."""

    documents: int
    incomplete: int
    """Documents whose change or evidence could not be read whole."""
    resumed_from: int
    """Documents that an earlier, interrupted replay had written."""
    unread: tuple[UnreadEvidence, ...]
    """What of the evidence could not be read."""
    left_out: tuple[LeftOut, ...]
    """Commits of the history that gave no change."""
    edits: int
    """Edits of any repository that were read."""
    passed_over: tuple[PassedOver, ...]
    """What of the evidence is not read as an edit."""
    cut: bool
    """Whether the clone is shallow and its history ends inside the span."""


Watch = Callable[[ReplayProgress], None]


class GatheredEvidence(NamedTuple):
    """Evidence that was read, for replays whose terms differ only in the policy."""

    folder: Path
    catalog: EditCatalog


@contextmanager
def gathered(terms: ReplayTerms) -> Iterator[GatheredEvidence]:
    """Lend the evidence of a replay. Raises `GitError`, `ArtifactError` and `OSError`."""
    with tempfile.TemporaryDirectory(prefix="ghapp-replay-") as name:
        yield GatheredEvidence(Path(name), _read_evidence(terms, Path(name)))


def replay(terms: ReplayTerms, output: Path, *, now: datetime, watch: Watch) -> ReplayResult:
    """Audit what landed on a branch; write the documents to a file, oldest first.

    An interrupted replay leaves its documents beside ``output``, and the same replay resumes
    there. ``watch`` is called after each document.

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
    total = 0
    left_out: list[LeftOut] = []
    for one in landed(git, span):
        if isinstance(one, LeftOut):
            left_out.append(one)
        else:
            total += 1
    todo = islice(changes_of(landed(git, span)), partial.done, None)
    task = ReplayTask(terms, evidence.folder, partial.at)
    watch(ReplayProgress(done=partial.done, total=total))
    with partial.writing() as write:
        for answers in in_order(task, neighbors(todo), jobs=terms.jobs):
            for document, problem in answers:
                write(document)
                watch(ReplayProgress(done=partial.done, total=total, problem=problem))
    partial.finish()
    return ReplayResult(
        documents=partial.done,
        incomplete=partial.incomplete,
        resumed_from=partial.resumed_from,
        unread=catalog.unread,
        left_out=tuple(left_out),
        edits=len(catalog.outcome),
        passed_over=catalog.passed_over,
        cut=_is_cut(git, span),
    )


def _read_evidence(terms: ReplayTerms, folder: Path) -> EditCatalog:
    git, key = GitRepository(terms.repository_path), terms.fingerprint_key
    found = find_evidence(terms.evidence)
    if terms.carried:
        # A squashed pull request's own commits are not in the branch's history.
        tips = [tip_of(git, terms.branch), *pull_heads(git).values()]
        found = chain(found, read_history(git, tips, terms.since))
    encode = None if key is None else LineFingerprinter(key).lines
    checkouts = git.checkouts()
    return write_index(
        found,
        folder,
        roots=with_clone(terms.roots, checkouts),
        likely_roots=checkouts,
        repositories=repositories_of(terms.repository, git.top_level()),
        encode=encode,
    )


def _span(terms: ReplayTerms, git: GitRepository) -> HistorySpan:
    return HistorySpan(
        tip=tip_of(git, terms.branch),
        since=terms.since,
        until=terms.until,
        every_commit=terms.every_commit,
    )


def tip_of(git: GitRepository, branch: str) -> str:
    """Return a branch's last commit, of the clone itself or else of its origin."""
    for name in (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}"):
        if (sha := git.resolve(name)) is not None:
            return sha
    return git.commit(branch).sha


def _key(terms: ReplayTerms, git: GitRepository, span: HistorySpan, catalog: EditCatalog) -> str:
    """Return a digest that two replays share only if they write the same documents."""
    of = (
        *(__version__, SCHEMA, span, terms.policy and terms.policy.digest, terms.repository),
        *(terms.roots, terms.at),
        *(catalog.digest, catalog.likely_roots, catalog.foreign_roots),
        *(catalog.snapshots, catalog.passed_over),
        sorted(git.shallow()),
    )
    return hashlib.sha256(msgspec.msgpack.encode(of)).hexdigest()


def _is_cut(git: GitRepository, span: HistorySpan) -> bool:
    """Say whether the oldest commits of a span are missing from a shallow clone."""
    shallow = git.shallow()
    if not shallow:
        return False
    oldest = git.commit(git.oldest(span.tip))
    at = oldest.committed_at
    return oldest.sha in shallow and (span.since is None or at is None or span.since <= at)


def neighbors(some: Iterator[LandedChange]) -> Iterator[tuple[LandedChange, ...]]:
    """Yield changes of a history in groups that git reads together."""
    while chunk := tuple(islice(some, AT_ONCE)):
        yield chunk


# --- one process's part -------------------------------------------------------------------------


class ReplayTask(NamedTuple):
    """Audits groups of changes; each process gets a copy."""

    terms: ReplayTerms
    folder: Path
    """Folder of the evidence's index."""
    at: datetime

    def start(self) -> Callable[[tuple[LandedChange, ...]], list[tuple[bytes, str | None]]]:
        """Return what makes the document of each change, with what could not be read."""
        auditor = HistoryAuditor(EditIndex(self.folder), self.terms.fingerprint_key)
        git = GitRepository(self.terms.repository_path)
        policies = self._policies(git)

        def answer(some: tuple[LandedChange, ...]) -> list[tuple[bytes, str | None]]:
            read = zip(some, changes(git, some), policies(some), strict=True)
            return [self._audited(one, change, held, auditor, git) for one, change, held in read]

        return answer

    def _policies(
        self, git: GitRepository
    ) -> Callable[[tuple[LandedChange, ...]], Sequence[BasePolicy]]:
        """Return the function that finds the policy for each change of a group."""
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
        git: GitRepository,
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
        audit = auditor.audit(subject, change, held.policy, self.at)
        inputs = msgspec.structs.replace(audit.inputs, declared=self._declared(git, one))
        return to_document(msgspec.structs.replace(audit, inputs=inputs)), problem

    def _declared(
        self, git: GitRepository, one: LandedChange
    ) -> tuple[AgentDeclaration, ...] | None:
        """Return what the change's commits declare, if the clone's own evidence is asked for."""
        if not self.terms.carried or one.cut:
            return None
        base = one.before or EMPTY_TREES[len(one.commit)]
        return declared_between(git, base, one.shown or one.commit)


class HistoryAuditor:
    """Audits changes against an index of edits, as the app does against its store."""

    def __init__(self, index: EditIndex, fingerprint_key: bytes | None = None) -> None:
        self._index = index
        self._fingerprinter = (
            None if fingerprint_key is None else LineFingerprinter(fingerprint_key)
        )
        self._sides: dict[bool, EditSides] = {}

    def audit(self, subject: AuditSubject, change: Change, policy: Policy, at: datetime) -> Audit:
        """Return what `attribute` would return for all evidence, but read only what matters."""
        found = self._index.of(subject, change, policy)
        sides = self._kept_sides(fingerprinted=found.fingerprinted)
        audit = attribute(subject, change, found.evidence, policy, at=at, sides=sides)
        totals, judged = verdict.settled(
            audit.totals, edits_considered=found.considered, complete=change.complete
        )
        inputs = msgspec.structs.replace(
            audit.inputs,
            edits_considered=found.considered,
            edits_left_out=found.left_out,
        )
        inputs = msgspec.structs.replace(inputs, no_evidence=no_evidence.why(judged, inputs))
        return msgspec.structs.replace(audit, verdict=judged, totals=totals, inputs=inputs)

    def _kept_sides(self, *, fingerprinted: bool) -> EditSides:
        """Return the sides of the audits before: those next to each other see the same edits."""
        sides = self._sides.get(fingerprinted)
        if sides is None or len(sides.book.forms) > MOST_LINES or len(sides) > MOST_EDITS:
            with_key = self._fingerprinter if fingerprinted else None
            book = FingerprintCodebook(with_key) if with_key is not None else Codebook()
            sides = self._sides[fingerprinted] = EditSides(book)
        return sides


# --- the unfinished file ------------------------------------------------------------------------


class _State(Struct, frozen=True):
    """The content of the file beside an unfinished output."""

    key: str
    at: datetime


class PartialOutput:
    """The documents of an unfinished replay, in a file beside the output."""

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
        """Count the documents that exist, and cut off one that is half written."""
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
        self.incomplete += b'"change_complete":false' in document

    @contextmanager
    def writing(self) -> Iterator[Callable[[bytes], None]]:
        """Lend the function that appends a document."""
        with self._path.open("ab") as file:

            def write(document: bytes) -> None:
                file.write(document + b"\n")
                self._count(document)

            yield write

    def finish(self) -> None:
        """Rename the file to the output's name."""
        self._path.replace(self._output)
        self._state.unlink()
