"""The queue on its way out, on one page: events become edits, edits are addressed, sent, done.

An event leaves the queue once all its edits are settled: acknowledged by the app, or known to
stay. Where the app is away, the queue stays as it is.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import field

from ghapp.attribution.model import Struct
from ghapp.collector import account, choices, queue, state
from ghapp.collector.account import MachineAccount
from ghapp.collector.addressing import (
    WINDOW,
    AddressedEdit,
    EditAddresser,
    EvidenceDestination,
    StayReason,
)
from ghapp.collector.clones import LocalClones
from ghapp.collector.door import AppAway, UploadClient, UploadRejected
from ghapp.collector.events import EventError, to_edits, to_event
from ghapp.collector.places import CollectorBusy, CollectorFiles
from ghapp.collector.sender import EvidenceSender
from ghapp.collector.sent import AcknowledgedEdits

HEARTBEAT = timedelta(hours=20)
"""Between two reports of a machine that has nothing to send: coverage counts by week."""

PATIENCE = timedelta(seconds=15)
"""Longest pause that the app may ask for before a flush leaves the rest to the next one."""

OpenDoor = Callable[[MachineAccount], UploadClient]


class FlushResult(Struct, frozen=True):
    """What one flush did."""

    sent: int = 0
    stays: dict[str, int] = field(default_factory=dict)
    """Why other edits did not leave, in words, to how many."""
    problem: str | None = None
    """Why it ended early; the rest stays queued. ``None``: everything is settled."""


def open_door(known: MachineAccount) -> UploadClient:
    """Return the app's door for this machine."""
    return UploadClient(known.url, known.token)


def flush(
    places: CollectorFiles,
    *,
    now: datetime,
    door: OpenDoor = open_door,
    sleep: Callable[[float], None] = time.sleep,
    at_once: bool = False,
) -> FlushResult:
    """Send what is queued. Never raises for what the app or the network does.

    ``at_once`` also tries what was set aside less than a day ago.

    Raises `CollectorBusy`, `NotEnrolled` and `ChoicesUnread`.
    """
    with places.alone():
        known = account.load(places)
        chosen = choices.load(places)
        before = state.load(places)
        if chosen.is_paused:
            return FlushResult(problem="everything is paused: ghapp collect resume")
        if before.not_before is not None and before.not_before > now:
            return FlushResult(problem=f"the app asked to be left alone until {before.not_before}")
        queue.bring_back(places, now, at_once=at_once)
        sender = sender_of(places, known, door(known), now=now, patience=PATIENCE, sleep=sleep)
        run = _Run(places, sender, chosen, now)
        problem, not_before = run.to_the_end(before)
        return _remember(run, before, problem, not_before)


def flush_silently(places: CollectorFiles, *, now: datetime) -> None:
    """Send what is queued where nobody looks on; whatever goes wrong, ``status`` tells."""
    try:
        flush(places, now=now)
    except CollectorBusy:
        return
    except Exception as error:  # noqa: BLE001 - there is nobody to raise to
        problem = f"{type(error).__name__}: {error}"
        state.save(places, msgspec.structs.replace(state.load(places), problem=problem))


def sender_of(  # noqa: PLR0913 - wired in one place
    places: CollectorFiles,
    known: MachineAccount,
    door: UploadClient,
    *,
    now: datetime,
    patience: timedelta,
    sleep: Callable[[float], None],
) -> EvidenceSender:
    """Return what sends for this machine, remembering what was acknowledged."""

    def renewed(changed: MachineAccount) -> None:
        account.save(places, changed)

    sent = AcknowledgedEdits(places.sent)
    sent.expire(now)
    return EvidenceSender(door, known, sent, renewed, patience=patience, sleep=sleep)


