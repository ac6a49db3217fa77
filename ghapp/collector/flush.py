"""The queue on its way to the app, on one page: events become edits, which are addressed and sent.

An event leaves the queue once all its edits are settled: the app acknowledged them, or they stay
on this machine. While the app cannot be reached, the queue does not change.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import field

from ghapp.attribution.model import Struct
from ghapp.collector import account, choices, queue, shell_look, state
from ghapp.collector.addressing import (
    WINDOW,
    AddressedEdit,
    EditAddresser,
    EvidenceDestination,
    StayReason,
)
from ghapp.collector.agents_seen import AgentsSeen
from ghapp.collector.client import AppAway, UploadRejected
from ghapp.collector.clones import LocalClones
from ghapp.collector.events import EventError, to_edits, to_event
from ghapp.collector.places import CollectorBusy, CollectorFiles
from ghapp.collector.sender import EvidenceSender
from ghapp.collector.survey import look
from ghapp.collector.transcript_calls import made_by
from ghapp.collector.usage_reports import first_day
from ghapp.collector.usage_sender import send_usage
from ghapp.collector.usage_sent import UsageSent

HEARTBEAT = timedelta(hours=20)
"""Between two reports of a machine that has nothing to send: coverage counts weeks."""

PATIENCE = timedelta(seconds=15)
"""Longest pause to wait for the app; after a longer one the next flush sends the rest."""


class FlushResult(Struct, frozen=True):
    """What one flush did."""

    sent: int = 0
    stays: dict[str, int] = field(default_factory=dict)
    """Why other edits did not leave, in words → how many."""
    problem: str | None = None
    """Why it ended early; the rest stays queued. ``None``: everything is settled."""


def flush(
    places: CollectorFiles,
    *,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
    at_once: bool = False,
    folders: Callable[[], Iterable[Path]] | None = None,
) -> FlushResult:
    """Send the queue. Errors of the app or the network do not raise: they become the ``problem``.

    ``at_once`` also retries what was set aside less than a day ago. ``folders`` returns where
    agents keep their records: once a day the app hears what was seen of them, and usage; ``None``:
    it does not.

    Raises `CollectorBusy`, `NotEnrolled` and `ChoicesUnread`.
    """
    with places.alone():
        known = account.load(places)
        chosen = choices.load(places)
        before = state.load(places)
        if chosen.is_paused:
            return FlushResult(problem="everything is paused: ghapp collect resume")
        if before.not_before is not None and before.not_before > now:
            return FlushResult(problem=f"the app asked to wait until {before.not_before}")
        queue.bring_back(places, now, at_once=at_once)
        sender = EvidenceSender(places, known, now=now, patience=PATIENCE, sleep=sleep)
        run = _Run(places, sender, chosen, now, folders)
        directory = str(places.directory)
        shell_look.tidy(directory, int(now.timestamp() * 1e9))
        run.stays += Counter(shell_look.taken_counts(directory))
        problem, not_before = run.send_all(before)
        return _remember(run, before, problem, not_before)


def flush_silently(
    places: CollectorFiles,
    *,
    now: datetime,
    folders: Callable[[], Iterable[Path]] | None = None,
) -> None:
    """Send the queue in the background; ``status`` reports what went wrong."""
    try:
        flush(places, now=now, folders=folders)
    except CollectorBusy:
        return
    except Exception as error:  # noqa: BLE001 - there is nobody to raise to
        problem = f"{type(error).__name__}: {error}"
        state.save(places, msgspec.structs.replace(state.load(places), problem=problem))


class _Run:
    """One flush and its counts."""

    def __init__(
        self,
        places: CollectorFiles,
        sender: EvidenceSender,
        chosen: choices.KeptBack,
        now: datetime,
        folders: Callable[[], Iterable[Path]] | None,
    ) -> None:
        self.folders = folders
        self.seen: AgentsSeen | None = None
        self.usage: UsageSent | None = None
        self.places = places
        self.sender = sender
        self.chosen = chosen
        self.now = now
        self.clones = LocalClones()
        self.sent = 0
        self.stays: Counter[str] = Counter()
        self.settled: Counter[str] = Counter()
        """Why edits of the current file did not leave → how many."""
        self.heard: dict[int, datetime] = {}
        self.refused: dict[str, str] = {}

    def send_all(self, before: state.CollectorState) -> tuple[str | None, datetime | None]:
        """Send until nothing waits; return what ended it early, and when to retry."""
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
        # Only now: a file that could not be sent is read and counted again.
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
            for edit in to_edits(to_event(line), sorter.wants, made_by):
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
        """Send a heartbeat to each installation that has heard nothing for long.

        Once in that time all of them hear what this machine saw of agents.
        """
        heard = before.heard_at | self.heard
        looks = self.folders is not None and self._is_over(before.seen.at if before.seen else None)
        seen = look(self.folders(), self.now) if looks and self.folders else None
        for one in self.sender.account.enrollment.installations:
            if seen is not None or self._is_over(heard.get(one.id)):
                self.sender.heartbeat(one.id, self.now, seen.agents if seen else ())
                self.heard[one.id] = self.now
        # Only now: if the app is away, the next flush looks again.
        self.seen = seen
        self._report_usage(before.usage)

    def _report_usage(self, before: UsageSent | None) -> None:
        """Send usage once a day, if anybody is to hear of it."""
        if self.folders is None or not self.sender.account.enrollment.installations:
            return
        if self._is_over(before.at if before else None):
            since = first_day(before, self.now)
            self.usage = send_usage(self.sender, self.chosen, self.folders(), since, self.now)

    def _is_over(self, last: datetime | None) -> bool:
        """Say whether a heartbeat's time is over; so it is if a clock was set back."""
        return last is None or not timedelta(0) <= self.now - last < HEARTBEAT


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
        seen=run.seen or before.seen,
        usage=run.usage or before.usage,
    )
    state.save(run.places, after)
    return FlushResult(sent=run.sent, stays=dict(run.stays), problem=problem)
