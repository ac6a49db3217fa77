"""Usage on a developer's machine in some days, and its rows: what the collector sends each day.

It reads the records that changed since the first day asked for, and settles over all of them. A
file that did not change since then holds nothing of these days.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from ghapp.attribution.model import PassedOver, Struct, UnreadEvidence
from ghapp.evidence.source import Worktree, added_up
from ghapp.ingest.artifacts import EvidenceArtifact, each_artifact
from ghapp.ingest.usage_files import FoundUsage, read_usage
from ghapp.usage.answers import MOST, AnswerSettling, UsageRecord
from ghapp.usage.believed import left_out
from ghapp.usage.days import DecisionDay, TokenDay, decision_days, misfits, token_days
from ghapp.usage.decisions import DecidedEdit, decided_once

MOST_READ = 8 * 1024 * 1024 * 1024
"""Bytes that are read at most, the newest files first."""

MARGIN = timedelta(days=1)
"""Records this near to the days asked for are kept until all are read: copies of an answer may have
other times than the one that counts."""

TOO_MANY = "days of an agent session with impossible sums"


class UsageOfMachine(Struct, frozen=True):
    """What a machine's records say of some days."""

    answers: tuple[UsageRecord, ...]
    """Each answer once, by time."""
    decisions: tuple[DecidedEdit, ...]
    """Each decided edit once."""
    worktrees: frozenset[Worktree]
    """Those that the records name, so that a folder that is gone can still be placed."""
    passed_over: tuple[PassedOver, ...]
    """What was seen and not counted, each agent and kind once."""
    unread: int
    """Records that could not be read."""
    files: int
    """Files that were read."""
    files_left_out: int
    """Files that changed and were too much to read: if there are any, this is a part."""


class UsageRows(NamedTuple):
    """The rows of some answers and decided edits."""

    tokens: tuple[TokenDay, ...]
    decisions: tuple[DecisionDay, ...]
    passed_over: tuple[PassedOver, ...]
    """What does not fit into a row."""


def usage_of_machine(
    folders: Iterable[Path],
    since: date,
    until: date,
    now: datetime,
    *,
    most: int = MOST_READ,
) -> UsageOfMachine:
    """Return the usage of the days from ``since`` to ``until``, both included.

    A folder that does not exist holds nothing. ``most`` bounds the bytes that are read.
    """
    homes = [folder for folder in folders if folder.exists()]
    changed = _changed(homes, since)
    chosen = _within(changed, most)
    usage = _Usage(since, until)
    for found in read_usage(homes, now, lambda artifact: artifact.name in chosen):
        usage.add(found)
    return UsageOfMachine(
        answers=tuple(filter(usage.is_asked_for, usage.settling.answers())),
        decisions=tuple(filter(usage.is_asked_for, decided_once(usage.decisions))),
        worktrees=frozenset(usage.worktrees),
        passed_over=added_up(usage.passed_over),
        unread=usage.unread,
        files=len(chosen),
        files_left_out=len(changed) - len(chosen),
    )


def usage_rows(answers: Sequence[UsageRecord], decisions: Sequence[DecidedEdit]) -> UsageRows:
    """Return the rows of what an agent did in one repository or folder."""
    rows = token_days(answers)
    sendable = [one for one in rows if _can_be(one)]
    too_many = [left_out(one.agent, TOO_MANY) for one in rows if not _can_be(one)]
    return UsageRows(
        tokens=tuple(sendable),
        decisions=tuple(decision_days(decisions)),
        passed_over=added_up([*misfits([*answers, *decisions]), *too_many]),
    )


def _can_be(row: TokenDay) -> bool:
    """Say whether all sums of a row are within what it may hold."""
    return max(one or 0 for one in msgspec.structs.astuple(row.tokens)) <= MOST


class _Usage:
    """What was found so far of some days."""

    def __init__(self, since: date, until: date) -> None:
        self._since, self._until = since, until
        self.settling = AnswerSettling()
        self.decisions: list[DecidedEdit] = []
        self.worktrees: set[Worktree] = set()
        self.passed_over: list[PassedOver] = []
        self.unread = 0

    def add(self, found: FoundUsage) -> None:
        """Take what a file holds."""
        if isinstance(found, PassedOver):
            self.passed_over.append(found)
        elif isinstance(found, UnreadEvidence):
            self.unread += 1
        elif isinstance(found, Worktree):
            self.worktrees.add(found)
        else:
            self._add(found)

    def is_asked_for(self, one: UsageRecord | DecidedEdit) -> bool:
        """Say whether something is of the days asked for."""
        return self._since <= _day(one) <= self._until

    def _add(self, found: UsageRecord | DecidedEdit) -> None:
        """Take a record if it is near to the days; of others only notice that they are there."""
        day = _day(found)
        is_near = self._since - day <= MARGIN and day - self._until <= MARGIN
        if isinstance(found, DecidedEdit):
            if is_near:
                self.decisions.append(found)
        elif is_near:
            self.settling.add(found)
        else:
            self.settling.note(found)


def _day(one: UsageRecord | DecidedEdit) -> date:
    return one.at.astimezone(UTC).date()


def _changed(folders: list[Path], since: date) -> list[tuple[float, int, str]]:
    """Return when each file changed that changed since a day, its size and its name."""
    first = datetime.combine(since, time.min, UTC).timestamp()
    found = []
    for artifact in each_artifact(folders):
        if isinstance(artifact, UnreadEvidence):
            continue
        try:
            changed, size = _state(artifact)
        except OSError:  # it is gone, or nobody may look at it: reading it says so
            changed, size = first, 0
        if changed >= first:
            found.append((changed, size, artifact.name))
    return found


def _state(artifact: EvidenceArtifact) -> tuple[float, int]:
    """Return when a file changed and its bytes. Raises `OSError`.

    What a database was told last stands in a file beside it.
    """
    states = [part.stat() for part in artifact.parts]
    beside = artifact.parts[0].with_name(f"{artifact.parts[0].name}-wal")
    if beside.exists():
        states.append(beside.stat())
    return max(one.st_mtime for one in states), sum(one.st_size for one in states)


def _within(files: list[tuple[float, int, str]], most: int) -> set[str]:
    """Return the names of the newest files that have so many bytes together."""
    chosen: set[str] = set()
    left = most
    for _, size, name in sorted(files, reverse=True):
        if size <= left:
            chosen.add(name)
            left -= size
    return chosen
