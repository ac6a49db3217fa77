"""This machine's usage by repository, in reports that fit, or why it stays. It sends nothing.

An answer of a model belongs to the agent's working directory, a decided edit to its file. Both are
kept back as edits are: by the developer's choices, by git, outside enrolled repositories.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ghapp.attribution.model import PassedOver, Struct
from ghapp.collector.account import MachineAccount
from ghapp.collector.addressing import WINDOW, EditAddresser, EvidenceDestination, StayReason
from ghapp.collector.choices import KeptBack
from ghapp.collector.client import CLIENT
from ghapp.collector.clones import LocalClones
from ghapp.collector.usage_sent import UsageSent
from ghapp.ingest.usage_days import usage_of_machine
from ghapp.usage.answers import UsageRecord
from ghapp.usage.days import DecisionDay, TokenDay
from ghapp.usage.decisions import DecidedEdit
from ghapp.wire import OLDEST_USAGE, USAGE_SCHEMA, UsageReport

AGAIN = timedelta(days=7)
"""How far back usage is sent again each day. An agent session goes on for days, and a copy of an
answer that counts more may be written later; only files that changed in these days are read."""


class OwnUsage(NamedTuple):
    """What agents did in the clones of one destination."""

    answers: list[UsageRecord]
    decisions: list[DecidedEdit]


class UsageToSend(Struct, frozen=True):
    """What may leave of some days, by destination, and what stays."""

    own: dict[EvidenceDestination, OwnUsage]
    stays: dict[StayReason, int]
    """Answers and decided edits that do not leave."""
    passed_over: tuple[PassedOver, ...]
    unread: int
    files_left_out: int


class SessionDay(NamedTuple):
    """All rows of one agent session on one day: they must come together."""

    tokens: list[TokenDay]
    decisions: list[DecisionDay]


def first_day(before: UsageSent | None, now: datetime) -> date:
    """Return the first day to send, by what was sent last; ``None``: nothing was."""
    earliest = (now - WINDOW).date()
    if before is None or not before.is_taken:
        return earliest
    return max(earliest, min((now - AGAIN).date(), before.at.date()))


def earliest_day(since: datetime | None, now: datetime) -> date:
    """Return the first day that a backfill sends; ``since`` ``None``: all that the app takes."""
    # A day less: the app's clock may be ahead.
    oldest = (now - OLDEST_USAGE + timedelta(days=1)).date()
    return oldest if since is None else max(oldest, since.date())


def usage_to_send(
    account: MachineAccount,
    choices: KeptBack,
    folders: Iterable[Path],
    since: date,
    now: datetime,
) -> UsageToSend:
    """Read the usage of the days from ``since`` on, and find out what of it may leave."""
    found = usage_of_machine(folders, since, now.date(), now)
    gone = [one for one in found.worktrees if not Path(one.path).is_dir()]
    sorter = _UsageSorter(account, choices, LocalClones(gone))
    sorter.sort(found.answers, found.decisions)
    return UsageToSend(
        own=dict(sorter.own),
        stays=dict(sorter.stays),
        passed_over=found.passed_over,
        unread=found.unread,
        files_left_out=found.files_left_out,
    )


class _UsageSorter:
    """Decides where each answer and each decided edit goes, or why it stays."""

    def __init__(self, account: MachineAccount, choices: KeptBack, clones: LocalClones) -> None:
        self._sorter = EditAddresser(account, choices, clones)
        self._choices = choices
        self._clones = clones
        self.own: defaultdict[EvidenceDestination, OwnUsage] = defaultdict(lambda: OwnUsage([], []))
        self.stays: Counter[StayReason] = Counter()

    def sort(self, answers: Iterable[UsageRecord], decisions: Sequence[DecidedEdit]) -> None:
        """Sort what was found on this machine."""
        ignored = self._clones.ignored({one.path for one in decisions if one.path is not None})
        for answer in answers:
            where = self._where(answer.project, None, answer.at)
            if where is not None:
                self.own[where].answers.append(answer)
        for decision in decisions:
            if decision.path in ignored:
                self.stays[StayReason.IGNORED] += 1
                continue
            where = self._where(decision.project, decision.path, decision.at)
            if where is not None:
                self.own[where].decisions.append(decision)

    def _where(
        self, folder: str | None, file: str | None, at: datetime
    ) -> EvidenceDestination | None:
        """Return where something goes; ``None``: it stays, and is counted."""
        place = file if file is not None else f"{folder}/." if folder is not None else None
        found: EvidenceDestination | StayReason = StayReason.OUTSIDE
        before = self._choices.usage_before
        if before is not None and at < before:
            found = StayReason.KEPT_BACK
        elif place is not None:
            found = self._sorter.destination(place, at)
            if isinstance(found, EvidenceDestination) and self._choices.has_removed(
                found.remotes, at
            ):
                found = StayReason.KEPT_BACK
        if isinstance(found, StayReason):
            self.stays[found] += 1
            return None
        return found


def in_session_days(
    tokens: Iterable[TokenDay], decisions: Iterable[DecisionDay]
) -> dict[tuple[date, str, str], SessionDay]:
    """Return the rows of each day, agent and agent session, in their order."""
    found: defaultdict[tuple[date, str, str], SessionDay]
    found = defaultdict(lambda: SessionDay([], []))
    for row in tokens:
        found[row.day, row.agent, row.agent_session].tokens.append(row)
    for one in decisions:
        found[one.day, one.agent, one.agent_session].decisions.append(one)
    return dict(sorted(found.items()))


def portions(days: Iterable[SessionDay], most: int) -> Iterator[list[SessionDay]]:
    """Yield groups with at most so many rows of a kind; a day with more than that stays out."""
    group: list[SessionDay] = []
    tokens = decisions = 0
    for one in days:
        if not fits(one, most):
            continue
        if tokens + len(one.tokens) > most or decisions + len(one.decisions) > most:
            yield group
            group, tokens, decisions = [], 0, 0
        group.append(one)
        tokens += len(one.tokens)
        decisions += len(one.decisions)
    if group:
        yield group


def fits(day: SessionDay, most: int) -> bool:
    """Say whether an agent session's day fits into one report."""
    return len(day.tokens) <= most and len(day.decisions) <= most


def to_report(
    account: MachineAccount, destination: EvidenceDestination, days: Iterable[SessionDay]
) -> UsageReport:
    """Return a report of some days in one clone."""
    whole = list(days)
    return UsageReport(
        schema=USAGE_SCHEMA,
        client=CLIENT,
        machine=account.machine,
        installation=destination.installation,
        remotes=destination.remotes,
        tokens=tuple(row for one in whole for row in one.tokens),
        decisions=tuple(row for one in whole for row in one.decisions),
    )
