"""Journey 2 on one page: read artifacts, store their edits, and make audits due again.

Every door calls `import_artifacts`. An `EncodeLines` decides whether an edit's lines are stored
as fingerprints or as text. Sources never take prompts, conversations or command output from an
artifact, so none of them can get here.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import (
    NOT_DONE,
    Edit,
    FingerprintLines,
    PassedOver,
    Struct,
    TextLines,
    UnreadEvidence,
)
from ghapp.attribution.paths import below_deepest, is_absolute, tidy, within
from ghapp.evidence.source import Worktree, added_up
from ghapp.ingest.artifacts import EvidenceArtifact, artifacts, find_evidence
from ghapp.keys.evidence import EvidenceKeys
from ghapp.store import EditSender, EvidenceAdded, SavedAudit, Store, WorkKind, WorkRequest

SETTLE = timedelta(minutes=1)
"""How long an audit waits for more evidence. Edits arrive one after the other while someone works,
and one audit covers all that arrive in this time."""

log = structlog.get_logger()


class EncodeLines(Protocol):
    """Encodes an edit's lines for the store: `as_text`, or `AsFingerprints`."""

    @property
    def key_id(self) -> str | None:
        """Return the id of the fingerprints' key; ``None``: text is stored."""
        ...

    def __call__(self, lines: TextLines) -> TextLines | FingerprintLines:
        """Return the lines as they are stored."""
        ...


class _AsText(Struct, frozen=True):
    """Stores the lines as they are, if an organization chose that."""

    key_id: None = None

    def __call__(self, lines: TextLines) -> TextLines:
        """Return the lines."""
        return lines


as_text = _AsText()


@dataclass(frozen=True)
class AsFingerprints:
    """Stores fingerprints of the lines."""

    fingerprinter: LineFingerprinter
    key_id: str | None

    def __call__(self, lines: TextLines) -> FingerprintLines:
        """Return the lines' fingerprints."""
        return self.fingerprinter.lines(lines)


def encoder(
    encoding: str, keys: EvidenceKeys, installation_id: int, *, now: datetime
) -> EncodeLines:
    """Return how an installation's lines are encoded; ``encoding`` is the setting's value.

    Raises `KeyLost`, and `LookupError` where the installation is not known.
    """
    if encoding == "text":
        return as_text
    key = keys.present(installation_id, now=now)
    return AsFingerprints(key.fingerprinter, key.id)


class ImportResult(Struct, frozen=True):
    """The result of importing some artifacts."""

    files: int
    """Transcripts found, including those that cannot be read."""
    edits: int
    """Edits of this repository found in them."""
    added: int
    already_known: int
    """Stored before, or copies of an edit in forked or resumed agent sessions."""
    not_applied: int
    """Refused, failed or interrupted; stored so that an audit can name them as a reason."""
    elsewhere: int
    """Edits outside the given roots. Nothing of them is stored."""
    unread: tuple[UnreadEvidence, ...]
    """Everything that cannot be read, with file and line."""
    passed_over: tuple[PassedOver, ...]
    """What is not read as an edit."""
    due_again: frozenset[int]
    """Numbers of the pull requests that will be audited again."""


def import_artifacts(  # noqa: PLR0913 - what the journey starts from, and nothing else
    store: Store,
    repository_id: int,
    paths: Iterable[Path],
    roots: Iterable[str],
    encode: EncodeLines,
    *,
    now: datetime,
    actor: str | None = None,
) -> ImportResult:
    """Read transcripts, store their edits for a repository, and make its audits due again.

    ``roots`` are checkouts of the repository on the machine that wrote the transcripts. An edit
    below a root is stored with its path in the repository; other edits are not stored. Worktrees
    that the transcripts name as made from a root are roots too. Without roots, all edits are
    stored with their paths as they are, and each audit works out which belong to the repository.
    ``actor`` is the developer's login on GitHub; ``None``: not known. A second import of the
    same transcripts adds nothing. Raises `ArtifactError` and `StoreError`.
    """
    starts = list(paths)
    reading = _Reading({tidy(root) for root in roots}, encode, actor)
    sender = EditSender(key_id=encode.key_id)
    done = [keep_edits(store, repository_id, reading.edits(starts), now=now, sender=sender)]
    while reading.turn_to_new_worktrees():
        more = reading.edits(starts)
        done.append(keep_edits(store, repository_id, more, now=now, sender=sender))
    imported = _imported(starts, reading, done)
    log.info(
        "evidence_imported",
        repository=repository_id,
        edits=imported.edits,
        added=imported.added,
        unread=len(imported.unread),
        due_again=len(imported.due_again),
    )
    return imported


def keep_edits(
    store: Store,
    repository_id: int,
    edits: Iterable[Edit],
    *,
    now: datetime,
    sender: EditSender | None = None,
) -> EvidenceAdded:
    """Store encoded edits, and make the audits that they reach due again."""
    again = due_again(store, now)
    return store.evidence.add(repository_id, edits, now=now, again=again, sender=sender)


