"""Sends the edits of transcripts that are still on this machine, as if a hook had queued them.

Then it sends usage. It resumes where it stopped: it never resends an edit that the app
acknowledged, and skips a transcript that it has read to its end and that has not changed since. The
memory that edits need is bounded by those of one request and by the largest record.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import field

from ghapp.attribution.model import Edit, PassedOver, Struct, UnreadEvidence
from ghapp.attribution.paths import below, tidy
from ghapp.collector import account, choices, state
from ghapp.collector.addressing import AddressedEdit, EditAddresser, EvidenceDestination, StayReason
from ghapp.collector.batches import most_bytes
from ghapp.collector.client import AppAway, UploadRejected
from ghapp.collector.clones import LocalClones
from ghapp.collector.places import CollectorFiles, read_if_there, write_whole
from ghapp.collector.sender import EvidenceSender
from ghapp.collector.sent import AcknowledgedEdits
from ghapp.collector.usage_reports import earliest_day
from ghapp.collector.usage_sender import send_usage
from ghapp.collector.usage_sent import UsageSent
from ghapp.evidence.source import Worktree, added_up
from ghapp.ingest.artifacts import EvidenceArtifact, artifacts, find_evidence
from ghapp.wire import MOST_BYTES, MOST_EDITS

MOST_WAITING = MOST_BYTES
"""Bytes of JSON that wait to be sent: about one request."""
PATIENCE = timedelta(minutes=2)
"""Longest pause to wait for the app; after a longer one the backfill ends, the next resumes."""


class BackfillResult(Struct, frozen=True):
    """What one backfill did."""

    transcripts: int
    unchanged: int
    """Transcripts skipped: read to their end before, and unchanged since."""
    sent: int
    stays: dict[str, int]
    """Why other edits did not leave, in words → how many."""
    refused: dict[str, str]
    """Repository that the app does not accept → what the app said."""
    unread: tuple[UnreadEvidence, ...]
    passed_over: tuple[PassedOver, ...]
    """What was not read as an edit in the transcripts read now."""
    usage: UsageSent | None
    """What was sent of usage; ``None``: it was not asked for, or it ended early."""
    problem: str | None
    """Why it ended early; ``None``: it did not."""


class _ReadBefore(Struct, frozen=True):
    """Transcripts that were read to their end."""

    under: str = ""
    """Digest of what decides which edits leave; if it changes, everything is read again."""
    since: datetime | None = None
    """Older edits were left out; ``None``: none were."""
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Path → size in bytes and time of change in ns."""


Advance = Callable[[int], None]
"""Called with the bytes of each transcript that is done."""


def size_of(folders: Iterable[Path]) -> int:
    """Return the size of all transcripts in bytes, for a progress bar."""
    return sum(_stamp(path)[0] for path in _transcripts(folders))


def backfill(  # noqa: PLR0913 - what the journey starts from, and nothing else
    places: CollectorFiles,
    folders: Iterable[Path],
    *,
    since: datetime | None,
    now: datetime,
    again: bool = False,
    advance: Advance = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    records: Callable[[], Iterable[Path]] | None = None,
) -> BackfillResult:
    """Send the edits of transcripts; ``since``: only those made from then on.

    ``again`` also sends what the app acknowledged before, in case it has lost that. ``records``
    returns where agents keep all their records: usage is sent of them, from the day of ``since``;
    ``None``: it is not. Raises `CollectorBusy`, `NotEnrolled` and `ChoicesUnread`.
    """
    with places.alone():
        known, chosen = account.load(places), choices.load(places)
        if again:
            AcknowledgedEdits(places.sent).forget()
            places.read.unlink(missing_ok=True)
            chosen = msgspec.structs.replace(chosen, usage_before=None, usage_removed=())
            choices.save(places, chosen)
        sender = EvidenceSender(places, known, now=now, patience=PATIENCE, sleep=sleep)
        run = _Run(places, sender, chosen, since=since, now=now)
        problem = "everything is paused: ghapp collect resume" if chosen.is_paused else None
        try:
            if problem is None:
                problem = run.send_all(list(_transcripts(folders)), advance, records)
        finally:
            # After Ctrl-C, too: the next backfill resumes here.
            _remember(places, run, now)
    return BackfillResult(
        transcripts=run.transcripts,
        unchanged=run.unchanged,
        sent=run.sent,
        stays=dict(sum(run.stays.values(), run.undelivered)),
        refused=run.refused,
        unread=tuple(run.unread),
        passed_over=added_up(one for some in run.passed_over.values() for one in some),
        usage=run.usage,
        problem=problem,
    )


