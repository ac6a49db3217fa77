"""Sends this machine's usage, repository by repository, and says what became of it."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from ghapp.attribution.model import PassedOver
from ghapp.collector.addressing import EvidenceDestination, StayReason
from ghapp.collector.choices import KeptBack
from ghapp.collector.client import UploadRejected
from ghapp.collector.sender import EvidenceSender
from ghapp.collector.usage_reports import (
    OwnUsage,
    SessionDay,
    UsageToSend,
    fits,
    in_session_days,
    portions,
    to_report,
    usage_to_send,
)
from ghapp.collector.usage_sent import UsageSent
from ghapp.evidence.source import added_up
from ghapp.ingest.usage_days import usage_rows
from ghapp.wire import MOST_DAYS

_UNKNOWN_ROUTE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})


class _NotTaken(Exception):  # noqa: N818 - what the app is, named as what it is
    """The app has no door for usage."""


def send_usage(
    sender: EvidenceSender,
    choices: KeptBack,
    folders: Iterable[Path],
    since: date,
    now: datetime,
) -> UsageSent:
    """Send the usage of the days from ``since`` on; one refused repository holds up no other.

    Raises `AppAway` if it must be sent again later, and `UploadRejected` if the app refuses this
    machine as a whole.
    """
    found = usage_to_send(sender.account, choices, folders, since, now)
    run = _Run(sender, found, now)
    is_taken = run.send_all()
    return UsageSent(
        at=now,
        since=since,
        rows=sum(len(one.tokens) + len(one.decisions) for one in run.stored.values()),
        repositories=len({repository for repository, *_ in run.stored}),
        is_taken=is_taken,
        refused=run.refused,
        stays={why.value: count for why, count in run.stays.items() if count},
        passed_over=added_up([*found.passed_over, *run.passed_over]),
        unread=found.unread,
        files_left_out=found.files_left_out,
    )


class _Placed(NamedTuple):
    """A destination whose usage arrived, and the repository that the app counts it for."""

    repository: int
    own: OwnUsage
    keys: frozenset[tuple[date, str, str]]


class _Run:
    """One sending and its counts."""

    def __init__(self, sender: EvidenceSender, found: UsageToSend, now: datetime) -> None:
        self._sender = sender
        self._found = found
        self._now = now
        self._placed: list[_Placed] = []
        self.stays: Counter[StayReason] = Counter(found.stays)
        self.refused: dict[str, str] = {}
        self.passed_over: list[PassedOver] = []
        self.stored: dict[tuple[int, date, str, str], SessionDay] = {}
        """Repository and agent session's day → the rows that the app has of it."""

    def send_all(self) -> bool:
        """Send every destination's usage; say whether the app takes usage at all."""
        try:
            for destination, own in sorted(self._found.own.items(), key=lambda one: one[0]):
                self._destination(destination, own)
        except _NotTaken:
            return False
        return True

    def _destination(self, destination: EvidenceDestination, own: OwnUsage) -> None:
        try:
            self._deliver(destination, own)
        except UploadRejected as error:
            if error.is_of_this_machine:
                raise
            if error.status in _UNKNOWN_ROUTE and error.code is None:
                raise _NotTaken from error
            self.refused[destination.remotes[0]] = str(error)

    def _deliver(self, destination: EvidenceDestination, own: OwnUsage) -> None:
        rows = usage_rows(own.answers, own.decisions)
        self.passed_over += rows.passed_over
        whole = in_session_days(rows.tokens, rows.decisions)
        days = {key: one for key, one in whole.items() if fits(one, MOST_DAYS)}
        self.stays[StayReason.TOO_LARGE] += len(whole) - len(days)
        repository: int | None = None
        for portion in portions(days.values(), MOST_DAYS):
            repository = self._post(destination, portion)
        if repository is None:
            return
        self.stored |= {(repository, *key): one for key, one in days.items()}
        placed = _Placed(repository, own, frozenset(days))
        if others := self._replaced_by(placed):
            self._deliver_together(destination, [*others, placed])
        self._placed.append(placed)

    def _replaced_by(self, placed: _Placed) -> list[_Placed]:
        """Return what arrived before from other clones of the same repository, and is gone now.

        A report replaces all rows of an agent session's day in that repository, and only the app
        knows that two names are those of one: a fork, or a former name.
        """
        return [
            one
            for one in self._placed
            if one.repository == placed.repository and one.keys & placed.keys
        ]

    def _deliver_together(self, destination: EvidenceDestination, parts: list[_Placed]) -> None:
        """Send the days again that several clones of one repository have, with all their rows."""
        answers = [answer for one in parts for answer in one.own.answers]
        decisions = [decision for one in parts for decision in one.own.decisions]
        rows = usage_rows(answers, decisions)
        days = in_session_days(rows.tokens, rows.decisions)
        several = Counter(key for one in parts for key in one.keys)
        again = {key: days[key] for key, count in several.items() if count > 1 and key in days}
        for portion in portions(again.values(), MOST_DAYS):
            self._post(destination, portion)
        self.stored |= {(parts[0].repository, *key): one for key, one in again.items()}

    def _post(self, destination: EvidenceDestination, days: list[SessionDay]) -> int | None:
        """Send a report, in halves if it is too large; return the repository that it counts for.

        ``None``: its installation is no longer enrolled, or even one day is too large.
        """
        try:
            report = to_report(self._sender.account, destination, days)
            receipt = self._sender.report_usage(report, self._now)
        except UploadRejected as error:
            if error.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                raise
            if len(days) == 1:
                self.stays[StayReason.TOO_LARGE] += 1
                return None
            half = len(days) // 2
            first = self._post(destination, days[:half])
            return self._post(destination, days[half:]) or first
        if receipt is None:
            self.stays[StayReason.NOT_ENROLLED] += len(days)
            return None
        return receipt.repository