class _Run:
    """One flush, with what was met on the way."""

    def __init__(
        self,
        places: CollectorFiles,
        sender: EvidenceSender,
        chosen: choices.KeptBack,
        now: datetime,
    ) -> None:
        self.places = places
        self.sender = sender
        self.chosen = chosen
        self.now = now
        self.clones = LocalClones()
        self.sent = 0
        self.stays: Counter[str] = Counter()
        self.settled: Counter[str] = Counter()
        """Of the file that is worked on."""
        self.heard: dict[int, datetime] = {}
        self.refused: dict[str, str] = {}

    def to_the_end(self, before: state.CollectorState) -> tuple[str | None, datetime | None]:
        """Send until nothing waits; return what ended it early, and when to come again."""
        try:
            self.sender.refresh(self.now)
            while files := queue.take(self.places):
                for path in files:
                    self._file(path)
            self._report(before)
        except AppAway as error:
            return str(error), self.now + error.wait if error.wait else None
        except UploadRejected as error:
            advice = "; enroll again: ghapp collect enroll URL" if error.status == 401 else ""
            return f"{error}{advice}", None
        return None, None

    def _file(self, path: Path) -> None:
        self.settled.clear()
        for part in queue.parts(path):
            self._part(part)
        path.unlink(missing_ok=True)
        # Not before: a file that must wait is looked at again.
        self.stays += self.settled

    def _part(self, lines: list[bytes]) -> None:
        """Send the edits of some events, repository by repository."""
        sorter = EditAddresser(self.sender.account, self.chosen, self.clones)
        addressed: dict[EvidenceDestination, list[tuple[AddressedEdit, bytes]]] = defaultdict(list)
        found = [(one, line) for line in lines for one in self._sorted(line, sorter)]
        ignored = sorter.ignored(one for one, _ in found)
        for one, line in found:
            if one.file in ignored:
                self.settled[StayReason.IGNORED.value] += 1
            else:
                addressed[one.destination].append((one, line))
        for destination, group in addressed.items():
            self._deliver(destination, group)

    def _sorted(self, line: bytes, sorter: EditAddresser) -> list[AddressedEdit]:
        found: list[AddressedEdit] = []
        try:
            for edit in to_edits(to_event(line), sorter.wants):
                one = sorter.sort(edit, oldest=self.now - WINDOW)
                if isinstance(one, StayReason):
                    self.settled[one.value] += 1
                else:
                    found.append(one)
        except EventError:
            self.settled["in an event that cannot be read"] += 1
        return found

    def _deliver(
        self, destination: EvidenceDestination, group: list[tuple[AddressedEdit, bytes]]
    ) -> None:
        repository = destination.remotes[0]
        lines = dict.fromkeys(line for _, line in group)
        if queue.is_aside(self.places, repository):
            queue.set_aside(self.places, repository, lines, self.now)
            return
        done = self.sender.deliver(destination, [one.edit for one, _ in group], self.now)
        self.sent += done.sent
        self.settled += Counter({reason.value: count for reason, count in done.stays.items()})
        if done.refused is not None:
            queue.set_aside(self.places, repository, lines, self.now)
            self.refused[repository] = done.refused
        else:
            self.heard[destination.installation] = self.now

    def _report(self, before: state.CollectorState) -> None:
        """Tell each installation that heard nothing for long that this machine is there."""
        heard = before.heard_at | self.heard
        for one in self.sender.account.enrollment.installations:
            last = heard.get(one.id)
            if last is None or not timedelta(0) <= self.now - last < HEARTBEAT:
                self.sender.heartbeat(one.id, self.now)
                self.heard[one.id] = self.now


def _remember(
    run: _Run, before: state.CollectorState, problem: str | None, not_before: datetime | None
) -> FlushResult:
    aside = queue.aside(run.places)
    refused = {**before.refused, **run.refused}
    after = msgspec.structs.replace(
        state.with_stays(before, run.stays),
        sent=before.sent + run.sent,
        sent_at=run.now if run.sent else before.sent_at,
        heard_at=before.heard_at | run.heard,
        refused={repository: why for repository, why in refused.items() if repository in aside},
        problem=problem,
        not_before=not_before,
    )
    state.save(run.places, after)
    return FlushResult(sent=run.sent, stays=dict(run.stays), problem=problem)
