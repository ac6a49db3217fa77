"""Journey 2 on one page: artifacts are read, their edits packed and kept, audits due again.

Every door tells it by calling `import_artifacts`. What is kept of an edit's lines is decided
by ``encode``: fingerprints or text. Prompts, conversations and command output are never read
out of an artifact, so none of them can arrive here.
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
    Edit,
    EditResult,
    FingerprintLines,
    Struct,
    TextLines,
    UnreadEvidence,
)
from ghapp.attribution.paths import below, tidy
from ghapp.evidence.source import Worktree
from ghapp.ingest.artifacts import EvidenceArtifact, artifacts, find_evidence
from ghapp.store import EditSender, EvidenceAdded, SavedAudit, Store, WorkKind, WorkRequest

SETTLE = timedelta(minutes=1)
"""An audit waits that long for more evidence: edits come one after the other while someone
works, and all that come in the meantime are covered by one audit."""

log = structlog.get_logger()


class EncodeLines(Protocol):
    """What is kept of an edit's lines: `as_text`, or `AsFingerprints`."""

    @property
    def key_id(self) -> str | None:
        """Return the name of the key that fingerprints are made with; ``None``: text is kept."""
        ...

    def __call__(self, lines: TextLines) -> TextLines | FingerprintLines:
        """Return what is kept."""
        ...


class _AsText(Struct, frozen=True):
    """Keeps the lines as they are, where an organization chose that."""

    key_id: None = None

    def __call__(self, lines: TextLines) -> TextLines:
        """Return the lines."""
        return lines


as_text = _AsText()


@dataclass(frozen=True)
class AsFingerprints:
    """Keeps fingerprints of the lines."""

    fingerprinter: LineFingerprinter
    key_id: str | None

    def __call__(self, lines: TextLines) -> FingerprintLines:
        """Return the lines' fingerprints."""
        return self.fingerprinter.lines(lines)


class ImportResult(Struct, frozen=True):
    """What became of some artifacts."""

    files: int
    """Transcripts found, also those that nothing could be read of."""
    edits: int
    """Edits of this repository found in them."""
    added: int
    already_known: int
    """Sent before, and copies of an edit in forked or resumed agent sessions."""
    not_applied: int
    """Refused, failed or interrupted; kept, so that an audit can name them as the reason."""
    elsewhere: int
    """Edits outside of the given roots; nothing of them is kept."""
    unread: tuple[UnreadEvidence, ...]
    """What could not be read, each with file and line."""
    due_again: frozenset[int]
    """Pull requests whose audit will be made again."""


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
    """Read transcripts, keep the edits they hold for a repository, and make its audits due again.

    ``roots`` are checkouts of the repository on the machine that wrote them: an edit below
    one is kept with its path in the repository, one below none is not kept. Worktrees that
    the transcripts name as made from a root are roots too. Without any, all edits are kept
    with their paths as they are, and each audit works out which are the repository's.
    ``actor`` is the developer's login on GitHub, ``None``: not known. Importing the same
    again adds nothing. Raises `ArtifactError` and `StoreError`.
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
    """Keep edits that come read and encoded, and make the audits that they reach due again."""
    again = due_again(store, now)
    return store.evidence.add(repository_id, edits, now=now, again=again, sender=sender)


def keep_read(
    store: Store, repository_id: int, edits: Iterable[Edit], encode: EncodeLines, *, now: datetime
) -> EvidenceAdded:
    """Keep edits as sources yield them, encoded, and make the audits that they reach due again."""
    encoded = (
        msgspec.structs.replace(edit, lines=encode(edit.lines))  # type: ignore[arg-type]  # sources yield text only
        for edit in edits
    )
    sender = EditSender(key_id=encode.key_id)
    return keep_edits(store, repository_id, encoded, now=now, sender=sender)


def due_again(store: Store, now: datetime) -> Callable[[SavedAudit], WorkRequest]:
    """Return what says how an audit becomes due that new evidence reaches."""
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
    """One reading of the artifacts, or several, with what was met on the way."""

    def __init__(self, roots: set[str], encode: EncodeLines, actor: str | None) -> None:
        self.roots = roots
        self.all_roots = set(roots)
        self.encode = encode
        self.actor = actor
        self.worktrees: set[Worktree] = set()
        self.unread: dict[UnreadEvidence, None] = {}
        self.edits_kept = 0
        self.not_applied = 0
        self.outside: set[str] = set()

    def edits(self, starts: list[Path]) -> Iterator[Edit]:
        """Yield the repository's edits, ready to be kept."""
        for found in find_evidence(starts, self._is_wanted):
            if isinstance(found, Worktree):
                self.worktrees.add(found)
            elif isinstance(found, UnreadEvidence):
                self.unread[found] = None
            elif isinstance(found, Edit) and (edit := self._ready(found)) is not None:
                self.outside.discard(edit.id)
                self.edits_kept += 1
                self.not_applied += edit.outcome is not EditResult.APPLIED
                yield edit

    def turn_to_new_worktrees(self) -> bool:
        """Look at the worktrees of our roots from now on; ``False``: there are no new ones.

        A transcript can name a worktree that an earlier one worked in, so what lies there
        is read in a second turn.
        """
        if not self.roots:
            return False
        named = {
            tidy(worktree.path)
            for worktree in self.worktrees
            if _inside(self.all_roots, tidy(worktree.original)) is not None
        }
        self.roots = {
            path for path in named - self.all_roots if _inside(self.all_roots, path) is None
        }
        self.all_roots |= self.roots
        return bool(self.roots)

    def _is_wanted(self, path: str) -> bool:
        return not self.roots or _inside(self.roots, tidy(path)) is not None

    def _ready(self, edit: Edit) -> Edit | None:
        if not self.roots:
            return self._encoded(edit)
        path = _inside(self.roots, tidy(edit.path))
        if path is None:
            if _inside(self.all_roots, tidy(edit.path)) is None:
                self.outside.add(edit.id)
            return None
        # The directory on somebody's disk has served its purpose.
        return self._encoded(msgspec.structs.replace(edit, path=path, cwd=None))

    def _encoded(self, edit: Edit) -> Edit:
        lines = self.encode(edit.lines)  # type: ignore[arg-type]  # sources yield text only
        return msgspec.structs.replace(edit, lines=lines, actor=edit.actor or self.actor)


def _inside(roots: Iterable[str], path: str) -> str | None:
    """Return a path relative to the deepest root that holds it; ``None``: none does."""
    rests = [rest for root in roots if (rest := below(root, path))]
    return min(rests, key=len, default=None)


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
        due_again=due_again,
    )