def keep_read(  # noqa: PLR0913 - what is kept, where, and who brought it
    store: Store,
    repository_id: int,
    edits: Iterable[Edit],
    encode: EncodeLines,
    *,
    now: datetime,
    carried: bool = False,
) -> EvidenceAdded:
    """Encode and store edits of a source, and make the audits that they reach due again.

    ``carried``: the repository itself holds them.
    """
    encoded = (
        msgspec.structs.replace(edit, lines=encode(edit.lines))  # type: ignore[arg-type]  # sources yield text only
        for edit in edits
    )
    sender = EditSender(key_id=encode.key_id, carried=carried)
    return keep_edits(store, repository_id, encoded, now=now, sender=sender)


def due_again(store: Store, now: datetime) -> Callable[[SavedAudit], WorkRequest]:
    """Return a function that makes the work item for an audit that new evidence reaches."""
    installations: dict[int, int | None] = {}

    def installation(repository_id: int) -> int | None:
        if repository_id not in installations:
            known = store.installations.repository(repository_id)
            installations[repository_id] = known.installation_id if known else None
        return installations[repository_id]

    def again(reached: SavedAudit) -> WorkRequest:
        repository_id = reached.repository_id
        pull = (installation(repository_id), repository_id, reached.pull_request)
        return WorkRequest.for_pull(WorkKind.AUDIT, *pull, at=now + SETTLE, why="evidence arrived")

    return again


class _Reading:
    """One or more passes over the artifacts, with the worktrees and problems found so far."""

    def __init__(self, roots: set[str], encode: EncodeLines, actor: str | None) -> None:
        self.roots = roots
        self.all_roots = set(roots)
        self.encode = encode
        self.actor = actor
        self.worktrees: set[Worktree] = set()
        self.unread: dict[UnreadEvidence, None] = {}
        self.passed_over: list[PassedOver] = []
        self.is_first = True
        self.edits_kept = 0
        self.not_applied = 0
        self.outside: set[str] = set()

    def edits(self, starts: list[Path]) -> Iterator[Edit]:
        """Yield the repository's edits, ready to be stored."""
        for found in find_evidence(starts, self._is_wanted):
            if isinstance(found, Worktree):
                self.worktrees.add(found)
            elif isinstance(found, UnreadEvidence):
                self.unread[found] = None
            elif isinstance(found, PassedOver) and self.is_first:
                self.passed_over.append(found)
            elif isinstance(found, Edit) and (edit := self._ready(found)) is not None:
                self.outside.discard(edit.id)
                self.edits_kept += 1
                self.not_applied += edit.outcome in NOT_DONE
                yield edit

    def turn_to_new_worktrees(self) -> bool:
        """Read only new worktrees of our roots from now on; ``False``: there are none.

        A transcript may name a worktree that an earlier transcript worked in. A second pass
        reads the edits there.
        """
        self.is_first = False
        if not self.roots:
            return False
        named = {
            tidy(worktree.path)
            for worktree in self.worktrees
            if below_deepest(self.all_roots, tidy(worktree.original)) is not None
        }
        self.roots = {
            path for path in named - self.all_roots if below_deepest(self.all_roots, path) is None
        }
        self.all_roots |= self.roots
        return bool(self.roots)

    def _is_wanted(self, path: str) -> bool:
        return not self.roots or bool(self._place(path))

    def _place(self, path: str) -> str | None:
        """Return a path in the repository; one that is not absolute counts in the first pass."""
        if self.roots != self.all_roots and not is_absolute(tidy(path)):
            return None
        return within(self.roots, path)

    def _ready(self, edit: Edit) -> Edit | None:
        if not self.roots:
            return self._encoded(edit)
        path = self._place(edit.path)
        if not path:
            if not within(self.all_roots, edit.path):
                self.outside.add(edit.id)
            return None
        # Nothing needs the directory on the developer's disk any more.
        return self._encoded(msgspec.structs.replace(edit, path=path, cwd=None))

    def _encoded(self, edit: Edit) -> Edit:
        lines = self.encode(edit.lines)  # type: ignore[arg-type]  # sources yield text only
        return msgspec.structs.replace(edit, lines=lines, actor=edit.actor or self.actor)


def _imported(starts: list[Path], reading: _Reading, done: list[EvidenceAdded]) -> ImportResult:
    found = (artifact for start in starts for artifact in artifacts(start))
    due_again: frozenset[int] = frozenset().union(*(one.due_again for one in done))
    return ImportResult(
        files=sum(isinstance(artifact, EvidenceArtifact) for artifact in found),
        edits=reading.edits_kept,
        added=sum(one.added for one in done),
        already_known=sum(one.already_known + one.replaced for one in done),
        not_applied=reading.not_applied,
        elsewhere=len(reading.outside),
        unread=tuple(reading.unread),
        passed_over=added_up(reading.passed_over),
        due_again=due_again,
    )