def _transcripts(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for one in artifacts(folder):
            if isinstance(one, EvidenceArtifact):
                yield from one.parts


def _stamp(path: Path) -> tuple[int, int]:
    """Return size (bytes) and time of change (ns), of a database together with its log."""
    # SQLite writes new pages to the log first: https://www.sqlite.org/wal.html
    found = [one.stat() for one in (path, Path(f"{path}-wal")) if one.exists()]
    return sum(one.st_size for one in found), max((one.st_mtime_ns for one in found), default=0)


class _Run:
    """One backfill and its counts."""

    def __init__(
        self,
        places: CollectorFiles,
        sender: EvidenceSender,
        chosen: choices.KeptBack,
        *,
        since: datetime | None,
        now: datetime,
    ) -> None:
        self.places = places
        self.sender = sender
        self.since = since
        self.now = now
        self.chosen = chosen
        self.sorter = EditAddresser(sender.account, chosen, LocalClones())
        self.read_before = _ReadBefore()
        self.waiting: dict[EvidenceDestination, list[tuple[AddressedEdit, Path]]] = defaultdict(
            list
        )
        self.size = 0
        self.read_whole: dict[Path, tuple[int, int]] = {}
        self.done: dict[str, tuple[int, int]] = {}
        self.homeless: dict[Path, set[str]] = defaultdict(set)
        self.worktrees: set[Worktree] = set()
        self.transcripts = self.unchanged = self.sent = 0
        self.stays: dict[Path, Counter[str]] = {}
        self.undelivered: Counter[str] = Counter()
        self.refused: dict[str, str] = {}
        self.left: set[Path] = set()
        self.unread: dict[UnreadEvidence, None] = {}
        self.passed_over: dict[Path, list[PassedOver]] = {}
        self.heard: dict[int, datetime] = {}
        self.usage: UsageSent | None = None

    def send_all(
        self,
        paths: list[Path],
        advance: Advance,
        records: Callable[[], Iterable[Path]] | None,
    ) -> str | None:
        """Read and send everything; return what ended it early."""
        try:
            self.sender.refresh(self.now)
            self.sorter = EditAddresser(self.sender.account, self.chosen, LocalClones())
            self.read_before = _read_before(self.places, self._under(), self.since)
            for path in paths:
                self._file(path)
                advance(_stamp(path)[0])
            for path in self._turn_to_worktrees():
                self._read(path)
            self._settle()
            if records is not None:
                first = earliest_day(self.since, self.now)
                self.usage = send_usage(self.sender, self.chosen, records(), first, self.now)
        except (AppAway, UploadRejected) as error:
            return str(error)
        return None

    def _under(self) -> str:
        """Return a digest of what decides where an edit goes and whether it may leave."""
        known = self.sender.account
        accounts = sorted(one.account for one in known.enrollment.installations)
        return sha256(msgspec.json.encode((known.url, accounts, self.chosen))).hexdigest()

    def _file(self, path: Path) -> None:
        stamp = _stamp(path)
        self.transcripts += 1
        if self.read_before.files.get(str(path)) == stamp:
            self.unchanged += 1
        elif self.since is None or stamp[1] >= self.since.timestamp() * 1e9:
            self._read(path)
            self.read_whole[path] = stamp

    def _turn_to_worktrees(self) -> list[Path]:
        """Return the transcripts to read again: they hold edits in worktrees that are gone.

        Only now are all transcripts read that may name such a worktree.
        """
        gone = [one for one in self.worktrees if not Path(one.path).is_dir()]
        self.sorter = EditAddresser(self.sender.account, self.chosen, LocalClones(gone))
        return sorted(
            path
            for path, edited in self.homeless.items()
            if any(below(tidy(one.path), tidy(name)) for one in gone for name in edited)
        )

    def _read(self, path: Path) -> None:
        stays: Counter[str] = Counter()
        self.stays[path] = stays
        passed_over = self.passed_over[path] = []
        for found in find_evidence([path], self.sorter.wants):
            if isinstance(found, Worktree):
                self.worktrees.add(found)
            elif isinstance(found, UnreadEvidence):
                self.unread[found] = None
            elif isinstance(found, PassedOver):
                passed_over.append(found)
            elif isinstance(found, Edit):
                self._take(found, path, stays)

    def _take(self, edit: Edit, path: Path, stays: Counter[str]) -> None:
        one = self.sorter.sort(edit, oldest=self.since)
        if isinstance(one, AddressedEdit):
            self._wait(one, path)
            return
        stays[one.value] += 1
        if one is StayReason.OUTSIDE:
            self.homeless[path].add(edit.path)

    def _wait(self, one: AddressedEdit, path: Path) -> None:
        """Hold an edit until there are enough of them for a request."""
        group = self.waiting[one.destination]
        group.append((one, path))
        self.size += most_bytes(one.edit)
        if len(group) >= MOST_EDITS or self.size > MOST_WAITING:
            self._settle()

    def _settle(self) -> None:
        """Send all waiting edits; the transcripts that were read whole are then done."""
        for destination, group in self.waiting.items():
            if destination.remotes[0] not in self.refused:
                self._deliver(destination, self._without_ignored(group))
            if destination.remotes[0] in self.refused:
                # The next backfill reads these again, until the app knows the repository.
                self.left |= {path for _, path in group}
        self.waiting.clear()
        self.size = 0
        settled = {path: stamp for path, stamp in self.read_whole.items() if path not in self.left}
        self.done |= {str(path): stamp for path, stamp in settled.items()}
        self.read_whole.clear()

    def _without_ignored(self, group: list[tuple[AddressedEdit, Path]]) -> list[Edit]:
        ignored = self.sorter.ignored(one for one, _ in group)
        for one, path in group:
            self.stays[path][StayReason.IGNORED.value] += one.file in ignored
        return [one.edit for one, _ in group if one.file not in ignored]

    def _deliver(self, destination: EvidenceDestination, edits: list[Edit]) -> None:
        done = self.sender.deliver(destination, edits, self.now)
        self.sent += done.sent
        self.undelivered += Counter({reason.value: count for reason, count in done.stays.items()})
        if done.refused is not None:
            self.refused[destination.remotes[0]] = done.refused
        else:
            self.heard[destination.installation] = self.now


# --- what was read before -----------------------------------------------------------------------


def _read_before(places: CollectorFiles, under: str, since: datetime | None) -> _ReadBefore:
    """Return what need not be read again; nothing if other edits would leave now."""
    try:
        found = msgspec.json.decode(read_if_there(places.read) or b"{}", type=_ReadBefore)
    except msgspec.DecodeError:
        found = _ReadBefore()
    reaches = found.since is None or (since is not None and found.since <= since)
    return found if found.under == under and reaches else _ReadBefore(under=under)


def _remember(places: CollectorFiles, run: _Run, now: datetime) -> None:
    if run.read_before.under:
        files = {**run.read_before.files, **run.done}
        there = {path: stamp for path, stamp in files.items() if Path(path).exists()}
        read = _ReadBefore(under=run.read_before.under, since=run.since, files=there)
        write_whole(places.read, msgspec.json.encode(read))
    before = state.load(places)
    after = msgspec.structs.replace(
        before,
        sent=before.sent + run.sent,
        sent_at=now if run.sent else before.sent_at,
        heard_at=before.heard_at | run.heard,
        usage=run.usage or before.usage,
    )
    state.save(places, after)
