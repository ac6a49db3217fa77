"""Sends batches and reports to the app: waits, repairs and retries, and remembers what arrived."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple, TypeVar

import msgspec

from ghapp.attribution.identity import own_lines
from ghapp.attribution.model import Edit
from ghapp.collector.account import MachineAccount, save
from ghapp.collector.addressing import EvidenceDestination, StayReason
from ghapp.collector.batches import batches, fingerprinter_of, fits, to_batch, to_sent
from ghapp.collector.client import RENEWABLE, AppAway, UploadClient, UploadRejected
from ghapp.collector.places import CollectorFiles
from ghapp.collector.sent import AcknowledgedEdits, digest_of
from ghapp.wire import SeenAgent, UsageReceipt, UsageReport

RENEW = timedelta(days=1)
"""Between two requests for the installations."""
MOST_PAUSES = 10
"""Pauses for one request before this run gives it up."""

_Receipt = TypeVar("_Receipt")

_REFUSED_EDIT = re.compile(r"edits\[(\d+)\]")
"""The place of an edit in a refused batch, such as ``edits[3].at``."""


class SendResult(NamedTuple):
    """What became of some edits of one clone."""

    sent: int
    """Edits acknowledged now, without those acknowledged before."""
    stays: Counter[StayReason]
    refused: str | None = None
    """Why the app does not accept this repository, perhaps only now; ``None``: it does."""


class EvidenceSender:
    """Sends edits and remembers what the app acknowledged.

    ``patience`` is the longest pause to wait for if the app asks for one.
    """

    def __init__(
        self,
        places: CollectorFiles,
        account: MachineAccount,
        *,
        now: datetime,
        patience: timedelta,
        sleep: Callable[[float], None],
    ) -> None:
        self.account = account
        self._places = places
        self._client = UploadClient(account.url, account.token)
        self._sent = AcknowledgedEdits(places.sent)
        self._sent.expire(now)
        self._patience = patience
        self._sleep = sleep

    def heartbeat(
        self, installation: int, now: datetime, agents: tuple[SeenAgent, ...] = ()
    ) -> None:
        """Tell the app that this machine reports, and what it saw. Raises as `deliver`."""
        destination = EvidenceDestination(installation, ())
        try:
            self._post(destination, [], agents)
        except UploadRejected as error:
            if error.code not in RENEWABLE:
                raise
            self.renew(now)
            if self._is_enrolled(destination):
                self._post(destination, [], agents)

    def report_usage(self, report: UsageReport, now: datetime) -> UsageReceipt | None:
        """Send a report of usage; ``None``: its installation is no longer enrolled.

        Raises `AppAway`, and `UploadRejected` with whatever the app says of the report.
        """
        body = msgspec.json.encode(report)
        try:
            return self._patiently(self._client.send_usage, body)
        except UploadRejected as error:
            if error.code not in RENEWABLE:
                raise
            self.renew(now)
            if not self._is_enrolled(EvidenceDestination(report.installation, report.remotes)):
                return None
            return self._patiently(self._client.send_usage, body)

    def refresh(self, now: datetime) -> None:
        """Ask for the installations once a day. Raises as `deliver`."""
        if not timedelta(0) <= now - self.account.known_since < RENEW:
            self.renew(now)

    def renew(self, now: datetime) -> None:
        """Ask for the current installations and their keys. Raises as `deliver`."""
        enrollment = self._client.enrollment()
        self.account = msgspec.structs.replace(self.account, enrollment=enrollment, known_since=now)
        save(self._places, self.account)

    def deliver(
        self, destination: EvidenceDestination, edits: Iterable[Edit], now: datetime
    ) -> SendResult:
        """Send the edits that the app has not acknowledged yet.

        Raises `AppAway` if it must be retried later, and `UploadRejected` if the app refuses
        this machine as a whole.
        """
        new = [edit for edit in edits if edit not in self._sent]
        ready = _told_once(edit for edit in new if fits(edit))
        stays = Counter({StayReason.TOO_LARGE: sum(not fits(edit) for edit in new)})
        sent = 0
        try:
            for batch in batches(ready):
                done = self._deliver_batch(destination, batch, stays, now)
                self._sent.add(done, now)
                sent += len(done)
        except UploadRejected as error:
            # One refused repository must not hold up the others.
            if error.is_of_this_machine:
                raise
            return SendResult(sent, stays, refused=str(error))
        return SendResult(sent, stays)

    def _deliver_batch(
        self,
        destination: EvidenceDestination,
        edits: list[Edit],
        stays: Counter[StayReason],
        now: datetime,
    ) -> list[Edit]:
        """Send one batch, repairing what the app's error allows; return what it accepted."""
        renewed = False
        while edits:
            if not self._is_enrolled(destination):
                stays[StayReason.NOT_ENROLLED] += len(edits)
                return []
            try:
                self._post(destination, edits)
            except UploadRejected as error:
                if error.code in RENEWABLE and not renewed:
                    renewed = True
                    self.renew(now)
                elif error.status == 413 and len(edits) > 1:
                    half = len(edits) // 2
                    first = self._deliver_batch(destination, edits[:half], stays, now)
                    return first + self._deliver_batch(destination, edits[half:], stays, now)
                else:
                    edits = _without_refused(edits, error, stays)
            else:
                return edits
        return []

    def _is_enrolled(self, destination: EvidenceDestination) -> bool:
        known = self.account.enrollment.installations
        return any(one.id == destination.installation for one in known)

    def _post(
        self,
        destination: EvidenceDestination,
        edits: list[Edit],
        agents: tuple[SeenAgent, ...] = (),
    ) -> None:
        fingerprinter = fingerprinter_of(self.account, destination)
        ready = (to_sent(edit, fingerprinter) for edit in edits)
        batch = msgspec.json.encode(to_batch(self.account, destination, ready, agents))
        self._patiently(self._client.send, batch)

    def _patiently(self, send: Callable[[bytes], _Receipt], body: bytes) -> _Receipt:
        """Send a body, and wait if the app is busy for a moment."""
        for _ in range(MOST_PAUSES):
            try:
                return send(body)
            except AppAway as error:
                if error.wait is None or error.wait > self._patience:
                    raise
                self._sleep(error.wait.total_seconds())
        return send(body)


def _told_once(edits: Iterable[Edit]) -> list[Edit]:
    """Return each edit once; of copies the one that claims the fewest lines."""
    best: dict[bytes, Edit] = {}
    for edit in edits:
        known = best.setdefault(digest_of(edit), edit)
        if len(own_lines(edit.lines)) < len(own_lines(known.lines)):
            best[digest_of(edit)] = edit
    return list(best.values())


def _without_refused(
    edits: list[Edit], error: UploadRejected, stays: Counter[StayReason]
) -> list[Edit]:
    """Return the edits without the one that the error names; raise the error if it names none."""
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        stays[StayReason.TOO_LARGE] += len(edits)
        return []
    named = _REFUSED_EDIT.match(error.field or "")
    number = int(named[1]) if named else len(edits)
    if number >= len(edits):
        raise error
    stays[StayReason.REFUSED] += 1
    return edits[:number] + edits[number + 1 :]
